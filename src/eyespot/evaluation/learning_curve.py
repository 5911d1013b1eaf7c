"""Would more photos help?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eyespot.evaluation.intervals import wilson_interval


@dataclass(frozen=True, slots=True)
class LearningCurve:
    """Top-1 by the number of photos learnt from. `gain`: of the full over the half size, with
    its 95 % interval; `verdict`: one sentence."""

    sizes: tuple[int, ...]
    top1: tuple[float, ...]
    intervals: tuple[tuple[float, float], ...]
    gain: float
    gain_interval: tuple[float, float]
    verdict: str

    def to_dict(self) -> dict[str, Any]:
        return {
            "sizes": list(self.sizes),
            "top1": list(self.top1),
            "intervals": [list(interval) for interval in self.intervals],
            "gain": self.gain,
            "gain_interval": list(self.gain_interval),
            "verdict": self.verdict,
        }


def learning_curve(sizes: Sequence[int], correct: Sequence[NDArray[np.bool_]]) -> LearningCurve:
    """From which photos were right (bool [n]) after learning from `sizes` photos, ascending.

    The last two sizes are compared photo by photo: the interval of the mean difference is the
    normal one for paired differences, which the same photos at both sizes make narrow.
    """
    top1 = tuple(float(hits.mean()) for hits in correct)
    intervals = tuple(wilson_interval(float(hits.sum()), len(hits)) for hits in correct)
    difference = correct[-1].astype(np.float64) - correct[-2]
    gain = float(difference.mean())
    half = 1.96 * float(difference.std()) / np.sqrt(len(difference))
    low, high = gain - half, gain + half
    points = f"{abs(gain) * 100:.1f} points"
    if low > 0.005:
        verdict = (
            f"More photos are likely to help: learning from {sizes[-1]} instead of {sizes[-2]} "
            f"gained {points}."
        )
    elif high < 0.01:
        verdict = (
            f"More photos of the same kind will help little: learning from {sizes[-1]} instead "
            f"of {sizes[-2]} changed the result by {points}."
        )
    else:
        verdict = (
            f"Whether more photos would help cannot be told yet: from {sizes[-2]} to {sizes[-1]} "
            f"the result changed by {points}, which may be chance."
        )
    return LearningCurve(tuple(sizes), top1, intervals, gain, (float(low), float(high)), verdict)
