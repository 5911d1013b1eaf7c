"""A bubble chart of the zoo as SVG: ImageNet accuracy by multiply-adds; areas are parameters.

After Canziani, Paszke and Culurciello, "An Analysis of Deep Neural Network Models for Practical
Applications", 2017, figure 2; here the axis of multiply-adds is logarithmic.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from eyespot.errors import UsageError
from eyespot.report.html import fill
from eyespot.shown import si
from eyespot.weights.zoo import find

WIDTH, HEIGHT = 960, 772
RADIUS_OF_100M = 32.0
"""Of the bubble of a network with 100 million parameters."""
FONTS = {"wide": 15, "narrow": 27}
"""Font sizes on a wide screen, and on a phone, which shows the drawing smaller."""
ON_A_PHONE = 3
"""Networks named of each family on a phone."""
NEAR = 3
"""Pixels between a bubble and its name."""
LETTER = 0.57
"""Mean width of a letter of the system's font, as a share of its size."""


class Box(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: "Box") -> bool:
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom

    def within(self, other: "Box") -> bool:
        across = other.left < self.left and self.right < other.right
        return across and other.top < self.top and self.bottom < other.bottom


FRAME = Box(74, 104, 940, 690)
"""Of the drawing, in pixels."""


@dataclass(frozen=True, slots=True)
class Bubble:
    """A network: centre and radius in pixels. `crops`: evaluated on ten crops."""

    name: str
    family: str
    x: float
    y: float
    radius: float
    crops: bool
    title: str


@dataclass(frozen=True, slots=True)
class Label:
    """The name of a bubble. `side`: which end of the name is at `x`: "" the start, `middle`, `end`.
    `y`: the baseline. `line`: where a line from the bubble's centre ends, if the name is away."""

    bubble: Bubble
    side: str
    x: float
    y: float
    line: tuple[float, float] | None


def draw(rows: Sequence[Mapping[str, Any]]) -> str:
    """The SVG of the networks in `rows` (see `eyespot zoo --json`) with a published ImageNet error.

    Raises UsageError if none has one.
    """
    shown = [row for row in rows if row["dataset"] == "ImageNet" and row["top1_error"] is not None]
    if not shown:
        raise UsageError(
            "None of these networks has a published error on ImageNet, so there is nothing to "
            "draw. Name others, or none for all."
        )
    # With room for the bubbles at the edges: log10 of multiply-adds, and accuracy in %.
    logs = [math.log10(row["macs"]) for row in shown]
    low, high = min(logs) - 0.15, max(logs) + 0.2
    accuracies: list[float] = [100 - row["top1_error"] for row in shown]
    bottom = math.floor(min(accuracies) / 5 - 0.2) * 5
    top = math.ceil(max(accuracies) / 5 + 0.4) * 5

    def across(log: float) -> float:
        return FRAME.left + (FRAME.right - FRAME.left) * (log - low) / (high - low)

    def up(accuracy: float) -> float:
        return FRAME.bottom - (FRAME.bottom - FRAME.top) * (accuracy - bottom) / (top - bottom)

    bubbles = [
        _bubble(row, across(log), up(accuracy))
        for row, log, accuracy in zip(shown, logs, accuracies, strict=True)
    ]
    # The shorter of two names gets a place that both would take: it is that of the base network.
    by_name = sorted(bubbles, key=lambda bubble: (len(bubble.name), bubble.y))
    families = list(dict.fromkeys(bubble.family for bubble in bubbles))
    few = [
        bubble
        for family in families
        for bubble in [each for each in by_name if each.family == family][:ON_A_PHONE]
    ]
    return fill(
        "zoo.svg",
        width=WIDTH,
        height=HEIGHT,
        frame=FRAME,
        fonts=FONTS,
        bubbles=sorted(bubbles, key=lambda bubble: -bubble.radius),
        families=families,
        labels={
            "wide": list(labels(by_name, by_name, FONTS["wide"])),
            "narrow": list(labels(few, by_name, FONTS["narrow"])),
        },
        ticks=[(across(log), text) for log, text in _operations(low, high)],
        levels=[(up(share), share) for share in range(bottom, top + 1, 5)],
        sizes=[(radius(number * 1e6), number) for number in (5, 25, 100)],
        crops=any(bubble.crops for bubble in bubbles),
    )


def _bubble(row: Mapping[str, Any], x: float, y: float) -> Bubble:
    return Bubble(
        row["name"],
        find(row["name"]).module.rpartition(".")[2],
        x,
        y,
        radius(row["parameters"]),
        "ten crops" in row["errors_source"],
        f"{row['name']}: top-1 accuracy {100 - row['top1_error']:.1f}% ({row['errors_source']}), "
        f"{si(row['macs'])} multiply-adds, {si(row['parameters'])} parameters",
    )


def radius(parameters: float) -> float:
    """The area is proportional to the number of parameters."""
    return RADIUS_OF_100M * math.sqrt(parameters / 1e8)


def labels(named: Iterable[Bubble], bubbles: Iterable[Bubble], font: float) -> Iterator[Label]:
    """Place the names of `named`: each at the nearest place where it overlaps neither another name
    nor the centre of one of `bubbles`. The first have priority; a name without a place is left
    out."""
    dots = [Box(b.x - 4, b.y - 4, b.x + 4, b.y + 4) for b in bubbles]
    frame = Box(FRAME.left + 4, FRAME.top + 4, FRAME.right - 4, FRAME.bottom - 4)
    taken: list[Box] = []
    for bubble in named:
        width = LETTER * font * len(bubble.name)
        for distance, angle in _around(bubble, font):
            x = bubble.x + distance * math.cos(angle)
            y = bubble.y + distance * math.sin(angle)
            # The nearest side or corner of the box touches the point.
            left = x - width * (1 - math.cos(angle)) / 2
            top = y - font * (1 - math.sin(angle)) / 2
            box = Box(left, top, left + width, top + font)
            if box.within(frame) and not any(map(box.meets, [*taken, *dots])):
                taken.append(box)
                apart = distance > NEAR + 8 and distance != bubble.radius + NEAR
                # The side next to the bubble is exact, whatever the true width of the letters.
                side = ("end", "middle", "")[round(math.cos(angle)) + 1]
                edge = {"end": box.right, "middle": (box.left + box.right) / 2, "": box.left}[side]
                yield Label(bubble, side, edge, top + 0.8 * font, (x, y) if apart else None)
                break


def _around(bubble: Bubble, font: float) -> Iterator[tuple[float, float]]:
    """Places as distance and angle: the nearest first, the right side before others."""
    near = min(bubble.radius, 8) + NEAR
    steps = (near + font * step for step in (1, 1.8, 2.6, 3.4))
    for distance in (near, bubble.radius + NEAR, *steps):
        for eighth in (0, 4, 2, 6, 1, 7, 3, 5):
            yield distance, math.pi * eighth / 4


def _operations(low: float, high: float) -> Iterator[tuple[float, str]]:
    """Round numbers of multiply-adds between `low` and `high` (log10): log10 and text."""
    for power in range(math.floor(low), math.ceil(high)):
        for digit in (1, 2, 5):
            log = power + math.log10(digit)
            if low <= log <= high:
                yield log, si(digit * 10**power).replace(".00", "").replace(".0", "")
