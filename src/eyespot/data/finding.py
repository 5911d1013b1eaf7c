"""What a person should know about a collection of photos."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

_SEVERITIES = ("error", "warning", "note")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a person should know. `photos`: the names concerned, perhaps none."""

    kind: str
    severity: Literal["error", "warning", "note"]
    message: str
    advice: str
    photos: tuple[str, ...] = field(default=(), repr=False)

    def to_dict(self) -> dict[str, str]:
        """As JSON has it: all but the photos."""
        return {key: getattr(self, key) for key in ("kind", "severity", "message", "advice")}


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Errors, then warnings, then notes; in the given order among their like."""
    return sorted(findings, key=lambda finding: _SEVERITIES.index(finding.severity))
