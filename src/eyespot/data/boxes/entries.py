"""The annotations of a photo as a file states them, before any check."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from eyespot.data.boxes.problems import Problems
from eyespot.data.finding import Finding
from eyespot.data.photos import Photo, Skipped, label_of
from eyespot.data.split_names import Split

LARGEST = 1e9
"""Beyond all coordinates, which are below MAX_REDUCED_PIXELS."""

Unit = Literal["pixels", "share"]
Corners = tuple[float, float, float, float]
"""xmin, ymin, xmax, ymax; NaN where the file has no number."""


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A photo and its boxes. `boxes`: float64 [n, 4], corners in pixels or as a share of the
    photo's width and height. `size`: width and height in pixels that the file states, or None.
    `upright`: whether the boxes are known to count the pixels of the upright photo. `lost`: shapes
    that were not read as boxes; a photo that has only such ones is not background."""

    photo: Photo
    boxes: NDArray[np.float64]
    labels: tuple[str, ...]
    ignored: NDArray[np.bool_]
    size: tuple[int, int] | None = None
    unit: Unit = "pixels"
    upright: bool = False
    lost: int = 0


@dataclass(slots=True)
class Annotations:
    """What a reader found; it fills this file by file."""

    entries: list[Entry] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    problems: Problems = field(default_factory=Problems)


@dataclass(slots=True)
class Boxes:
    """The boxes of one photo while its annotation is read. `lost`: as of an Entry."""

    corners: list[Corners] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    ignored: list[bool] = field(default_factory=list)
    lost: int = 0

    def add(self, corners: Corners, label: str, ignored: bool = False) -> None:
        self.corners.append(corners)
        self.labels.append(label_of(label.strip()))
        self.ignored.append(ignored)

    def entry(
        self, photo: Photo, size: tuple[int, int] | None = None, unit: Unit = "pixels"
    ) -> Entry:
        boxes = np.array(self.corners, dtype=np.float64).reshape(-1, 4)
        ignored = np.array(self.ignored, bool)
        return Entry(photo, boxes, tuple(self.labels), ignored, size, unit, lost=self.lost)


def first_held_out(*splits: str | None) -> Split | None:
    """The split of a photo that is listed in several: test, val, then train, so that no photo is
    both trained on and evaluated."""
    order: tuple[Split, ...] = ("test", "val", "train")
    return next((split for split in order if split in splits), None)


def number(value: object) -> float:
    """A number below LARGEST, or a text of one, as a float; NaN for anything else."""
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return math.nan
    try:
        read = float(value)
        return read if abs(read) < LARGEST else math.nan
    except (ValueError, OverflowError):
        return math.nan


def size_of(width: object, height: object) -> tuple[int, int] | None:
    """The width and height of a photo; None where a file has none, or 0."""
    sides = number(width), number(height)
    if not all(1 <= side <= 10_000_000 for side in sides):
        return None
    return round(sides[0]), round(sides[1])


def around(points: Iterable[Sequence[float]]) -> Corners:
    """The box around points (x, y)."""
    xs, ys = zip(*points, strict=True)
    if any(map(math.isnan, (*xs, *ys))):  # min and max would pass over it
        return (math.nan, math.nan, math.nan, math.nan)
    return min(xs), min(ys), max(xs), max(ys)


def around_rotated(box: Corners, degrees: float, pivot: tuple[float, float]) -> Corners:
    """The upright box around a box that is rotated clockwise around a pivot, in pixels."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    steps = [(x - pivot[0], y - pivot[1]) for x in box[::2] for y in box[1::2]]
    return around(
        (pivot[0] + x * cosine - y * sine, pivot[1] + x * sine + y * cosine) for x, y in steps
    )
