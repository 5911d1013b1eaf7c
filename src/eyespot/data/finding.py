"""What a user should know about a dataset."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, get_args

Severity = Literal["error", "warning", "note"]
_SEVERITIES = get_args(Severity)


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact that a user should know. `photos`: names of the photos concerned, perhaps none."""

    kind: str
    severity: Severity
    message: str
    advice: str = ""
    photos: tuple[str, ...] = field(default=(), repr=False)

    def to_dict(self) -> dict[str, str]:
        """All but the photos, for JSON."""
        return {key: getattr(self, key) for key in ("kind", "severity", "message", "advice")}


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Errors, then warnings, then notes; otherwise in the given order."""
    return sorted(findings, key=lambda finding: _SEVERITIES.index(finding.severity))
