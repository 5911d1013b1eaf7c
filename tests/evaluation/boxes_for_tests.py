"""Boxes and detections for tests of detection metrics."""

from collections.abc import Sequence

import numpy as np

from eyespot.evaluation.boxes import Detections, Truth

Row = Sequence[float]


def truth(boxes: Sequence[Row], labels: Sequence[int] = (), ignored: Sequence[bool] = ()) -> Truth:
    """One photo; of class 0 and not ignored where not said."""
    count = len(boxes)
    return Truth(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(labels or [0] * count, np.int64),
        np.array(ignored or [False] * count, bool),
    )


def found(boxes: Sequence[Row], scores: Sequence[float], labels: Sequence[int] = ()) -> Detections:
    return Detections(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(labels or [0] * len(boxes), np.int64),
        np.array(scores, np.float32),
    )


def random_photos(
    seed: int, photos: int = 30, classes: int = 4, ignored: float = 0.15
) -> tuple[list[Truth], list[Detections]]:
    """Photos with ties, duplicates, wrong classes and ignored boxes, some without a true box or
    without a detection. The last class has no true box. Boxes are of all three sizes of COCO."""
    rng = np.random.default_rng(seed)

    def boxes(count: int) -> np.ndarray:
        low = rng.integers(0, 200, (count, 2))
        return np.hstack([low, low + rng.integers(4, 140, (count, 2))])

    truths, detections = [], []
    for _ in range(photos):
        true, labels = boxes(int(rng.integers(0, 8))), np.zeros(0, np.int64)
        labels = rng.integers(0, classes - 1, len(true))
        count = rng.integers(0, 2 * len(true) + 1)
        source = rng.integers(0, max(len(true), 1), count)
        moved = true[source] + rng.integers(-9, 10, (count, 4))
        moved[:, 2:] = np.maximum(moved[:, 2:], moved[:, :2] + 1)
        invented = boxes(int(rng.integers(0, 4)))
        guessed = rng.integers(0, classes, count + len(invented))
        guessed[:count] = np.where(rng.random(count) < 0.8, labels[source], guessed[:count])
        scores = rng.integers(1, 20, len(guessed)) / 20
        truths.append(Truth(true.astype(np.float32), labels, rng.random(len(true)) < ignored))
        every = np.vstack([moved, invented]).astype(np.float32)
        detections.append(Detections(every, guessed, scores.astype(np.float32)))
    return truths, detections
