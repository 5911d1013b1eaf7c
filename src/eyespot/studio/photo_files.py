"""Photo files on disk, named by their sha256: a photo in many projects is one file."""

import contextlib
import errno
import io
import os
import re
import time
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from eyespot.atomic import write_atomically
from eyespot.data.decode import decode
from eyespot.data.photos import Photo, Skipped, content_hash
from eyespot.errors import PhotoError, ProjectError
from eyespot.features.extract import THUMBNAIL, thumbnail
from eyespot.shown import Brief

WORKERS = 4
"""Threads that decode and write: more than cores, since they wait for the disk."""
GRACE = 3600.0
"""Seconds for which an unused file is kept: its transaction may still follow."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, repr=False)
class StoredPhoto(Brief):
    """A photo whose file is stored. `thumbnail`: a JPEG."""

    sha256: str
    thumbnail: bytes


def resized_jpeg(data: bytes, side: int = 640) -> bytes:
    """Return a photo as a JPEG of at most `side` pixels. Raises PhotoError."""
    image = Image.fromarray(decode(data, short_side=side).pixels)
    image.thumbnail((side, side))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=85)
    return file.getvalue()


class PhotoFiles:
    """A folder of photo files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, sha256: str) -> Path:
        """The path of a photo, whether or not the file exists."""
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"{sha256!r} is not a sha256")
        return self.folder / sha256[:2] / sha256

    def add(self, data: bytes | NDArray[np.uint8]) -> StoredPhoto:
        """Decode a photo and write its file if it is missing; pixels are written as PNG.

        Raises PhotoError if it cannot be decoded, ProjectError if it cannot be written.
        """
        if not isinstance(data, bytes):
            data = png(decode(data).pixels)
        image = decode(data, short_side=2 * THUMBNAIL)
        small = thumbnail(image.pixels, image.width / image.height)
        sha256 = content_hash(data)
        path = self.path(sha256)
        try:
            if path.exists():
                os.utime(path)  # recent again, so that `remove_unused` spares it
            else:
                write_atomically(path, data)
        except OSError as error:
            full = error.errno == errno.ENOSPC
            raise ProjectError(
                f"The disk of {self.folder} "
                f"{'is full' if full else f'cannot be written ({error.strerror})'}: a photo of "
                f"{len(data):,} bytes was not added. Free some space and try again."
            ) from error
        return StoredPhoto(sha256, small)

    def add_all(
        self, photos: Sequence[Photo]
    ) -> tuple[list[tuple[Photo, StoredPhoto]], tuple[Skipped, ...]]:
        """`add` photos in parallel; return the stored ones, and the skipped ones with reasons.

        Raises ProjectError.
        """
        stored: list[tuple[Photo, StoredPhoto]] = []
        skipped: list[Skipped] = []

        def add(photo: Photo) -> StoredPhoto | str:
            try:
                return self.add(photo.read())
            except PhotoError as error:
                return str(error)

        with ThreadPoolExecutor(WORKERS, thread_name_prefix="eyespot") as pool:
            try:
                for photo, result in zip(photos, pool.map(add, photos), strict=True):
                    if isinstance(result, StoredPhoto):
                        stored.append((photo, result))
                    else:
                        skipped.append(Skipped(photo.name, result))
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
        return stored, tuple(skipped)

    def require(self, sha256: str) -> None:
        """Check, inside a transaction, that the file still exists. Raises ProjectError."""
        if not self.path(sha256).exists():
            raise ProjectError("A photo's file was removed meanwhile. Add the photo again.")

    def read(self, sha256: str) -> bytes | None:
        """Return the file, None if it is missing. Raises PhotoError if it cannot be read."""
        try:
            return self.path(sha256).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise PhotoError(f"cannot be read: {error.strerror}") from error

    def remove_unused(self, used: Collection[str]) -> None:
        """Remove the files outside `used`, except those of the last hour."""
        recent = time.time() - GRACE
        for path in self.folder.glob("*/*"):
            with contextlib.suppress(OSError):  # the next call tries again
                if path.name not in used and path.stat().st_mtime < recent:
                    path.unlink()


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Encode uint8 [H, W, 3] as PNG."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()
