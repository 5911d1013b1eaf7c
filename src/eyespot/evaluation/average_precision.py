"""Average precision (AP) of the detections of one class, also of resampled photos.

COCO's AP is the mean, over 101 recalls from 0 to 1, of the highest precision at that recall or a
higher one (Lin et al., ECCV 2014; pycocotools' `accumulate`). VOC 2007 takes 11 recalls (Everingham
et al., "The PASCAL Visual Object Classes (VOC) Challenge", IJCV 2010, section 4.2).
"""

from dataclasses import dataclass

import numpy as np

from eyespot.arrays import F64, I32, I64, Bools, Integers
from eyespot.evaluation.detection_matches import ClassMatches

COCO_POINTS = 101
VOC_POINTS = 11
AT_ONCE = 300_000
"""Resamples × detections that are computed together: more no longer fit into the CPU's cache."""


@dataclass(frozen=True, slots=True, eq=False)
class PrecisionRecall:
    """The interpolated precision-recall curve of a class at IoU 0.5, as COCO defines it.

    `recall`, `precision`, `scores`: float64 [101]. At a recall that is not reached, the precision
    is 0 and the score NaN. Elsewhere the detections with this score or a higher one reach the
    recall.
    """

    recall: F64
    precision: F64
    scores: F64


def average_precision(matches: ClassMatches, weights: Integers, points: int = COCO_POINTS) -> F64:
    """AP of each size and IoU threshold for B weightings of the photos: float64 [B, A, T].

    `weights`: [B, P], how often each photo counts: ones for the photos themselves, or a resample.
    The order of the detections is the same in each resample, so that only sums are new. NaN where
    a class has no true box.
    """
    weights = weights.astype(np.int32, copy=False)
    found = np.empty((len(weights), *matches.hit.shape[:2]))
    hits = np.flatnonzero(matches.hit.any(axis=(0, 1)))
    end = int(hits[-1]) + 1 if len(hits) else 0  # false positives after the last hit change nothing
    positives = weights @ matches.positives.T
    step = max(AT_ONCE // max(end, 1), 1)
    for start in range(0, len(weights), step):
        rows = slice(start, start + step)
        drawn = np.take(weights[rows], matches.photo[:end], axis=1)
        for size in range(len(matches.hit)):
            found[rows, size] = _of_size(
                matches.hit[size],
                ~matches.ignored[size, :, :end],
                drawn,
                positives[rows, size],
                points,
            )
    return found


def _of_size(hit: Bools, counted: Bools, drawn: I32, positives: Integers, points: int) -> F64:
    """AP of one size at each IoU threshold, float64 [B, T], of weights `drawn` [B, D]."""
    found = np.empty((len(drawn), len(hit)))
    usual = np.flatnonzero(counted[0])
    sums = _running(drawn[:, usual])
    for threshold in range(len(hit)):
        at = np.flatnonzero(hit[threshold])
        seen = sums[:, np.searchsorted(usual, at, "right")]
        # Few detections count at one IoU threshold but not at another.
        other = np.flatnonzero(counted[threshold] != counted[0])
        if len(other):
            signed = drawn[:, other] * np.where(counted[threshold, other], 1, -1).astype(np.int32)
            seen = seen + _running(signed)[:, np.searchsorted(other, at, "right")]
        precision, _ = _interpolated(drawn[:, at], seen, positives, points)
        found[:, threshold] = precision.mean(axis=1)
    return found


def _running(drawn: I32) -> I32:
    """Sums of the first 0, 1, ... n columns: int32 [B, n + 1]."""
    sums = np.zeros((drawn.shape[0], drawn.shape[1] + 1), np.int32)
    np.cumsum(drawn, axis=1, out=sums[:, 1:])
    return sums


def precision_recall(matches: ClassMatches) -> PrecisionRecall:
    """The curve at the first size and IoU threshold (all sizes, 0.5); NaN without a true box."""
    counted = ~matches.ignored[0, 0]
    precision, place = _curve(matches.hit[0, 0, counted], int(matches.positives[0].sum()))
    scores = np.append(matches.scores[matches.hit[0, 0]], np.nan)[place]
    scores[:1] = matches.scores[:1] if len(matches.scores) else np.nan  # any one reaches recall 0
    return PrecisionRecall(np.linspace(0, 1, COCO_POINTS), precision, scores)


def ap_of_ranking(hit: Bools, positives: int) -> float:
    """AP of detections, the highest score first: whether each is a true positive [D], and the
    number of true boxes."""
    return float(_curve(hit, positives)[0].mean())


def _curve(hit: Bools, positives: int) -> tuple[F64, I64]:
    """Interpolated precisions of a ranking [101], and the places of the hits that reach them."""
    seen = (np.flatnonzero(hit) + 1)[None]
    precision, place = _interpolated(
        np.ones(seen.shape, np.int32), seen, np.array([positives]), COCO_POINTS
    )
    return precision[0], place[0]


def _interpolated(hits: I32, seen: Integers, positives: Integers, points: int) -> tuple[F64, I64]:
    """Precision at `points` recalls: float64 [B, points], NaN without positives; and the places of
    the hits that reach them, int64 [B, points], -1 where none does.

    `hits`: [B, H], how often each hit counts; `seen`: [B, H], true and false positives up to it.
    `positives`: [B]. Between hits precision only falls, so that the hits are enough.
    """
    recalls = np.linspace(0, 1, points)
    rows, width = hits.shape
    if not width:
        precision = np.where(positives[:, None] > 0, np.zeros((rows, points)), np.nan)
        return precision, np.full((rows, points), -1)
    # The sums of all rows are one sorted array, so that one search finds the places in all rows.
    running = np.cumsum(hits, dtype=np.int32)
    before = running[::width] - hits[:, 0]
    true = running.reshape(rows, width) - before[:, None]
    precision = true / np.maximum(seen, 1)
    envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    needed = _hits_for(recalls, positives)
    place = np.searchsorted(running, before[:, None] + needed)
    reached = needed <= true[:, -1:]
    best = envelope.ravel()[np.minimum(place, rows * width - 1)]
    best = np.where(positives[:, None] > 0, np.where(reached, best, 0), np.nan)
    return best, np.where(reached, place - width * np.arange(rows)[:, None], -1)


def _hits_for(recalls: F64, positives: Integers) -> I32:
    """The least number of hits (1 or more) whose share of `positives` [B] is at least each recall:
    int32 [B, R]. The share is compared as pycocotools computes it, rounding included."""
    count = np.maximum(positives, 1)[:, None]
    needed = np.ceil(recalls * count)
    needed += needed / count < recalls
    needed -= (needed - 1) / count >= recalls
    return np.asarray(np.maximum(needed, 1), np.int32)
