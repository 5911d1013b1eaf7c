"""Line charts of a page (the macro `chart`): lines in a square of 100 × 100 that the page
stretches. Text stands outside the square, so that letters keep their size on any screen."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["training", "validation"]
Points = list[tuple[float, float]]

DOTS = 30
"""A line of more points has no dots."""
TICKS = 6
"""Numbers along an axis at most, so that they stand apart on a phone."""


@dataclass(frozen=True, slots=True)
class Line:
    """`points`: "x,y" in the square. `dots`: the points with a dot."""

    name: str
    kind: Kind
    points: str
    dots: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """`name`: prefix of the ids. `text`: the description for screen readers. `levels`, `ticks`:
    places in 0..100 and their numbers. `band`: "x,y" around the intervals of the first line.
    `mark`: place and name of a vertical line."""

    name: str
    title: str
    text: str
    axis: str
    lines: tuple[Line, ...]
    band: str
    levels: tuple[tuple[str, str], ...]
    ticks: tuple[tuple[str, str], ...]
    mark: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class _Axis:
    """From `first` (place 0) to `last` (place 100)."""

    first: float
    last: float
    logarithmic: bool = False

    def at(self, value: float) -> str:
        """The place of a value in the square."""
        ends = (value, self.first, self.last)
        value, first, last = map(math.log10, ends) if self.logarithmic else ends
        place = 100 * (value - first) / (last - first) if last != first else 50
        return f"{place + 0.0:.2f}"  # no -0.00

    def ticks(self) -> list[float]:
        """Round numbers within the axis: powers of ten where it is logarithmic."""
        if self.logarithmic:
            low, high = math.log10(self.first), math.log10(self.last)
            return [10.0**power for power in range(math.ceil(low), math.floor(high) + 1)]
        ticks = steps(self.first, self.last, whole=True)
        return [tick for tick in ticks if self.first <= tick <= self.last]


def chart(
    name: str,
    title: str,
    axis: str,
    xs: Sequence[float],
    lines: Mapping[tuple[str, Kind], Sequence[float | None]],
    *,
    from_zero: bool = False,
    to_one: bool = False,
    number: Callable[[float], str] = "{:g}".format,
    logarithmic: bool = False,
    band: Sequence[tuple[float, float]] = (),
    mark: tuple[float, str] | None = None,
) -> Chart:
    """Draw `lines`, by name and kind, over `xs` (ascending); None, NaN and Inf are left out.

    `from_zero`, `to_one`: the axis includes 0, and 1. `number`: writes a value. `logarithmic`: the
    axis of `xs`. `band`: an interval at each of `xs`. `mark`: one of `xs`, and its name in the
    legend.
    """
    points: dict[tuple[str, Kind], Points] = {}
    for line, found in lines.items():
        pairs = zip(xs, found, strict=True)
        points[line] = [(x, y) for x, y in pairs if y is not None and math.isfinite(y)]
    values = [y for line in points.values() for _, y in line] or [0.0]
    values += [y for interval in band for y in interval]
    values += [0.0] * from_zero + [1.0] * to_one
    levels = steps(min(values), max(values))
    across, down = _Axis(xs[0], xs[-1], logarithmic), _Axis(levels[-1], levels[0])

    def places(line: Points) -> list[str]:
        return [f"{across.at(x)},{down.at(y)}" for x, y in line]

    bounds = list(zip(xs, band, strict=False))
    around = [(x, high) for x, (_, high) in bounds] + [(x, low) for x, (low, _) in bounds[::-1]]
    return Chart(
        name=name,
        title=title,
        text="; ".join(
            f"{label}: from {number(line[0][1])} to {number(line[-1][1])}"
            for (label, _), line in points.items()
            if line
        ),
        axis=axis,
        lines=tuple(_line(*key, places(line)) for key, line in points.items() if line),
        band=" ".join(places(around)),
        levels=tuple((down.at(level), number(level)) for level in levels),
        ticks=tuple((across.at(tick), _short(tick)) for tick in across.ticks()),
        mark=mark and (across.at(mark[0]), mark[1]),
    )


def _line(name: str, kind: Kind, places: list[str]) -> Line:
    return Line(name, kind, " ".join(places), tuple(places) if len(places) <= DOTS else ())


def steps(low: float, high: float, *, whole: bool = False) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten apart) that enclose `low` and `high`."""
    wide = (high - low) or abs(high) or 1.0
    power = 10.0 ** math.floor(math.log10(wide / (TICKS - 1)))
    apart = next(power * digit for digit in (1, 2, 5, 10) if power * digit * (TICKS - 1) >= wide)
    if whole:
        apart = max(1.0, apart)
    count = math.ceil(high / apart - 1e-9) - (start := math.floor(low / apart + 1e-9))
    return [round((start + n) * apart, 12) for n in range(max(count, 1) + 1)]


def _short(tick: float) -> str:
    """5,000, 20 k, 1.5 M: short, so that numbers stand apart on a phone."""
    for least, unit, name in ((1e6, 1e6, " M"), (1e4, 1e3, " k")):
        if tick >= least:
            return f"{tick / unit:g}{name}"
    return f"{tick:,.0f}" if tick >= 1000 and tick == round(tick) else f"{tick:g}"
