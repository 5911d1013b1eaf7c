"""Settings of the server."""

import os
from dataclasses import dataclass
from pathlib import Path

from eyespot.limits import (
    MAX_BODIES_BYTES,
    MAX_REQUEST_BYTES,
    MAX_REQUEST_PHOTOS,
    MAX_REQUEST_SECONDS,
    MAX_WAITING_PHOTOS,
)

METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable with the folder in which several processes share their Prometheus metrics.
It must be set before prometheus_client is imported. Without it, each process counts alone."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`bytes`, `photos`: of one request. `seconds`: for one request, from its first byte to its
    answer. `waiting`: photos in progress for each classifier."""

    bytes: int = MAX_REQUEST_BYTES
    photos: int = MAX_REQUEST_PHOTOS
    seconds: float = MAX_REQUEST_SECONDS
    waiting: int = MAX_WAITING_PHOTOS

    @property
    def all_bytes(self) -> int:
        """Bytes of all requests in progress."""
        return max(MAX_BODIES_BYTES, self.bytes)


@dataclass(frozen=True, slots=True)
class Settings:
    """`files`: classifiers. `keys`: sha256 of each valid key; if empty, no key is needed. `local`:
    answer only requests for a host name of this machine, and none from pages of other sites.
    `decoders`: processes that decode photos."""

    files: tuple[Path, ...]
    keys: tuple[bytes, ...] = ()
    local: bool = True
    limits: Limits = Limits()
    decoders: int = os.cpu_count() or 1
