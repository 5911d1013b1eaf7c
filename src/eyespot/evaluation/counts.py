"""Objects counted per photo, and precision, recall and F1, at a score threshold."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eyespot.arrays import F64, I64, Integers
from eyespot.evaluation.bootstrap import UNDEFINED, interval, share_interval
from eyespot.evaluation.detection_matches import ClassMatches
from eyespot.evaluation.metrics import Interval


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """Boxes of a class, or of several, per photo: int64 [P] each. Ignored boxes and detections on
    them are left out."""

    true_positives: I64
    predicted: I64
    actual: I64


@dataclass(frozen=True, slots=True)
class AtThreshold:
    """Metrics of the detections at or above the score threshold, IoU 0.5, each with its 95% CI.

    `count_mae`: mean over photos of |predicted - actual count|, in objects a photo.
    `count_bias`: mean of predicted - actual. `count_mean`: mean actual count. NaN where undefined.
    """

    precision: float
    precision_interval: Interval
    recall: float
    recall_interval: Interval
    f1: float
    f1_interval: Interval
    count_mae: float
    count_mae_interval: Interval
    count_bias: float
    count_bias_interval: Interval
    count_mean: float


def tally(matches: ClassMatches, thresholds: F64) -> Tally:
    """Boxes per photo at score `thresholds`, float64 [P]."""
    kept = ~matches.ignored[0, 0] & (matches.scores >= thresholds[matches.photo])
    photos = matches.positives.shape[1]
    return Tally(
        true_positives=np.bincount(matches.photo[kept & matches.hit[0, 0]], minlength=photos),
        predicted=np.bincount(matches.photo[kept], minlength=photos),
        actual=matches.positives[0],
    )


def total(tallies: Sequence[Tally], photos: int) -> Tally:
    """The boxes of all classes together."""
    none = np.zeros(photos, np.int64)
    return Tally(
        true_positives=sum((one.true_positives for one in tallies), none),
        predicted=sum((one.predicted for one in tallies), none),
        actual=sum((one.actual for one in tallies), none),
    )


def at_threshold(boxes: Tally, drawn: Integers, groups: I64) -> AtThreshold:
    """Metrics of a tally. `drawn`: [B, P] as `resample` returns. `groups`: int64 [P]."""
    values = _metrics(boxes, np.ones((1, len(groups)), np.int64))[:, 0].tolist()
    resampled = _metrics(boxes, drawn)
    predicted, actual = boxes.predicted > 0, boxes.actual > 0
    shares = [
        share_interval(resampled[row], values[row], len(np.unique(groups[with_boxes])))
        for row, with_boxes in enumerate((predicted, actual, predicted | actual))
    ]
    known = len(np.unique(groups)) >= 2
    error, bias = (interval(some) if known else UNDEFINED for some in resampled[3:5])
    return AtThreshold(
        precision=values[0],
        precision_interval=shares[0],
        recall=values[1],
        recall_interval=shares[1],
        f1=values[2],
        f1_interval=shares[2],
        count_mae=values[3],
        count_mae_interval=error,
        count_bias=values[4],
        count_bias_interval=bias,
        count_mean=values[5],
    )


def _metrics(boxes: Tally, weights: Integers) -> F64:
    """The six metrics of B weightings [B, P] of the photos: float64 [6, B]; NaN for 0 / 0."""
    weights = weights.astype(np.float64)
    hits = weights @ boxes.true_positives
    predicted, actual = weights @ boxes.predicted, weights @ boxes.actual
    photos = weights.sum(axis=1)
    difference = boxes.predicted - boxes.actual
    with np.errstate(invalid="ignore"):
        return np.stack(
            [
                hits / predicted,
                hits / actual,
                2 * hits / (predicted + actual),
                weights @ np.abs(difference) / photos,
                weights @ difference / photos,
                actual / photos,
            ]
        )
