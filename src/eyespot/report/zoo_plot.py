"""Accuracy against operations, with the parameters as areas: one SVG of the zoo.

After Canziani, Paszke and Culurciello, "An Analysis of Deep Neural Network Models for Practical
Applications", 2017, figure 2; here multiply-adds stand on a logarithmic axis.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from eyespot.atomic import write_atomically
from eyespot.errors import UsageError
from eyespot.report.numbers import si
from eyespot.weights.zoo import find

WIDTH, HEIGHT = 960, 772
LEFT, TOP, RIGHT, BOTTOM = 74, 104, 940, 690
"""The frame in the drawing, in pixels."""
RADIUS_OF_100M = 32.0
"""Of the bubble of a network with 100 million parameters."""
FONTS = {"wide": 15, "narrow": 27}
"""Sizes of letters where there is room, and on a phone, where the drawing is shown smaller."""
ON_A_PHONE = 3
"""Networks of a family that are named there."""
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
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


@dataclass(frozen=True, slots=True)
class Bubble:
    """A network in the drawing: centre and radius in its pixels. `crops`: judged on ten crops."""

    name: str
    family: str
    x: float
    y: float
    radius: float
    crops: bool
    title: str


@dataclass(frozen=True, slots=True)
class Label:
    """The name of a bubble: at `x` it begins, or has its `middle` or its `end`, as `side` says;
    `y` is the foot of the letters. Where the name stands apart, a line leads from the bubble's
    centre to `line`."""

    bubble: Bubble
    side: str
    x: float
    y: float
    line: tuple[float, float] | None


def write_plot(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw the networks of `rows` (see `eyespot zoo --json`) that have a published error on
    ImageNet. Raises UsageError if none has, OSError as writing does."""
    write_atomically(path, draw(rows).encode("utf-8"))


def draw(rows: Sequence[Mapping[str, Any]]) -> str:
    """The SVG."""
    from jinja2 import Environment, PackageLoader

    shown = [row for row in rows if row["dataset"] == "ImageNet" and row["top1_error"] is not None]
    if not shown:
        raise UsageError(
            "None of these networks has a published error on ImageNet, so there is nothing to "
            "draw. Name others, or none for all."
        )
    macs: list[float] = [math.log10(row["macs"]) for row in shown]
    right: list[float] = [100 - row["top1_error"] for row in shown]
    low, high = min(macs) - 0.15, max(macs) + 0.2
    # Room for the bubbles at the edges.
    bottom, top = math.floor(min(right) / 5 - 0.2) * 5, math.ceil(max(right) / 5 + 0.4) * 5

    def across(log: float) -> float:
        return LEFT + (RIGHT - LEFT) * (log - low) / (high - low)

    def up(share: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * (share - bottom) / (top - bottom)

    bubbles = [
        Bubble(
            row["name"],
            find(row["name"]).module.rpartition(".")[2],
            across(log),
            up(share),
            radius(row["parameters"]),
            "ten crops" in row["errors_source"],
            f"{row['name']}: top-1 accuracy {share:.1f}% ({row['errors_source']}), "
            f"{si(row['macs'])} multiply-adds, {si(row['parameters'])} parameters",
        )
        for row, log, share in zip(shown, macs, right, strict=True)
    ]
    # Of two names that want one place the plainer network's stays; its name is the shorter.
    plainest = sorted(bubbles, key=lambda bubble: (len(bubble.name), bubble.y))
    families = list(dict.fromkeys(bubble.family for bubble in bubbles))
    few = [
        bubble
        for family in families
        for bubble in [each for each in plainest if each.family == family][:ON_A_PHONE]
    ]
    templates = Environment(loader=PackageLoader("eyespot.report", "."), autoescape=True)
    return templates.get_template("zoo.svg").render(
        width=WIDTH,
        height=HEIGHT,
        frame=Box(LEFT, TOP, RIGHT, BOTTOM),
        fonts=FONTS,
        bubbles=sorted(bubbles, key=lambda bubble: -bubble.radius),
        families=families,
        labels={
            "wide": list(labels(plainest, plainest, FONTS["wide"])),
            "narrow": list(labels(few, plainest, FONTS["narrow"])),
        },
        ticks=[(across(log), text) for log, text in _operations(low, high)],
        levels=[(up(share), share) for share in range(bottom, top + 1, 5)],
        sizes=[(radius(number * 1e6), number) for number in (5, 25, 100)],
        crops=any(bubble.crops for bubble in bubbles),
    )


def radius(parameters: float) -> float:
    """The area says how many parameters there are."""
    return RADIUS_OF_100M * math.sqrt(parameters / 1e8)


def labels(named: Iterable[Bubble], bubbles: Iterable[Bubble], font: float) -> Iterator[Label]:
    """Names beside those of `bubbles` that shall have one, each where it meets no other name and
    no bubble's centre. The first choose first, and the nearest place is taken; where there is
    none, there is no name."""
    dots = [Box(b.x - 4, b.y - 4, b.x + 4, b.y + 4) for b in bubbles]
    frame = Box(LEFT + 4, TOP + 4, RIGHT - 4, BOTTOM - 4)
    taken: list[Box] = []
    for bubble in named:
        width = LETTER * font * len(bubble.name)
        for distance, angle in _around(bubble, font):
            x = bubble.x + distance * math.cos(angle)
            y = bubble.y + distance * math.sin(angle)
            # The box touches the point with its nearest side or corner.
            left = x - width * (1 - math.cos(angle)) / 2
            top = y - font * (1 - math.sin(angle)) / 2
            box = Box(left, top, left + width, top + font)
            inside = (
                frame.left < box.left
                and box.right < frame.right
                and frame.top < box.top
                and box.bottom < frame.bottom
            )
            if inside and not any(map(box.meets, [*taken, *dots])):
                taken.append(box)
                apart = distance > NEAR + 8 and distance != bubble.radius + NEAR
                # The side next to the bubble is exact, however wide the letters really are.
                side = ("end", "middle", "")[round(math.cos(angle)) + 1]
                edge = {"end": box.right, "middle": (box.left + box.right) / 2, "": box.left}[side]
                yield Label(bubble, side, edge, top + 0.8 * font, (x, y) if apart else None)
                break


def _around(bubble: Bubble, font: float) -> Iterator[tuple[float, float]]:
    """Places to try, as distance and angle, the nearest first and to the right before others."""
    near = min(bubble.radius, 8) + NEAR
    steps = (near + font * step for step in (1, 1.8, 2.6, 3.4))
    for distance in (near, bubble.radius + NEAR, *steps):
        for eighth in (0, 4, 2, 6, 1, 7, 3, 5):
            yield distance, math.pi * eighth / 4


def _operations(low: float, high: float) -> Iterator[tuple[float, str]]:
    """Round numbers of multiply-adds between two powers of ten."""
    for power in range(math.floor(low), math.ceil(high)):
        for digit in (1, 2, 5):
            log = power + math.log10(digit)
            if low <= log <= high:
                yield log, si(digit * 10**power).replace(".00", "").replace(".0", "")
