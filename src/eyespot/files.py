"""Open files of others without ever waiting: what bears a file's name may be a pipe or a device."""

import errno
import io
import os
import stat
from pathlib import Path


def is_file(path: Path) -> bool:
    """Whether there is a file, or a link to one, that can be asked."""
    try:
        expect_file(path)
    except (OSError, ValueError):
        return False
    return True


def expect_file(path: Path) -> os.stat_result:
    """A file's status. Raises OSError if it is none, as a folder, pipe, device or socket is, and
    ValueError if its name cannot be one."""
    status = Path(path).stat()
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder", str(path))
    if not stat.S_ISREG(status.st_mode):  # to open it may wait for ever, or do something
        raise OSError(errno.EINVAL, "it is a pipe, a device or a socket, not a file", str(path))
    return status


def open_file(path: Path) -> io.BytesIO | io.BufferedReader:
    """Open a file to read its bytes. Raises as `expect_file`, and OSError as opening does.

    One that says that it has no bytes has none: those of /proc say so, and then wait or never end.
    """
    if not expect_file(path).st_size:
        return io.BytesIO()
    # The file may have become a pipe since: then opening does not wait.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    return os.fdopen(handle, "rb")


def read_file(path: Path, most: int) -> bytes:
    """A file's bytes; one more than `most` if there are more. Raises as `open_file`."""
    with open_file(path) as file:
        return file.read(most + 1)
