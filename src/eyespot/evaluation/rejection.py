"""OOD scores: the threshold for rejecting a photo as unknown, its effect, and outliers."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from eyespot.arrays import F32, Bools, Floats
from eyespot.evaluation.intervals import wilson_interval
from eyespot.heads.ood import HIGHEST

KEPT = 0.95
"""Share of the correctly classified photos that must be accepted."""
REACH = 1.5
"""Interquartile ranges above the upper quartile, beyond which a photo is an outlier."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A photo with an OOD score above `ood_threshold` is rejected as unknown.

    `known_rejected`: share of photos of the known classes that are rejected, with its 95% CI.
    `accuracy_accepted`: accuracy on the accepted photos. `unknown_rejected`: share of photos of
    unknown classes that are rejected, measured by hiding one class after the other; None with two
    classes, where the one that remains is not a classification.
    """

    ood_threshold: float
    known_rejected: float
    known_rejected_interval: tuple[float, float]
    accuracy_accepted: float
    unknown_rejected: float | None = None
    unknown_rejected_interval: tuple[float, float] | None = None

    def to_dict(self) -> dict[str, Any]:
        return {
            "ood_threshold": self.ood_threshold,
            "known_rejected": self.known_rejected,
            "accuracy_accepted": self.accuracy_accepted,
            "unknown_rejected": self.unknown_rejected,
        }


def fit_rejection(ood_scores: F32, correct: Bools, hidden: F32 | None = None) -> Rejection:
    """Set the threshold from held-out photos.

    `ood_scores`: float [n] out of fold; NaN for photos that were not held out. `correct`: bool
    [n], whether the photo is classified correctly. `hidden`: float [m], OOD scores of photos whose
    class was hidden.
    """
    held_out = ~np.isnan(ood_scores)
    scores = ood_scores[held_out & correct] if correct[held_out].any() else ood_scores[held_out]
    threshold = float(np.quantile(scores, KEPT)) if len(scores) else HIGHEST
    return measure_rejection(threshold, ood_scores, correct, hidden)


def measure_rejection(
    ood_threshold: float, ood_scores: F32, correct: Bools, hidden: F32 | None = None
) -> Rejection:
    """The effect of a threshold; arrays as in `fit_rejection`."""
    held_out = ~np.isnan(ood_scores)
    rejected = ood_scores[held_out] > ood_threshold
    accepted, count = correct[held_out][~rejected], int(held_out.sum())
    unknown, interval = None, None
    if hidden is not None and len(hidden):
        caught = int((hidden > ood_threshold).sum())
        unknown, interval = caught / len(hidden), wilson_interval(caught, len(hidden))
    return Rejection(
        ood_threshold=ood_threshold,
        known_rejected=float(rejected.mean()) if count else 0.0,
        known_rejected_interval=wilson_interval(float(rejected.sum()), count),
        accuracy_accepted=float(accepted.mean()) if len(accepted) else 0.0,
        unknown_rejected=unknown,
        unknown_rejected_interval=interval,
    )


def find_outliers(ood_scores: Floats) -> list[int]:
    """Photos with a far higher OOD score than most, the highest first.

    `ood_scores`: [n], of each photo against the others. Above the upper fence of a box plot (Tukey,
    "Exploratory Data Analysis", 1977, section 2C): REACH times the interquartile range above it.
    NaN is skipped.
    """
    known = ood_scores[~np.isnan(ood_scores)]
    if len(known) < 4:  # no meaningful quartiles
        return []
    low, high = np.quantile(known, [0.25, 0.75])
    far = np.flatnonzero(ood_scores > high + REACH * (high - low))
    order = np.argsort(-ood_scores[far], kind="stable")
    return [int(index) for index in far[order]]
