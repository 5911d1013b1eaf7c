"""IoU, the greedy matching, and arrays that do not fit together."""

import numpy as np
import pytest

from eyespot.errors import UsageError
from eyespot.evaluation.boxes import Detections, Truth, check_boxes, iou, match
from tests.evaluation.boxes_for_tests import found, truth

HALF = np.array([0.5])


def overlaps(rows: list[list[float]]) -> np.ndarray:
    return np.array(rows, np.float64)


def matched(rows: list[list[float]], ignored: list[bool], crowd: list[bool]) -> list[int]:
    result = match(overlaps(rows), HALF, np.array([ignored]), np.array(crowd))
    return result[0].tolist()  # type: ignore[no-any-return]


def test_iou_of_boxes() -> None:
    boxes = truth([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]]).boxes
    assert iou(boxes, boxes) == pytest.approx(
        np.array([[1, 1 / 3, 0], [1 / 3, 1, 0], [0, 0, 1]]), abs=1e-12
    )


def test_iou_with_a_crowd_is_the_share_of_the_detection() -> None:
    boxes = truth([[0, 0, 10, 10], [0, 0, 100, 100]]).boxes
    assert iou(boxes[:1], boxes, np.array([False, True])).tolist() == [[1, 1]]
    assert iou(boxes[:1], boxes)[0, 1] == pytest.approx(0.01)


def test_iou_of_a_reversed_or_empty_box_is_0() -> None:
    boxes = truth([[10, 10, 0, 0], [5, 5, 5, 5], [0, 0, 10, 10]]).boxes
    assert iou(boxes[:2], boxes).tolist() == [[0, 0, 0], [0, 0, 0]]
    assert iou(boxes[:0], boxes).shape == (0, 3)


def test_a_true_box_is_matched_once_by_the_highest_score() -> None:
    assert matched([[0.6], [0.9]], [False], [False]) == [0, -1]


def test_a_detection_takes_the_free_box_that_it_overlaps_most() -> None:
    assert matched([[0.6, 0.8], [0.7, 0.9]], [False] * 2, [False] * 2) == [1, 0]


def test_an_ignored_box_is_matched_only_without_another() -> None:
    assert matched([[0.6, 0.9]], [False, True], [False, True]) == [0]
    assert matched([[0.4, 0.9]], [False, True], [False, True]) == [1]


def test_many_detections_match_a_crowd_but_one_an_ignored_object() -> None:
    assert matched([[0.9], [0.9], [0.9]], [True], [True]) == [0, 0, 0]
    assert matched([[0.9], [0.9], [0.9]], [True], [False]) == [0, -1, -1]


def test_each_threshold_matches_for_itself() -> None:
    rows = overlaps([[0.6, 0.55], [0.9, 0.1]])
    thresholds, none = np.array([0.5, 0.7]), np.zeros((2, 2), bool)
    assert match(rows, thresholds, none, none[0]).tolist() == [[0, -1], [-1, 0]]


NAN = float("nan")
BAD: list[tuple[Truth, Detections, str]] = [
    (truth([[0, 0, NAN, 1]]), found([], []), "true boxes of photo 0 contain NaN"),
    (truth([]), found([[0, 0, 1, float("inf")]], [0.5]), "detections of photo 0 contain NaN"),
    (truth([]), found([[0, 0, 1, 1]], [NAN]), "detections of photo 0 contain NaN"),
    (truth([[0, 0, 1, 1]], [3]), found([], []), "labels from 3 to 3. Expected 0 to 2"),
    (truth([]), found([[0, 0, 1, 1]], [0.5], [-1]), "labels from -1 to -1"),
    (truth([]), found([[0, 0, 1, 1]], [0.5, 0.4]), "Expected \\[n, 4\\]"),
]


@pytest.mark.parametrize(("true", "detected", "message"), BAD)
def test_arrays_that_do_not_fit_are_an_error(
    true: Truth, detected: Detections, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        check_boxes([true], [detected], 3)


def test_each_photo_needs_its_detections() -> None:
    with pytest.raises(UsageError, match="detections for 2 photos, found them for 1"):
        check_boxes([truth([])] * 2, [found([], [])], 3)
