"""Kinds of error by hand, each fixed; and sums over random photos."""

import math

import numpy as np
import pytest

from eyespot.evaluation.average_precision import average_precision
from eyespot.evaluation.boxes import Detections, Truth
from eyespot.evaluation.detection_errors import (
    KINDS,
    DetectionErrors,
    ap50_gains,
    find_errors,
)
from eyespot.evaluation.detection_matches import match_detections
from tests.evaluation.boxes_for_tests import found, random_photos, truth

BOX, NEAR, EDGE, FAR = [0, 0, 10, 10], [0, 0, 10, 4], [9, 9, 19, 19], [50, 50, 60, 60]
"""IoU with BOX: 1, 0.4, 0.005, 0."""


def errors_of(true: Truth, detected: Detections) -> tuple[DetectionErrors, dict[str, float]]:
    matches = match_detections([true], [detected], 2)
    errors = find_errors([true], [detected], matches)
    return errors, ap50_gains([true], matches, errors)


@pytest.mark.parametrize(
    ("kind", "box", "label", "gain"),
    [
        ("classification", BOX, 1, 1),
        ("localization", NEAR, 0, 1),
        ("both", NEAR, 1, 0),
        ("background", EDGE, 0, 0),
        ("background", FAR, 1, 0),
    ],
)
def test_one_detection(kind: str, box: list[int], label: int, gain: float) -> None:
    errors, gains = errors_of(truth([BOX]), found([box], [0.9], [label]))
    correctable = kind in ("classification", "localization")
    expected = dict.fromkeys(KINDS, 0) | {kind: 1} | ({} if correctable else {"missed": 1})
    assert errors.counts() == expected
    assert gains[kind] == pytest.approx(gain)


def test_a_duplicate() -> None:
    errors, gains = errors_of(truth([BOX, FAR]), found([BOX, BOX, FAR], [0.9, 0.8, 0.7]))
    assert errors.counts() == dict.fromkeys(KINDS, 0) | {"duplicate": 1}
    assert (errors.detection.tolist(), errors.truth.tolist()) == ([1], [0])
    assert gains["duplicate"] == pytest.approx(1 - (51 + 50 * 2 / 3) / 101)
    assert gains["duplicate"] == gains["false_positives"]
    assert gains["false_negatives"] == 0


def test_missed_objects_stand_last_without_a_score() -> None:
    true = truth([BOX, FAR], [0, 1])
    errors, gains = errors_of(true, found([[20, 20, 30, 30]], [0.5]))
    assert [KINDS[kind] for kind in errors.kind] == ["background", "missed", "missed"]
    assert errors.detection.tolist() == [0, -1, -1]
    assert errors.truth.tolist() == [-1, 0, 1]
    assert errors.label.tolist() == [0, 0, 1]
    assert errors.score[0] == 0.5
    assert np.isnan(errors.score[1:]).all()
    assert gains["missed"] == 0  # no object is left to have an AP


def test_only_the_best_detection_of_an_object_is_corrected() -> None:
    true = truth([BOX, FAR])
    _, gains = errors_of(true, found([NEAR, NEAR, FAR], [0.9, 0.8, 0.7]))
    assert gains["localization"] == pytest.approx(1 - 51 / 101 * 1 / 3)  # the other is removed


def test_an_object_that_was_found_needs_no_correction() -> None:
    _, gains = errors_of(truth([BOX, FAR], [0, 1]), found([BOX, BOX], [0.9, 0.8], [0, 1]))
    assert gains["classification"] == 0  # the wrong one is removed, the class is still missing


def test_detections_on_ignored_boxes_are_no_errors() -> None:
    errors, _ = errors_of(truth([BOX, FAR], ignored=[True, False]), found([BOX, FAR], [0.9, 0.8]))
    assert len(errors.kind) == 0


def test_at_a_score_threshold_the_object_of_a_lower_score_is_missed() -> None:
    truths, detections = [truth([BOX, FAR])], [found([BOX, FAR, EDGE], [0.9, 0.3, 0.2])]
    matches = match_detections(truths, detections, 1)
    errors = find_errors(truths, detections, matches, np.array([[0.5]]))
    assert errors.counts() == dict.fromkeys(KINDS, 0) | {"missed": 1}


def test_counts_and_gains_equal_those_of_the_authors_program() -> None:
    """Of tidecv 1.0.1 for these photos, in percent."""
    truths, detections = random_photos(0, ignored=0)
    scores = iter(np.random.default_rng(0).permutation(1000) / 1000)
    for one in detections:
        one.labels[:] = np.minimum(one.labels, 2)  # tidecv counts AP 0 for a class without a truth
        one.scores[:] = [next(scores) for _ in one.scores]
    matches = match_detections(truths, detections, 3)
    errors = find_errors(truths, detections, matches)
    assert list(errors.counts().values()) == [11, 20, 9, 16, 34, 36]
    gains = [100 * gain for gain in ap50_gains(truths, matches, errors).values()]
    expected = [
        2.7707562947,
        8.1428295643,
        0.9772754040,
        1.7549460367,
        8.4675155861,
        16.1735607028,
        26.7191607658,
        23.2517359273,
    ]
    assert gains == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_every_false_positive_has_one_kind(seed: int) -> None:
    truths, detections = random_photos(seed)
    matches = match_detections(truths, detections, 4)
    errors = find_errors(truths, detections, matches)
    wrong = sum(int((~m.hit[0, 0] & ~m.ignored[0, 0]).sum()) for m in matches)
    assert (errors.detection >= 0).sum() == wrong
    pairs = np.stack([errors.photo, errors.detection], axis=1)[errors.detection >= 0]
    assert len(np.unique(pairs, axis=0)) == wrong
    gains = ap50_gains(truths, matches, errors)
    assert min(gains.values()) > -0.01  # 101 recalls: fewer expected objects may lie between two
    assert gains["false_positives"] >= gains["background"] > 0


def test_without_false_positives_ap50_is_the_recall() -> None:
    truths, detections = random_photos(3, ignored=0)
    rng = np.random.default_rng(0)
    for one in detections:
        one.scores[:] = rng.random(len(one.scores))  # without ties
    matches = match_detections(truths, detections, 4)
    gains = ap50_gains(truths, matches, find_errors(truths, detections, matches))
    ones = np.ones((1, len(truths)), np.int64)
    ap50 = np.mean([average_precision(one, ones)[0, 0, 0] for one in matches[:3]])
    recall = [one.hit[0, 0].sum() / one.positives[0].sum() for one in matches[:3]]
    covered = [np.mean(np.linspace(0, 1, 101) <= share) for share in recall]
    assert gains["false_positives"] + ap50 == pytest.approx(np.mean(covered))


def test_without_a_true_box_gains_are_undefined() -> None:
    errors, gains = errors_of(truth([]), found([BOX], [0.9]))
    assert errors.counts()["background"] == 1
    assert all(map(math.isnan, gains.values()))
