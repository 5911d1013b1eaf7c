"""Write files atomically: after a kill at any moment, the old file or the new one is there."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

LONGEST_NAME = 255
"""Bytes of a file name, on nearly every file system."""


@contextlib.contextmanager
def atomic_writer(path: Path) -> Iterator[BinaryIO]:
    """A binary file that replaces `path` when the block succeeds and is deleted when it fails.

    On Linux, the file has no name until it is complete, so even a kill leaves no draft behind.
    Symbolic links are followed; devices and pipes are written to directly. Raises OSError as
    writing does (no space, no permission); `path` is unchanged then.
    """
    path = Path(path)
    if path.exists() and not path.is_file() and not path.is_dir():
        with path.open("wb") as file:
            yield file
        return
    path = path.resolve()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft, handle = _nameless(path) or _named(path)
    except OSError as error:  # name the file, not its draft
        raise OSError(error.errno, error.strerror, str(path)) from error
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            if hasattr(os, "fchmod") and path.is_file():  # keep private files private
                os.fchmod(file.fileno(), path.stat().st_mode & 0o7777)
            if not draft.exists():
                own = file.fileno()  # src_dir_fd has no effect but to make Python follow the link
                os.link(f"/proc/self/fd/{own}", draft, src_dir_fd=own, follow_symlinks=True)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def write_atomically(path: Path, content: bytes) -> None:
    """Replace `path` by a file that holds `content`."""
    with atomic_writer(path) as file:
        file.write(content)


def _nameless(path: Path) -> tuple[Path, int] | None:
    """A future name and the handle of a file without a name; None where those do not exist."""
    try:
        return _draft(path), os.open(path.parent, os.O_TMPFILE | os.O_WRONLY, 0o666)
    except (AttributeError, OSError):  # not Linux, or a file system without it
        return None


def _named(path: Path) -> tuple[Path, int]:
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)
    return (draft := _draft(path)), os.open(draft, flags, 0o666)


def _draft(path: Path) -> Path:
    """A short random name: one derived from the file's name may be too long."""
    return path.with_name(f".{os.urandom(6).hex()}.part")
