"""Collections of photos, wherever they come from, as one `Dataset`."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from eyespot.data.decode import MAX_BYTES
from eyespot.errors import PhotoError


class Source(Protocol):
    """Where one photo's content is."""

    def read(self) -> bytes | NDArray[np.uint8]:
        """The encoded file, or pixels. Raises PhotoError if it cannot be read."""
        ...


@dataclass(frozen=True, slots=True)
class FileSource:
    path: Path

    def read(self) -> bytes:
        try:
            if self.path.stat().st_size > MAX_BYTES:
                raise PhotoError(
                    f"the file has {self.path.stat().st_size:,} bytes, "
                    f"at most {MAX_BYTES:,} are read"
                )
            return self.path.read_bytes()
        except OSError as error:
            raise PhotoError(f"cannot be read: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class MemorySource:
    data: bytes | NDArray[np.uint8]

    def read(self) -> bytes | NDArray[np.uint8]:
        return self.data


@dataclass(frozen=True, slots=True)
class Photo:
    """One photo. `name`: what a person calls it, unique in its Dataset. `split`: "train", "val",
    "test" or None. `group`: photos of one group (a burst) never stand on both sides of a split."""

    name: str
    source: Source
    label: str | None = None
    split: str | None = None
    group: str | None = None

    def read(self) -> bytes | NDArray[np.uint8]:
        """The encoded file, or pixels uint8 [H, W, C]. Raises PhotoError."""
        return self.source.read()


@dataclass(frozen=True, slots=True)
class Skipped:
    """A photo that was left out, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class Dataset:
    """Photos, and what was left out on the way."""

    photos: tuple[Photo, ...]
    skipped: tuple[Skipped, ...] = ()

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels, in natural order (2 before 10)."""
        return tuple(sorted({p.label for p in self.photos if p.label is not None}, key=natural))


def natural(name: str) -> list[tuple[int, int, str]]:
    """Sorting key: numbers inside names count as numbers."""
    return [
        (0, int(part), "") if part.isdigit() and part.isascii() else (1, 0, part.casefold())
        for part in re.split(r"([0-9]+)", name)
    ] + [(2, 0, name)]
