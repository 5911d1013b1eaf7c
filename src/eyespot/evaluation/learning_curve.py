"""Learning curve: accuracy by the number of training photos, and how many more would help."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from eyespot.arrays import Bools
from eyespot.evaluation.intervals import wilson_interval

Trend = Literal["rising", "flat", "unclear"]

FEWER = 0.75
"""The share of the errors that remains after adding `more` photos."""
MOST_TIMES = 10
"""Times the present photos: the limit of extrapolation."""


@dataclass(frozen=True, slots=True)
class LearningCurve:
    """Top-1 by the number of photos trained on. `gain`: of the full over the half size, with its
    95% CI. `more`: photos, roughly, that would avoid a quarter of the errors; None if
    unknown. `verdict`: one sentence."""

    sizes: tuple[int, ...]
    top1: tuple[float, ...]
    intervals: tuple[tuple[float, float], ...]
    gain: float
    gain_interval: tuple[float, float]
    trend: Trend
    more: int | None
    verdict: str

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, texts and tuples, for JSON."""
        return asdict(self)


def learning_curve(
    sizes: Sequence[int], correct: Sequence[Bools], photos: int | None = None
) -> LearningCurve:
    """From which photos were classified correctly (bool [n]) after training on `sizes` photos,
    ascending.

    The last two sizes are compared photo by photo: the interval of the mean difference is the
    normal one for paired differences, which the same photos at both sizes make narrow. `photos`:
    the number of training photos, None for the last size.
    """
    top1 = tuple(float(hits.mean()) for hits in correct)
    intervals = tuple(wilson_interval(float(hits.sum()), len(hits)) for hits in correct)
    difference = correct[-1].astype(np.float64) - correct[-2]
    gain = float(difference.mean())
    half = 1.96 * float(difference.std()) / np.sqrt(len(difference))
    low, high = gain - half, gain + half
    trend: Trend = "rising" if low > 0.005 else "flat" if high < 0.01 else "unclear"
    more = _more_photos(sizes, top1, photos or sizes[-1]) if trend == "rising" else None
    verdict = _verdict(trend, sizes, gain, more)
    return LearningCurve(
        tuple(sizes), top1, intervals, gain, (float(low), float(high)), trend, more, verdict
    )


def _more_photos(sizes: Sequence[int], top1: Sequence[float], photos: int) -> int | None:
    """Photos to be added to `photos` until FEWER of the errors are left, to one digit.

    Errors fall as a power of the number of photos (Hestness et al., "Deep Learning Scaling is
    Predictable, Empirically", 2017); here that of the last two sizes, so this is a rough figure.
    """
    before, after = 1 - top1[-2], 1 - top1[-1]
    if after <= 0 or sizes[-1] <= sizes[-2]:
        return None
    exponent = np.log(before / after) / np.log(sizes[-1] / sizes[-2])
    times = FEWER ** (-1 / exponent) if exponent > 0 else np.inf
    if times > MOST_TIMES:
        return None
    more = max(1.0, (times - 1) * photos)
    power = 10 ** int(np.floor(np.log10(more)))
    return int(np.ceil(more / power) * power)


def _verdict(trend: Trend, sizes: Sequence[int], gain: float, more: int | None) -> str:
    points = f"{abs(gain) * 100:.1f} points"
    compared = f"training on {sizes[-1]:,} instead of {sizes[-2]:,}"
    if trend == "rising":
        rough = f" Roughly {more:,} more would avoid a quarter of the errors." if more else ""
        return f"More photos are likely to help: {compared} raised the accuracy by {points}.{rough}"
    if trend == "flat":
        return (
            f"More photos of the same kind will help little: {compared} changed the "
            f"accuracy by {points}."
        )
    return (
        f"The data cannot show yet whether more photos would help: {compared} changed the "
        f"accuracy by {points}, within the noise."
    )
