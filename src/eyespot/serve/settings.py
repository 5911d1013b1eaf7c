"""All that decides how classifiers are served."""

from dataclasses import dataclass
from pathlib import Path

from eyespot.limits import (
    MAX_BODIES_BYTES,
    MAX_REQUEST_BYTES,
    MAX_REQUEST_PICTURES,
    MAX_REQUEST_SECONDS,
    MAX_WAITING_PICTURES,
)

METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Names the folder where several processes add up what they count for Prometheus; must be set
before its library is imported. Without it, a process counts for itself."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`bytes`: of one request. `pictures`: in one request. `seconds`: for one request, from its
    first byte to its answer. `waiting`: pictures under way, of each classifier."""

    bytes: int = MAX_REQUEST_BYTES
    pictures: int = MAX_REQUEST_PICTURES
    seconds: float = MAX_REQUEST_SECONDS
    waiting: int = MAX_WAITING_PICTURES

    @property
    def all_bytes(self) -> int:
        """Of all requests under way."""
        return max(MAX_BODIES_BYTES, self.bytes)


@dataclass(frozen=True, slots=True)
class Settings:
    """`files`: of classifiers. `keys`: sha256 of each key that opens the door; none: no key is
    needed. `local`: only what is called by a name of this machine is answered, and no page of
    another site."""

    files: tuple[Path, ...]
    keys: tuple[bytes, ...] = ()
    local: bool = True
    limits: Limits = Limits()
