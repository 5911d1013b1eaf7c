"""When to answer "none of these", and what that costs."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eyespot.evaluation.intervals import wilson_interval

KEPT = 0.95
"""Share of the rightly recognised photos that must still be answered."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A photo less familiar than `threshold` is "none of these".

    `known_refused`: share of the taught kinds of photo that would be refused, and its interval.
    `accuracy_answered`: share right among those answered. `unknown_refused`: share of photos of
    an untaught class that would be refused, measured by hiding one class after the other; None
    with two classes, where hiding one leaves nothing to tell apart.
    """

    threshold: float
    known_refused: float
    known_refused_interval: tuple[float, float]
    accuracy_answered: float
    unknown_refused: float | None
    unknown_refused_interval: tuple[float, float] | None

    def to_dict(self) -> dict[str, Any]:
        return {
            "threshold": self.threshold,
            "known_refused": self.known_refused,
            "accuracy_answered": self.accuracy_answered,
            "unknown_refused": self.unknown_refused,
        }


def fit_rejection(
    familiarity: NDArray[np.float32],
    right: NDArray[np.bool_],
    hidden: NDArray[np.float32] | None = None,
) -> Rejection:
    """Set the threshold from photos that the head has not seen.

    `familiarity`: float [n] out of fold, NaN where not asked. `right`: bool [n]. `hidden`: float
    [m], familiarity of photos whose class was hidden.
    """
    asked = ~np.isnan(familiarity)
    scores, right = familiarity[asked], right[asked]
    judged = scores[right] if right.any() else scores
    threshold = float(np.quantile(judged, 1 - KEPT)) if len(judged) else -1.0
    refused = scores < threshold
    answered = ~refused
    unknown, interval = None, None
    if hidden is not None and len(hidden):
        caught = int((hidden < threshold).sum())
        unknown, interval = caught / len(hidden), wilson_interval(caught, len(hidden))
    return Rejection(
        threshold=threshold,
        known_refused=float(refused.mean()) if len(scores) else 0.0,
        known_refused_interval=wilson_interval(float(refused.sum()), len(scores)),
        accuracy_answered=float(right[answered].mean()) if answered.any() else 0.0,
        unknown_refused=unknown,
        unknown_refused_interval=interval,
    )
