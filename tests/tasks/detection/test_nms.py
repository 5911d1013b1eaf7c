import numpy as np
import pytest

from eyespot.arrays import F32, I64
from eyespot.tasks.detection.nms import nms


def overlap_of(a: F32, b: F32) -> float:
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
    shared = float(np.prod((high - low).clip(min=0)))
    union = float(np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2])) - shared
    return shared / union if union else 0.0


def slow(boxes: F32, scores: F32, labels: I64, overlap: float) -> list[int]:
    kept: list[int] = []
    for index in sorted(range(len(boxes)), key=lambda index: -scores[index]):
        if all(
            labels[index] != labels[other] or overlap_of(boxes[index], boxes[other]) <= overlap
            for other in kept
        ):
            kept.append(index)
    return kept


@pytest.mark.parametrize("overlap", [0.1, 0.3, 0.5])
@pytest.mark.parametrize("classes", [1, 4])
def test_the_same_as_the_loops(overlap: float, classes: int) -> None:
    rng = np.random.default_rng(0)
    low = rng.uniform(0, 60, (150, 2))
    boxes = np.hstack([low, low + rng.uniform(5, 40, (150, 2))]).astype(np.float32)
    scores = rng.integers(0, 20, 150).astype(np.float32)  # with ties
    labels = rng.integers(0, classes, 150) * 1000 - 5
    expected = slow(boxes, scores, labels, overlap)
    assert 10 < len(expected) < 150
    assert nms(boxes, scores, labels, overlap=overlap).tolist() == expected
    if classes == 1:
        assert nms(boxes, scores, overlap=overlap).tolist() == expected


def test_no_boxes() -> None:
    none, labels = np.zeros((0, 4), np.float32), np.zeros(0, np.int64)
    for kept in (nms(none, none[:, 0]), nms(none, none[:, 0], labels)):
        assert kept.dtype == np.int64
        assert kept.tolist() == []


def test_of_equal_boxes_with_equal_scores_the_first_is_kept() -> None:
    boxes = np.array([[0, 0, 10, 10]] * 3, np.float32)
    assert nms(boxes, np.ones(3, np.float32)).tolist() == [0]
    assert nms(boxes, np.ones(3, np.float32), np.array([1, 2, 1])).tolist() == [0, 1]


def test_boxes_without_area_stay_and_suppress_nothing() -> None:
    boxes = np.array([[5, 5, 5, 5], [5, 5, 5, 5], [0, 0, 10, 10]], np.float32)
    assert nms(boxes, np.array([3, 2, 1], np.float32)).tolist() == [0, 1, 2]
