"""The files of pictures, named by their sha256: the same picture in many projects is one file."""

import contextlib
import errno
import io
import os
import re
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from eyespot.atomic import write_atomically
from eyespot.data.decode import decode
from eyespot.data.photos import Photo, Skipped, content_hash
from eyespot.errors import PhotoError, ProjectError, Stopped
from eyespot.features.extract import THUMBNAIL, thumbnail
from eyespot.shown import Brief

WORKERS = 4
"""Threads that check and write: more than cores, since they wait for the disk."""
GRACE = 3600.0
"""Seconds for which a file that nothing names yet is kept: its transaction may be about to come."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, repr=False)
class Kept(Brief):
    """A picture whose file is kept. `thumbnail`: a JPEG."""

    sha256: str
    thumbnail: bytes


def _png(pixels: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def shrunk(data: bytes, side: int = 640) -> bytes:
    """A picture as a JPEG of at most `side` pixels. Raises PhotoError."""
    image = Image.fromarray(decode(data, short_side=side).pixels)
    image.thumbnail((side, side))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=85)
    return file.getvalue()


class Pictures:
    """A folder of pictures."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, sha256: str) -> Path:
        """Where the picture is, or would be."""
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"{sha256!r} is no sha256")
        return self.folder / sha256[:2] / sha256

    def keep(self, data: bytes | NDArray[np.uint8]) -> Kept:
        """See that it is a picture, and write its file if it is not there; pixels become a PNG.

        Raises PhotoError with the reason if it is no picture, ProjectError if the disk refuses.
        """
        if not isinstance(data, bytes):
            data = _png(decode(data).pixels)
        picture = decode(data, short_side=2 * THUMBNAIL)
        small = thumbnail(picture.pixels, picture.width / picture.height)
        sha256 = content_hash(data)
        path = self.path(sha256)
        try:
            if path.exists():
                os.utime(path)  # young again: `sweep` leaves it to the transaction that follows
            else:
                write_atomically(path, data)
        except OSError as error:
            why = "is full" if error.errno == errno.ENOSPC else f"refuses ({error.strerror})"
            raise ProjectError(
                f"The disk of {self.folder} {why}: a picture of {len(data):,} bytes cannot be "
                "kept. Nothing was changed; make room and try again."
            ) from error
        return Kept(sha256, small)

    def keep_all(
        self,
        photos: Sequence[Photo],
        progress: Callable[[int], None] = lambda done: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> tuple[list[tuple[Photo, Kept]], tuple[Skipped, ...]]:
        """`keep` each, on several threads: those that could be read, and why the others could not.

        `progress` is told of each. Raises ProjectError, and Stopped if `stopped` says so.
        """
        kept: list[tuple[Photo, Kept]] = []
        skipped: list[Skipped] = []

        def one(photo: Photo) -> Kept | str:
            try:
                return self.keep(photo.read())
            except PhotoError as error:
                return str(error)

        with ThreadPoolExecutor(WORKERS, thread_name_prefix="eyespot") as pool:
            try:
                for photo, found in zip(photos, pool.map(one, photos), strict=True):
                    if stopped():
                        raise Stopped("Stopped. Nothing was changed.")
                    if isinstance(found, Kept):
                        kept.append((photo, found))
                    else:
                        skipped.append(Skipped(photo.name, found))
                    progress(1)
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
        return kept, tuple(skipped)

    def require(self, sha256: str) -> None:
        """Inside a transaction: see that the file is still there. Raises ProjectError."""
        if not self.path(sha256).exists():
            raise ProjectError("A picture's file was removed meanwhile. Add it again.")

    def read(self, sha256: str) -> bytes | None:
        """The file, or None if it is not there. Raises PhotoError if it cannot be read."""
        try:
            return self.path(sha256).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise PhotoError(f"cannot be read: {error.strerror}") from error

    def sweep(self, needed: Collection[str]) -> int:
        """Remove the files that nothing needs, but for those of the last hour. How many."""
        young = time.time() - GRACE
        gone = 0
        for path in self.folder.glob("*/*"):
            with contextlib.suppress(OSError):  # another time, then
                if path.name not in needed and path.stat().st_mtime < young:
                    path.unlink()
                    gone += 1
        return gone
