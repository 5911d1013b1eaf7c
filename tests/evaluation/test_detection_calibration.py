"""Calibrated scores of detections."""

import numpy as np
import pytest

from eyespot.evaluation.boxes import Detections, Truth
from eyespot.evaluation.detection_calibration import (
    ScoreCalibration,
    calibrate,
    fit_calibration,
)
from eyespot.evaluation.detection_matches import match_detections
from eyespot.evaluation.metrics import calibration_error, reliability_bins
from tests.evaluation.boxes_for_tests import found, truth

BOX, FAR = [0, 0, 10, 10], [50, 50, 60, 60]


def overconfident(count: int, seed: int, label: int = 0) -> tuple[list[Truth], list[Detections]]:
    """One detection a photo: correct with probability p, its log-odds twice those of p."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(0, 1.2, count)
    correct = rng.random(count) < 1 / (1 + np.exp(-odds))
    scores = 1 / (1 + np.exp(-2 * odds))
    boxes = [BOX if hit else FAR for hit in correct]
    detections = [found([box], [s], [label]) for box, s in zip(boxes, scores, strict=True)]
    return [truth([BOX], [label])] * count, detections


def error_of(truths: list[Truth], detections: list[Detections]) -> float:
    (matches,) = match_detections(truths, detections, 1)
    return calibration_error(reliability_bins(matches.scores, matches.hit[0, 0]))


def test_overconfident_scores_become_probabilities() -> None:
    calibration = fit_calibration(match_detections(*overconfident(2000, 0), 1))
    assert calibration.slopes[0] == pytest.approx(0.5, abs=0.05)
    assert calibration.offsets[0] == pytest.approx(0, abs=0.1)
    truths, detections = overconfident(2000, 1)
    after = error_of(truths, [calibrate(calibration, one) for one in detections])
    assert after < 0.03 < 0.1 < error_of(truths, detections)


def test_the_order_within_a_class_stays() -> None:
    detections = found([BOX] * 5, [0.0, 0.1, 0.5, 0.9, 1.0])
    calibration = fit_calibration(match_detections(*overconfident(200, 0), 1))
    scores = calibrate(calibration, detections).scores
    assert (np.diff(scores) > 0).all()
    assert scores[0] > 0
    assert scores[-1] < 1


def test_scores_that_are_reversed_still_keep_their_order() -> None:
    truths, detections = overconfident(300, 0)
    reversed_scores = [Detections(d.boxes, d.labels, 1 - d.scores) for d in detections]
    calibration = fit_calibration(match_detections(truths, reversed_scores, 1))
    assert 0 < calibration.slopes[0] < 0.1


def test_a_class_with_few_detections_shares_the_calibration() -> None:
    truths, detections = overconfident(300, 0)
    few = overconfident(10, 1, label=1)
    calibration = fit_calibration(match_detections(truths + few[0], detections + few[1], 3))
    assert calibration.slopes[1] == calibration.slopes[2] != calibration.slopes[0]


def test_a_few_correct_detections_do_not_prove_certainty() -> None:
    truths, detections = [truth([BOX])] * 5, [found([BOX], [0.9])] * 5
    calibration = fit_calibration(match_detections(truths, detections, 1))
    assert calibrate(calibration, detections[0]).scores[0] == pytest.approx(6 / 7, abs=0.01)


def test_without_a_detection_scores_stay() -> None:
    calibration = fit_calibration(match_detections([truth([BOX])], [found([], [])], 2))
    assert calibration.slopes.tolist() == [1, 1]
    one = found([BOX], [0.3], [1])
    np.testing.assert_allclose(calibrate(calibration, one).scores, one.scores, atol=1e-7)


def test_no_detections_to_calibrate() -> None:
    none = calibrate(ScoreCalibration(np.ones(2), np.zeros(2)), found([], []))
    assert none.scores.shape == (0,)
    assert np.isnan(calibration_error(reliability_bins(np.zeros(0), np.zeros(0, bool))))
