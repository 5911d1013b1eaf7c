"""Large numbers with three digits and an SI prefix."""

import math


def si(number: float, unit: str = "") -> str:
    """61.1 M, 7.85 k, 714 MB."""
    power = min(3, int(math.log10(max(number, 1)) // 3))
    scaled = number / 1000**power
    if power < 3 and round(scaled) >= 1000:
        power, scaled = power + 1, scaled / 1000
    digits = 0 if scaled >= 99.95 or power == 0 else 1 if scaled >= 9.995 else 2
    return f"{scaled:.{digits}f} {' kMG'[power].strip()}{unit}".rstrip()
