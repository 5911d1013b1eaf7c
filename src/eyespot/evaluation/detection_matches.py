"""Detections of all photos matched with their true boxes, once for all metrics.

Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014, and the evaluation at
cocodataset.org: ten IoU thresholds, and objects by their area.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eyespot.arrays import F64, I64, Bools
from eyespot.evaluation.boxes import MOST_DETECTIONS, Detections, Truth, areas, iou, match

THRESHOLDS = np.linspace(0.5, 0.95, 10)
SIZES = {
    "all": (0.0, math.inf),
    "small": (0.0, 32.0**2),
    "medium": (32.0**2, 96.0**2),
    "large": (96.0**2, math.inf),
}
"""Least and greatest area in square pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class ClassMatches:
    """The D detections of one class in P photos, the highest score first, for A sizes and T IoU
    thresholds.

    `photo`, `index`: int64 [D], the photo, and the place in its Detections. `scores`: float64 [D].
    `truth`: int64 [D], the true box in the photo's Truth that is matched at the first size and
    threshold, or -1. `hit`: bool [A, T, D], true positives. `ignored`: bool [A, T, D], neither true
    nor false positives. `positives`: int64 [A, P], true boxes that count.
    """

    photo: I64
    index: I64
    scores: F64
    truth: I64
    hit: Bools
    ignored: Bools
    positives: I64


def match_detections(
    truths: Sequence[Truth],
    detections: Sequence[Detections],
    classes: int,
    thresholds: F64 = THRESHOLDS,
    most: int = MOST_DETECTIONS,
) -> tuple[ClassMatches, ...]:
    """Matches of each class. Only the `most` best detections of a class and photo count."""
    shape = (len(SIZES), len(thresholds))
    parts: list[list[ClassMatches]] = [[_nothing(*shape, len(truths))] for _ in range(classes)]
    for photo, (truth, found) in enumerate(zip(truths, detections, strict=True)):
        for label in np.union1d(truth.labels, found.labels):
            mine = np.flatnonzero(found.labels == label)
            order = np.argsort(-found.scores[mine].astype(np.float64), kind="stable")
            part = _match_photo(photo, truth, found, int(label), mine[order][:most], thresholds)
            parts[label].append(part)
            parts[label][0].positives[:, photo] = part.positives[:, 0]
    return tuple(_joined(some) for some in parts)


def at_half(matches: ClassMatches) -> ClassMatches:
    """The matches of all sizes at the first IoU threshold, 0.5."""
    return replace(
        matches,
        hit=matches.hit[:1, :1],
        ignored=matches.ignored[:1, :1],
        positives=matches.positives[:1],
    )


def by_photo(
    matches: Sequence[ClassMatches], photos: int, thresholds: F64 | None = None
) -> list[I64]:
    """Of each photo its detections that count, with a score of at least `thresholds` [P, K], at
    the first size and IoU threshold: int64 [m, 2], the place, and the matched true box or -1."""
    parts = []
    for label, one in enumerate(matches):
        kept = ~one.ignored[0, 0]
        if thresholds is not None:
            kept &= one.scores >= thresholds[one.photo, label]
        parts.append(np.stack([one.photo, one.index, one.truth], axis=1)[kept])
    table = np.concatenate([np.zeros((0, 3), np.int64), *parts])
    table = table[np.argsort(table[:, 0], kind="stable")]
    ends = np.searchsorted(table[:, 0], np.arange(photos), "right")
    return np.split(table[:, 1:], ends[:-1]) if photos else []


def _match_photo(
    photo: int, truth: Truth, found: Detections, label: int, mine: I64, thresholds: F64
) -> ClassMatches:
    """Matches of the detections `mine` of one photo, of one class, sorted by score."""
    true = np.flatnonzero(truth.labels == label)
    crowd, boxes = truth.ignored[true], found.boxes[mine]
    ignored = _outside(areas(truth.boxes[true])) | crowd
    settings = len(SIZES), len(thresholds)
    matched = match(
        iou(boxes, truth.boxes[true], crowd),
        np.tile(thresholds, len(SIZES)),
        np.repeat(ignored, len(thresholds), axis=0),
        crowd,
    ).reshape(*settings, len(mine))
    # One more true box stands for none, whose number is -1.
    padded = np.concatenate([ignored, np.zeros((len(SIZES), 1), bool)], axis=1)
    on_ignored = padded[np.arange(len(SIZES))[:, None, None], matched]
    unmatched = matched < 0
    return ClassMatches(
        photo=np.full(len(mine), photo),
        index=mine,
        scores=found.scores[mine].astype(np.float64),
        truth=np.append(true, -1)[matched[0, 0]],
        hit=~unmatched & ~on_ignored,
        ignored=np.where(unmatched, _outside(areas(boxes))[:, None], on_ignored),
        positives=(~ignored).sum(axis=1, keepdims=True),
    )


def _outside(area: F64) -> Bools:
    """Whether each of n areas is outside each of the sizes: bool [A, n]."""
    low, high = np.array(list(SIZES.values())).T[:, :, None]
    return np.asarray((area < low) | (area > high))


def _nothing(sizes: int, thresholds: int, photos: int) -> ClassMatches:
    none, never = np.zeros(0, np.int64), np.zeros((sizes, thresholds, 0), bool)
    positives = np.zeros((sizes, photos), np.int64)
    return ClassMatches(none, none, np.zeros(0), none, never, never, positives)


def _joined(parts: Sequence[ClassMatches]) -> ClassMatches:
    """The parts of all photos, sorted by score; the first has the numbers of positives."""
    scores = np.concatenate([part.scores for part in parts])
    order = np.argsort(-scores, kind="stable")

    def together(arrays: Iterable[NDArray[Any]]) -> NDArray[Any]:
        return np.concatenate(list(arrays), axis=-1)[..., order]

    return ClassMatches(
        photo=together(part.photo for part in parts),
        index=together(part.index for part in parts),
        scores=scores[order],
        truth=together(part.truth for part in parts),
        hit=together(part.hit for part in parts),
        ignored=together(part.ignored for part in parts),
        positives=parts[0].positives,
    )
