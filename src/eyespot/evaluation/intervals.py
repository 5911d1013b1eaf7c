"""Confidence intervals of measured shares."""

import math
from statistics import NormalDist

from eyespot.arrays import Bools


def wilson_interval(successes: float, count: int, confidence: float = 0.95) -> tuple[float, float]:
    """Score interval of a proportion (Wilson 1927; Brown, Cai, DasGupta 2001, section 3.1.1).

    Unlike the textbook interval it holds for few photos and for shares near 0 and 1.
    `successes` may be fractional (an average over repeats). Without a count: 0 to 1.
    """
    if count <= 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share = successes / count
    centre = share + z * z / (2 * count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    scale = 1 + z * z / count
    # Exact where the formula gives 0 and 1 up to rounding.
    low = 0.0 if successes <= 0 else (centre - half) / scale
    high = 1.0 if successes >= count else (centre + half) / scale
    return low, high


def paired_interval(first: Bools, second: Bools, confidence: float = 0.95) -> tuple[float, float]:
    """Interval of share(first) - share(second), two evaluations of the same n items.

    Agresti and Min, "Simple improved confidence intervals for comparing matched proportions",
    Statistics in Medicine 2005, section 2.3: half an item is added to each of the four outcomes.
    """
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    count = len(first) + 2
    only_first = (float((first & ~second).sum()) + 0.5) / count
    only_second = (float((second & ~first).sum()) + 0.5) / count
    difference = only_first - only_second
    half = z * math.sqrt((only_first + only_second - difference**2) / count)
    return max(difference - half, -1.0), min(difference + half, 1.0)
