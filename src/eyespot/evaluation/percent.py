"""Shares and probabilities as text. `web/static/percent.js` does the same for pages."""


def percent(share: float, digits: int = 1) -> str:
    """97.3% for 0.973. 100% and 0% stand for exactly 1 and 0 alone: 0.9999 is >99.9%, and 0.0001 is
    <0.1%."""
    if share in (0, 1):
        return f"{share:.0%}"
    least = 10.0 ** -(digits + 2)
    if 0 < share < least / 2:
        return f"<{least:.{digits}%}"
    if 1 - least / 2 <= share < 1:
        return f">{1 - least:.{digits}%}"
    return f"{share:.{digits}%}"


def percent_interval(interval: tuple[float, float]) -> str:
    """90.8–93.6%, with an en dash."""
    low, high = map(percent, interval)
    return f"{low.removesuffix('%')}–{high}"
