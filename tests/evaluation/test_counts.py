"""Score thresholds, and counts, precision, recall and F1 at them."""

import math

import numpy as np
import pytest

from eyespot.evaluation.bootstrap import resample
from eyespot.evaluation.boxes import Detections, Truth
from eyespot.evaluation.counts import at_threshold, tally, total
from eyespot.evaluation.detection_matches import match_detections
from eyespot.evaluation.score_thresholds import (
    FALLBACK,
    held_out_thresholds,
    select_threshold,
    select_thresholds,
)
from tests.evaluation.boxes_for_tests import found, random_photos, truth

BOX, OTHER, FAR, FARTHER = [0, 0, 10, 10], [20, 20, 30, 30], [50, 50, 60, 60], [80, 80, 90, 90]
TRUTHS = [truth([BOX, OTHER]), truth([BOX])]
DETECTIONS = [
    found([BOX, OTHER, FAR], [0.9, 0.6, 0.2]),
    found([BOX, FAR, FARTHER], [0.8, 0.3, 0.1]),
]


def test_the_threshold_has_the_highest_f1() -> None:
    (matches,) = match_detections(TRUTHS, DETECTIONS, 1)
    assert select_threshold(matches) == pytest.approx(0.45)  # between 0.6, correct, and 0.3, not
    only_first = np.array([True, False])
    assert select_threshold(matches, only_first) == pytest.approx(0.4)


@pytest.mark.parametrize("seed", range(5))
def test_no_other_threshold_has_a_higher_f1(seed: int) -> None:
    truths, detections = random_photos(seed)
    for matches in match_detections(truths, detections, 4)[:3]:
        everything = np.ones((1, len(truths)), np.int64)

        def f1(threshold: float) -> float:
            boxes = tally(matches, np.full(len(truths), threshold))  # noqa: B023
            return at_threshold(boxes, everything, np.arange(len(truths))).f1  # noqa: B023

        selected = f1(select_threshold(matches))
        assert selected == pytest.approx(max(f1(at) for at in np.arange(0, 1, 0.025)), abs=1e-12)


def test_a_class_that_was_never_found_has_the_usual_threshold() -> None:
    matches = match_detections([truth([BOX], [1])], [found([FAR, FAR], [0.9, 0.8], [0, 1])], 3)
    assert select_thresholds(matches).tolist() == [FALLBACK] * 3


def test_the_thresholds_of_a_photo_are_selected_on_others() -> None:
    truths, detections = [truth([BOX])] * 10, [found([BOX, FAR], [0.9, 0.1])] * 10
    detections[3] = found([FAR, BOX], [0.9, 0.8])
    matches = match_detections(truths, detections, 1)
    groups = np.arange(10)
    before = held_out_thresholds(matches, groups)[3]
    detections[3] = found([BOX, FAR], [0.2, 0.19])
    after = held_out_thresholds(match_detections(truths, detections, 1), groups)
    assert before == after[3] == pytest.approx(0.5)
    assert len(np.unique(after)) > 1  # of photos whose threshold was selected with photo 3


def test_one_photo_selects_its_own_threshold() -> None:
    matches = match_detections(TRUTHS[:1], DETECTIONS[:1], 1)
    assert held_out_thresholds(matches, np.zeros(1, np.int64)) == pytest.approx(0.4)


def test_counts_and_shares_by_hand() -> None:
    (matches,) = match_detections(TRUTHS, DETECTIONS, 1)
    boxes = tally(matches, np.array([0.7, 0.05]))
    assert boxes.true_positives.tolist() == [1, 1]
    assert boxes.predicted.tolist() == [1, 3]
    assert boxes.actual.tolist() == [2, 1]
    score = at_threshold(boxes, resample(np.arange(2), 200), np.arange(2))
    assert (score.precision, score.recall) == (2 / 4, 2 / 3)
    assert score.f1 == pytest.approx(2 * 2 / 7)
    assert (score.count_mae, score.count_bias, score.count_mean) == (1.5, 0.5, 1.5)
    assert score.count_mae_interval == (1, 2)
    assert score.count_bias_interval == (-1, 2)


def test_ignored_boxes_are_not_counted() -> None:
    truths = [truth([BOX, OTHER], ignored=[True, False])]
    (matches,) = match_detections(truths, [found([BOX, OTHER], [0.9, 0.9])], 1)
    boxes = tally(matches, np.zeros(1))
    assert (boxes.predicted.tolist(), boxes.actual.tolist()) == ([1], [1])


def test_all_classes_together() -> None:
    truths: list[Truth] = [truth([BOX, OTHER], [0, 1])]
    detections: list[Detections] = [found([BOX, FAR], [0.9, 0.9], [0, 1])]
    tallies = [tally(one, np.zeros(1)) for one in match_detections(truths, detections, 2)]
    both = total(tallies, 1)
    assert [both.true_positives[0], both.predicted[0], both.actual[0]] == [1, 2, 2]
    assert total([], 3).actual.tolist() == [0, 0, 0]


def test_without_boxes_shares_are_undefined_and_the_count_is_exact() -> None:
    (matches,) = match_detections([truth([])] * 3, [found([], [])] * 3, 1)
    boxes, groups = tally(matches, np.zeros(3)), np.arange(3)
    score = at_threshold(boxes, resample(groups, 20), groups)
    undefined = [score.precision, score.recall, score.f1, *score.recall_interval]
    assert all(map(math.isnan, undefined))
    assert (score.count_mae, score.count_mae_interval) == (0, (0, 0))


def test_of_one_photo_counts_have_no_interval() -> None:
    (matches,) = match_detections(TRUTHS[:1], DETECTIONS[:1], 1)
    score = at_threshold(
        tally(matches, np.zeros(1)), resample(np.zeros(1, np.int64), 20), np.zeros(1, np.int64)
    )
    assert score.count_mae == 1
    assert all(map(math.isnan, score.count_mae_interval + score.recall_interval))
