"""95% CIs of detection metrics by bootstrap over photos.

Boxes of one photo are not independent, so whole photos are drawn with replacement, and whole groups
of near-duplicates (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, section 13.3:
percentiles of the resampled metric).
"""

import numpy as np

from eyespot.arrays import F64, I32, I64
from eyespot.evaluation.intervals import wilson_interval

RESAMPLES = 500
CONFIDENCE = 0.95
UNDEFINED = (float("nan"), float("nan"))


def resample(groups: I64, resamples: int = RESAMPLES, seed: int = 0) -> I32:
    """How often each photo is drawn: int32 [resamples, P]. `groups`: int64 [P], equal for photos
    that are drawn together."""
    _, which = np.unique(groups, return_inverse=True)
    count = int(which.max()) + 1 if len(which) else 0
    rng = np.random.default_rng(seed)
    drawn = np.empty((resamples, len(which)), np.int32)
    for row in drawn:
        row[:] = np.bincount(rng.integers(count, size=count), minlength=count)[which]
    return drawn


def interval(values: F64) -> tuple[float, float]:
    """The middle 95% of resampled values [B]; NaN are left out; (NaN, NaN) if all are."""
    known = values[~np.isnan(values)]
    if not len(known):
        return UNDEFINED
    low, high = np.quantile(known, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def share_interval(values: F64, share: float, count: int) -> tuple[float, float]:
    """As `interval`, for a metric `share` of 0..1 that `count` independent photos measure.

    (NaN, NaN) for fewer than two: one photo has no spread. Where all resamples are equal, as for
    a detector without an error, Wilson's interval of `count` photos: a handful of photos without
    an error does not prove that there are none. The interval holds the measured value.
    """
    if count < 2 or np.isnan(share):
        return UNDEFINED
    low, high = interval(values)
    if high - low < 1e-9:
        return wilson_interval(share * count, count, CONFIDENCE)
    return min(low, share), max(high, share)
