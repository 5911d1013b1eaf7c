"""All that decides how classifiers are served."""

from dataclasses import dataclass
from pathlib import Path

from eyespot.serve.batcher import WAITING

METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Names the folder where several processes add up what they count for Prometheus; must be set
before its library is imported. Without it, a process counts for itself."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`bytes`: of one request. `pictures`: in one request. `seconds`: for one request, from its
    first byte to its answer. `waiting`: pictures under way, of each classifier."""

    bytes: int = 20_000_000
    pictures: int = 32
    seconds: float = 10.0
    waiting: int = WAITING


@dataclass(frozen=True, slots=True)
class Settings:
    """`files`: of classifiers. `keys`: sha256 of each key that opens the door; none: no key is
    needed. `local`: only what is called by a name of this machine is answered, and no page of
    another site."""

    files: tuple[Path, ...]
    keys: tuple[bytes, ...] = ()
    local: bool = True
    limits: Limits = Limits()
