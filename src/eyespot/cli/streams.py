"""Standard streams that work does not depend on: it goes on when nobody reads (any more).

A reader may go at any time (`| head -2`, less, a lost connection), and a stream may be closed from
the beginning (`2>&-`, pythonw, daemons). What is said then is heard by nobody, and what is done is
done: the exit code tells of the work alone.
"""

import contextlib
import errno
import io
import os
import sys
from typing import Any, TextIO

GONE = {errno.EPIPE, errno.ECONNRESET, errno.ESHUTDOWN, errno.EIO}
"""How the system says that a stream has no reader; EIO is of a terminal that hung up."""
if sys.platform == "win32":
    GONE.add(errno.EINVAL)


class Patient(io.FileIO):
    """A file that drops what is written once its reader is `gone`. A full disk is no such thing."""

    gone = False

    def write(self, data: Any) -> int:
        if not self.gone:
            try:
                return super().write(data)
            except OSError as error:
                if error.errno not in GONE:
                    raise
                self.gone = True
        return memoryview(data).nbytes


def outlive_readers() -> None:
    """Make the standard streams such that writing to them fails for a full disk alone, and open
    those that are closed on nothing."""
    for number in range(3):
        _open(number)
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115
    sys.stdout = _patient(sys.stdout, 1)
    sys.stderr = _patient(sys.stderr, 2)


def reader_is_gone() -> bool:
    """Whether nobody reads standard output any more."""
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return isinstance(raw, Patient) and raw.gone


def expect_reader() -> None:
    """For what does nothing but print: raises BrokenPipeError where nobody reads any more."""
    if reader_is_gone():
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def _open(number: int) -> None:
    """Else the next file that is opened would get the number, and what libraries print."""
    try:
        os.fstat(number)
    except OSError:
        nothing = os.open(os.devnull, os.O_RDWR)
        if nothing != number:
            os.dup2(nothing, number)
            os.close(nothing)
        os.set_inheritable(number, True)


def _patient(stream: TextIO | None, number: int) -> TextIO:
    """The same with another file below; what is no file (a console of Windows) stays."""
    if stream is None:
        return io.TextIOWrapper(Patient(number, "w", closefd=False), "utf-8", "replace")
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    if not isinstance(getattr(stream.buffer, "raw", stream.buffer), io.FileIO):
        stream.reconfigure(errors="replace")
        return stream
    with contextlib.suppress(OSError):
        stream.flush()
    raw = Patient(number, "w", closefd=False)
    return io.TextIOWrapper(
        raw if stream.write_through else io.BufferedWriter(raw),
        stream.encoding,
        "replace",  # a terminal without bars or umlauts shows "?"
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
