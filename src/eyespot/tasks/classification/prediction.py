"""The prediction of one photo."""

from dataclasses import dataclass
from typing import Any


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
            "top": [{"label": label, "probability": p} for label, p in self.top],
            "unknown": self.unknown,
            "error": self.error or None,
        }
