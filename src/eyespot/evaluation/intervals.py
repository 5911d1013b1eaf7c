"""How far a measured share may be from the true one."""

import math
from statistics import NormalDist


def wilson_interval(successes: float, count: int, confidence: float = 0.95) -> tuple[float, float]:
    """Score interval of a proportion (Wilson 1927; Brown, Cai, DasGupta 2001, section 3.1.1).

    Unlike the textbook interval it holds for few photos and for shares near 0 and 1.
    `successes` may be fractional (an average over repeats). Of nothing, everything is possible.
    """
    if count <= 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share = successes / count
    centre = share + z * z / (2 * count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    scale = 1 + z * z / count
    # At the ends the formula gives 0 and 1, but for rounding.
    low = 0.0 if successes <= 0 else (centre - half) / scale
    high = 1.0 if successes >= count else (centre + half) / scale
    return low, high
