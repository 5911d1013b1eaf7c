"""Open files without blocking: a path may lead to a pipe or a device."""

import errno
import io
import os
import stat
from pathlib import Path


def is_file(path: Path) -> bool:
    """Whether `path` is a regular file, or a link to one, whose status can be read."""
    try:
        expect_file(path)
    except (OSError, ValueError):
        return False
    return True


def expect_file(path: Path) -> os.stat_result:
    """The status of a regular file. Raises OSError for anything else (a folder, pipe, device or
    socket) and ValueError for an invalid path."""
    status = Path(path).stat()
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder", str(path))
    if not stat.S_ISREG(status.st_mode):  # opening it may block, or have effects
        raise OSError(errno.EINVAL, "it is a pipe, a device or a socket, not a file", str(path))
    return status


def open_file(path: Path) -> io.BytesIO | io.BufferedReader:
    """Open a file to read its bytes. Raises as `expect_file`, and OSError as opening does.

    A file of size 0 reads as empty: files of /proc have size 0, and reading some blocks or never
    ends.
    """
    if not expect_file(path).st_size:
        return io.BytesIO()
    # O_NONBLOCK: the file may have become a pipe since.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    return os.fdopen(handle, "rb")


def read_file(path: Path, most: int) -> bytes:
    """The bytes of a file, at most `most` + 1 of them. Raises as `open_file`."""
    with open_file(path) as file:
        return file.read(most + 1)
