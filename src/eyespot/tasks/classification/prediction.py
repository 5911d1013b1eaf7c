"""The prediction of one photo."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from eyespot.shown import bar_of, percent, printable
from eyespot.tasks.figures import Section

UNKNOWN = "none of these"
WIDTH = 28
"""Characters of a label beside a frame."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """The prediction of one photo.

    `top`: (label, probability), the most probable first. `unknown`: the photo is rejected as
    out-of-distribution; `label` is then None. `ood_score`: see `heads.ood`; None without a
    prediction. `error`: why the photo could not be read, else empty.
    """

    path: str
    top: tuple[tuple[str, float], ...] = ()
    unknown: bool = False
    ood_score: float | None = None
    error: str = ""

    COLUMNS: ClassVar[Mapping[str, str]] = {
        "path": "string",
        "label": "string",
        "probability": "double",
        "unknown": "bool",
        "ood_score": "double",
        "top": "string",
        "error": "string",
    }

    @property
    def label(self) -> str | None:
        return self.top[0][0] if self.top and not self.unknown else None

    @property
    def probability(self) -> float:
        return self.top[0][1] if self.top else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "path": self.path,
            "top": self._top(),
            "unknown": self.unknown,
            "error": self.error or None,
        }

    def to_answer(self) -> dict[str, Any]:
        """Plain values for the answer of a server, which adds name and error."""
        return {"label": self.label, "unknown": self.unknown, "top": self._top()}

    def _top(self) -> list[dict[str, Any]]:
        return [{"label": label, "probability": share} for label, share in self.top]

    # --- on a terminal -----------------------------------------------------------------------

    def line(self) -> str:
        """One line of text, without the path."""
        label, probability = self.top[0]
        if self.unknown:
            return f"{UNKNOWN} (most similar: {label})"
        return f"{percent(probability):>6}  {label}"

    def counts(self) -> dict[str, int]:
        """The photo's part in a summary of many photos."""
        return {self.label or UNKNOWN: 1}

    def details(self) -> Section:
        """The top classes with bars."""
        unlike = f"  {UNKNOWN}: the photo is unlike the training photos. Most similar classes:"
        bars = [(label, probability, "") for label, probability in self.top]
        return Section(self.path, (unlike,) if self.unknown else (), bars)

    def frame_lines(self) -> list[str]:
        """Lines beside a frame of a video: the first for unknown frames, then the top classes."""
        bars = (f"{printable(label)[:WIDTH]:{WIDTH}} {bar_of(share)}" for label, share in self.top)
        return [UNKNOWN if self.unknown else "", *bars]

    # --- in tables ---------------------------------------------------------------------------

    def to_row(self) -> dict[str, Any]:
        """A row of COLUMNS. `top`: a JSON list of label and probability."""
        return {
            "path": self.path,
            "label": self.label,
            "probability": None if self.error else self.probability,
            "unknown": None if self.error else self.unknown,
            "ood_score": self.ood_score,
            "top": json.dumps(self._top(), ensure_ascii=False),
            "error": self.error or None,
        }

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Prediction":
        """The prediction that `to_row` wrote."""
        top = tuple((entry["label"], entry["probability"]) for entry in json.loads(row["top"]))
        error = row["error"] or ""
        return cls(row["path"], top, bool(row["unknown"]), row["ood_score"], error)
