"""A photo, its source, and a `Dataset` of photos."""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from eyespot.data.decode import check_bytes, decode, file_of
from eyespot.data.finding import Finding
from eyespot.errors import PhotoError
from eyespot.files import expect_file, read_file
from eyespot.limits import MAX_PHOTO_BYTES
from eyespot.shown import reason_of, shown


class Source(Protocol):
    """Where the content of a photo is."""

    def read(self) -> bytes | NDArray[Any]:
        """The encoded file, or an array as `decode` takes it. Raises PhotoError."""
        ...


@dataclass(frozen=True, slots=True)
class FileSource:
    path: Path

    def read(self) -> bytes:
        try:
            check_bytes(expect_file(self.path).st_size)
            return read_file(self.path, MAX_PHOTO_BYTES)
        except (OSError, ValueError) as error:  # ValueError: a null byte in the name
            raise PhotoError(f"cannot be read: {reason_of(error)}") from error


@dataclass(frozen=True, slots=True)
class MemorySource:
    data: bytes | NDArray[Any]

    def read(self) -> bytes | NDArray[Any]:
        return self.data

    def __repr__(self) -> str:  # distinguishes contents without showing them
        what = f"{len(self.data):,} bytes" if isinstance(self.data, bytes) else self.data.shape
        return f"MemorySource({what}, sha256 {content_hash(self.data)[:16]})"


@dataclass(frozen=True, slots=True)
class ImageSource:
    """A Pillow image, whose file may not be read yet."""

    image: Image.Image

    def read(self) -> bytes | NDArray[np.uint8]:
        return file_of(self.image) or decode(self.image).pixels

    def __repr__(self) -> str:
        return f"ImageSource({self.image.mode}, {self.image.width} x {self.image.height})"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A photo that cannot be read, for a `reason`."""

    reason: str

    def read(self) -> bytes:
        raise PhotoError(self.reason)


def content_hash(data: bytes | NDArray[Any]) -> str:
    """sha256 (hex) of a photo's file, or of an array's shape and pixels."""
    if isinstance(data, bytes):
        return hashlib.sha256(data).hexdigest()
    digest = hashlib.sha256(f"{data.dtype.str}{data.shape}".encode())
    digest.update(np.ascontiguousarray(data).data)
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Photo:
    """`name`: unique in its Dataset. `split`: "train", "val", "test" or None. `group`: photos of a
    group (a burst) are never divided between splits."""

    name: str
    source: Source
    label: str | None = None
    split: str | None = None
    group: str | None = None

    def read(self) -> bytes | NDArray[Any]:
        """The encoded file, or an array as `decode` takes it. Raises PhotoError."""
        return self.source.read()


@dataclass(frozen=True, slots=True)
class Skipped:
    """A photo that cannot be used, and the reason."""

    path: str
    reason: str


@dataclass(frozen=True, repr=False)
class Dataset:
    """Photos, and those that were skipped. `findings`: how the source was read (which column is
    the label, which folders are splits), and likely problems."""

    photos: tuple[Photo, ...]
    skipped: tuple[Skipped, ...] = ()
    findings: tuple[Finding, ...] = ()

    def __repr__(self) -> str:
        return (
            f"Dataset({len(self.photos):,} photos, classes {shown(self.classes)}, "
            f"{len(self.skipped):,} skipped, {len(self.findings):,} findings)"
        )

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names, in natural order (2 before 10)."""
        return tuple(sorted({p.label for p in self.photos if p.label is not None}, key=natural))


def natural(name: str) -> list[tuple[int, int, str]]:
    """Sort key: numbers inside names count as numbers, and case is ignored."""
    key = []
    for part in re.split(r"([0-9]+)", name):
        digits = part.lstrip("0")
        number = part[:1].isdigit() and part.isascii()
        # Comparing lengths avoids int() of thousands of digits.
        key.append((0, len(digits), digits) if number else (1, 0, part.casefold()))
    return [*key, (2, 0, name)]


_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def printable(name: str | Path) -> str:
    """A name as text that can be shown and stored: control characters and lone surrogates (bytes
    that are not UTF-8) become escapes, as in caf\\xe9."""
    return _UNPRINTABLE.sub(lambda match: f"\\x{ord(match[0]) & 0xFF:02x}", str(name))


def label_of(name: str) -> str:
    """A class name in one Unicode form: macOS stores é in file names as e and an accent."""
    return unicodedata.normalize("NFC", printable(name))
