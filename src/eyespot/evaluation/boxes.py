"""Boxes of photos, their intersection over union (IoU), and COCO's matching.

A box is (xmin, ymin, xmax, ymax) in pixels. A class is its number, 0 to K - 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eyespot.arrays import F32, F64, I64, Bools
from eyespot.errors import UsageError
from eyespot.shown import counted

MOST_DETECTIONS = 100
"""Detections of a class and a photo that are evaluated, as in COCO."""


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """The annotated boxes of one photo: float32 [n, 4], int64 [n], bool [n].

    A detection on an `ignored` box (COCO's crowds, VOC's difficult objects) counts neither as a
    true nor as a false positive, and a missed one is no false negative.
    """

    boxes: F32
    labels: I64
    ignored: Bools


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """The detections of one photo, in any order: float32 [m, 4], int64 [m], float32 [m].

    Scores are 0..1 where `calibrate` reads them; elsewhere only their order counts.
    """

    boxes: F32
    labels: I64
    scores: F32


def areas(boxes: F32) -> F64:
    """Areas of boxes [n, 4] in square pixels [n]; 0 for a reversed box."""
    sides = np.maximum(boxes[:, 2:].astype(np.float64) - boxes[:, :2], 0)
    return np.asarray(sides[:, 0] * sides[:, 1])


def iou(a: F32, b: F32, crowd: Bools | None = None) -> F64:
    """Intersection over union of boxes `a` [n, 4] with boxes `b` [m, 4]: float64 [n, m], 0..1.

    Where `crowd` [m], the intersection is divided by the area of `a` alone, as in pycocotools: a
    detection of one animal lies within the box of the herd.
    """
    a64, b64 = a.astype(np.float64), b.astype(np.float64)
    low = np.maximum(a64[:, None, :2], b64[None, :, :2])
    sides = np.maximum(np.minimum(a64[:, None, 2:], b64[None, :, 2:]) - low, 0)
    shared = sides[..., 0] * sides[..., 1]
    whole = areas(a)[:, None]
    union = whole + areas(b) - shared
    if crowd is not None:
        union = np.where(crowd, whole, union)
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=union > 0))


def match(overlaps: F64, thresholds: F64, ignored: Bools, crowd: Bools) -> I64:
    """Match the detections of one photo and class with its true boxes, greedily by score.

    `overlaps`: [m, n] IoU of m detections, the highest score first, with n true boxes.
    `thresholds`: [S] least IoU. `ignored`: [S, n]. `crowd`: [n], boxes that several detections may
    match; they are ignored, too.

    Each detection takes the free true box with the highest IoU, an ignored one only where no other
    reaches the threshold. Returns int64 [S, m], the true box of each detection, -1 without one;
    equal to pycocotools' `evaluateImg`, among equal IoUs also in its preference of the last.
    """
    settings, (m, n) = len(thresholds), overlaps.shape
    matched = np.full((settings, m), -1)
    if not n:
        return matched
    least = np.minimum(thresholds, 1 - 1e-10)[:, None]
    free = np.ones((settings, n), bool)
    rows = np.arange(settings)
    near = overlaps >= least.min()
    alone = near & (near.sum(axis=1, keepdims=True) == 1) & (near.sum(axis=0) == 1)
    lonely, box = np.nonzero(alone)  # pairs without a rival need no loop
    matched[:, lonely] = np.where(overlaps[lonely, box] >= least, box, -1)
    for detection in np.flatnonzero(near.any(axis=1) & ~alone.any(axis=1)):
        row = overlaps[detection]
        # An IoU above 1/2 minus 1 is exact and at most 0: below every box that is not ignored.
        rank = np.where(free & (row >= least), row - ignored, -2.0)
        best = n - 1 - rank[:, ::-1].argmax(axis=1)
        found = rank[rows, best] > -2.0
        matched[found, detection] = best[found]
        free[rows[found], best[found]] = crowd[best[found]]
    return matched


def check_boxes(truths: Sequence[Truth], detections: Sequence[Detections], classes: int) -> None:
    """Raise UsageError unless arrays, classes and numbers of photos fit together.

    A box or score that is NaN or infinite is an error, not a miss: a network that returns it has
    diverged. A reversed box is valid, has no area, and matches nothing.
    """
    if len(truths) != len(detections):
        raise UsageError(
            f"Expected detections for {counted(len(truths))}, found them for "
            f"{len(detections):,}. Pass one Detections per photo, empty where nothing was found."
        )
    for number, (truth, found) in enumerate(zip(truths, detections, strict=True)):
        _check(f"true boxes of photo {number}", truth.boxes, truth.labels, truth.ignored, classes)
        _check(f"detections of photo {number}", found.boxes, found.labels, found.scores, classes)


def _check(what: str, boxes: F32, labels: I64, third: F32 | Bools, classes: int) -> None:
    count = len(labels)
    if boxes.shape != (count, 4) or third.shape != (count,):
        raise UsageError(
            f"The {what} have shape {list(boxes.shape)} with {counted(count, 'label')} and "
            f"{third.size:,} scores or flags. Expected [n, 4] and n of each."
        )
    if not (np.isfinite(boxes).all() and np.isfinite(third).all()):
        raise UsageError(
            f"The {what} contain NaN or Inf. Leave these boxes out, or train the detector again."
        )
    if count and not 0 <= labels.min() <= labels.max() < classes:
        raise UsageError(
            f"The {what} have labels from {labels.min()} to {labels.max()}. "
            f"Expected 0 to {classes - 1}, as there are {counted(classes, 'class', 'classes')}."
        )
