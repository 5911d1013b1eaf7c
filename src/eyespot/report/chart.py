"""Curves as a page draws them (the part `chart`): lines in a square of 100 that is stretched to its
place, so that letters have their own size on any screen."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["seen", "unseen"]

DOTS = 30
"""More points than this on a line need no dots to be seen."""
TICKS = 6
"""Numbers along an axis at most, so that they stand apart on a phone."""


@dataclass(frozen=True, slots=True)
class Line:
    """`points`: "x,y" in the square. `dots`: those that are marked."""

    name: str
    kind: Kind
    points: str
    dots: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """`name`: of its elements. `text`: what is to be seen, for those who hear it. `levels`,
    `ticks`: places in 0..100 and what is written there. `band`: "x,y" around the 95% CI of the
    first line, if it has one. `mark`: the place of a line that stands,
    if there is one; `marked` says what it means."""

    name: str
    title: str
    text: str
    axis: str
    lines: tuple[Line, ...]
    band: str
    levels: tuple[tuple[str, str], ...]
    ticks: tuple[tuple[str, str], ...]
    mark: str | None
    marked: str


def chart(
    name: str,
    title: str,
    axis: str,
    xs: Sequence[float],
    lines: Mapping[tuple[str, Kind], Sequence[float | None]],
    *,
    from_zero: bool = False,
    number: Callable[[float], str] = "{:g}".format,
    logarithmic: bool = False,
    band: Sequence[tuple[float, float]] = (),
    mark: float | None = None,
    marked: str = "",
) -> Chart:
    """Draw `lines`, by name and kind, over `xs` (in order); where there is no finite number a line
    has no point. `from_zero`: show zero even if no number is near it. `logarithmic`: of `xs`.
    `band`: an interval at each of `xs`."""
    finite = {
        line: [
            (x, y) for x, y in zip(xs, values, strict=True) if y is not None and math.isfinite(y)
        ]
        for line, values in lines.items()
    }
    seen = [y for points in finite.values() for _, y in points] or [0.0]
    seen += [y for interval in band for y in interval]
    levels = steps(min([0.0, *seen]) if from_zero else min(seen), max(seen))
    low, high = levels[0], levels[-1]
    first, last = (math.log10(xs[0]), math.log10(xs[-1])) if logarithmic else (xs[0], xs[-1])

    def across(x: float) -> str:
        place = math.log10(x) if logarithmic else x
        return f"{100 * (place - first) / (last - first):.2f}" if last > first else "50.00"

    def down(y: float) -> str:
        return f"{100 * (high - y) / (high - low):.2f}"

    drawn = []
    for (label, kind), pairs in finite.items():
        points = tuple(f"{across(x)},{down(y)}" for x, y in pairs)
        dots = points if len(points) <= DOTS else ()
        drawn.append(Line(label, kind, " ".join(points), dots))
    if logarithmic:
        ticks = [10.0**power for power in range(math.ceil(first), math.floor(last) + 1)]
    else:
        ticks = [tick for tick in steps(first, last, whole=True) if first <= tick <= last]
    return Chart(
        name,
        title,
        "; ".join(
            f"{label}: from {number(pairs[0][1])} to {number(pairs[-1][1])}"
            for (label, _), pairs in finite.items()
            if pairs
        ),
        axis,
        tuple(line for line in drawn if line.points),
        " ".join(
            [f"{across(x)},{down(high)}" for x, (_, high) in zip(xs, band, strict=False)]
            + [
                f"{across(x)},{down(low)}"
                for x, (low, _) in reversed([*zip(xs, band, strict=False)])
            ]
        ),
        tuple((down(level), number(level)) for level in levels),
        tuple((across(tick), _plain(tick)) for tick in ticks),
        across(mark) if mark is not None else None,
        marked,
    )


def steps(low: float, high: float, *, whole: bool = False) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten apart) from `low` or just below it to `high`
    or just above."""
    wide = (high - low) or abs(high) or 1.0
    power = 10.0 ** math.floor(math.log10(wide / (TICKS - 1)))
    apart = next(power * digit for digit in (1, 2, 5, 10) if power * digit * (TICKS - 1) >= wide)
    if whole:
        apart = max(1.0, apart)
    count = math.ceil(high / apart - 1e-9) - (start := math.floor(low / apart + 1e-9))
    return [round((start + n) * apart, 12) for n in range(max(count, 1) + 1)]


def _plain(tick: float) -> str:
    """Short, so that they stand apart on a phone: 5,000, 20 k, 1.5 M."""
    for least, unit, name in ((1e6, 1e6, " M"), (1e4, 1e3, " k")):
        if tick >= least:
            return f"{tick / unit:g}{name}"
    return f"{tick:,.0f}" if tick >= 1000 and tick == round(tick) else f"{tick:g}"
