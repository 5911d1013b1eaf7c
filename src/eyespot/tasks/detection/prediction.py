"""The boxes that a detector finds in one photo."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

from eyespot.shown import percent
from eyespot.tasks.figures import Section

LISTED = 50
"""Boxes of a photo that a terminal lists."""


@dataclass(frozen=True, slots=True)
class Box:
    """One detection: its class, the probability that it is right, and its corners in pixels of the
    upright photo."""

    label: str
    probability: float
    xmin: float
    ymin: float
    xmax: float
    ymax: float

    def more(self) -> str:
        """Words after class and probability; none, unless a second model names the box."""
        return ""


@dataclass(frozen=True, slots=True)
class DetectionPrediction:
    """The prediction of one photo.

    `boxes`: the most probable first. `width`, `height`: of the upright photo, in pixels. `error`:
    why the photo could not be read, else empty.
    """

    path: str
    boxes: tuple[Box, ...] = ()
    width: int = 0
    height: int = 0
    error: str = ""

    COLUMNS: ClassVar[Mapping[str, str]] = {
        "path": "string",
        "count": "int64",
        "width": "int64",
        "height": "int64",
        "boxes": "string",
        "error": "string",
    }

    BOX: ClassVar[type[Box]] = Box

    def counts(self) -> dict[str, int]:
        """The number of boxes of each class, the most frequent first."""
        return dict(Counter(box.label for box in self.boxes).most_common())

    def line(self) -> str:
        """One line of text, without the path."""
        return ", ".join(f"{count:,} {label}" for label, count in self.counts().items()) or "none"

    def details(self) -> Section:
        """The boxes, one a line."""
        lines = [
            f"  {percent(box.probability):>6}  {box.label}{box.more()}  "
            f"({box.xmin:.0f}, {box.ymin:.0f}) to ({box.xmax:.0f}, {box.ymax:.0f})"
            for box in self.boxes[:LISTED]
        ]
        if len(self.boxes) > LISTED:
            lines.append(f"  and {len(self.boxes) - LISTED:,} more")
        return Section(f"{self.path}: {self.line()}", lines)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {"path": self.path, **self.to_answer(), "error": self.error or None}

    def to_answer(self) -> dict[str, Any]:
        """Plain values for the answer of a server, which adds name and error."""
        return {
            "width": self.width,
            "height": self.height,
            "counts": self.counts(),
            "boxes": [asdict(box) for box in self.boxes],
        }

    def to_row(self) -> dict[str, Any]:
        """A row of COLUMNS. `boxes`: a JSON list, as in `to_answer`."""
        return {
            "path": self.path,
            "count": None if self.error else len(self.boxes),
            "width": None if self.error else self.width,
            "height": None if self.error else self.height,
            "boxes": json.dumps([asdict(box) for box in self.boxes], ensure_ascii=False),
            "error": self.error or None,
        }

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """The prediction that `to_row` wrote."""
        boxes = tuple(cls.BOX(**box) for box in json.loads(row["boxes"]))
        sides = row["width"] or 0, row["height"] or 0
        return cls(row["path"], boxes, *sides, row["error"] or "")
