"""Write files so that a kill at any moment leaves the old file or the new one, never half of it."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

LONGEST_NAME = 255
"""Bytes of a file's name, on nearly every file system."""


@contextlib.contextmanager
def atomic_writer(path: Path) -> Iterator[BinaryIO]:
    """A binary file that becomes `path` when the block ends well, and vanishes if it does not.

    Where the system can (Linux), the file has no name until it is whole, so that not even a kill
    leaves a draft behind. A link is followed; a device or pipe is written to as it is. Raises
    OSError as writing does (no space, no permission); `path` is then as it was.
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
    except OSError as error:  # told of the file that was asked for, not of its draft
        raise OSError(error.errno, error.strerror, str(path)) from error
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            if hasattr(os, "fchmod") and path.is_file():  # what was made private stays so
                os.fchmod(file.fileno(), path.stat().st_mode & 0o7777)
            if not draft.exists():
                own = file.fileno()  # as a folder it says nothing, but makes Python follow the link
                os.link(f"/proc/self/fd/{own}", draft, src_dir_fd=own, follow_symlinks=True)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def write_atomically(path: Path, content: bytes) -> None:
    """Make `content` the whole content of `path`."""
    with atomic_writer(path) as file:
        file.write(content)


def _nameless(path: Path) -> tuple[Path, int] | None:
    """A file without a name, and the one it may take; None where there is no such thing."""
    try:
        handle = os.open(path.parent, os.O_TMPFILE | os.O_WRONLY, 0o666)
    except (AttributeError, OSError):  # another system, or a file system that does not know it
        return None
    # A short name of its own: with that of the file in it, it would be too long for some.
    return path.with_name(f".{os.urandom(6).hex()}.part"), handle


def _named(path: Path) -> tuple[Path, int]:
    handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
    draft = Path(name)
    draft.chmod(0o666 & ~_umask())
    return draft, handle


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
