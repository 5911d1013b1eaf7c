"""Standard streams without readers do not interrupt the work.

A reader may close a stream at any time (`| head -2`, less, a lost connection), and a stream may be
closed from the start (`2>&-`, pythonw, daemons). Output is then dropped, and the exit code depends
on the work alone.
"""

import contextlib
import errno
import io
import os
import sys
from typing import Any, TextIO

GONE = {errno.EPIPE, errno.ECONNRESET, errno.ESHUTDOWN, errno.EIO}
"""Errors of a stream without a reader; EIO comes from a terminal that hung up."""
if sys.platform == "win32":
    GONE.add(errno.EINVAL)


class Patient(io.FileIO):
    """A file that drops its output once its reader is `gone`. A full disk still raises."""

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
    """Wrap the standard streams so that writing fails for a full disk alone, and connect closed
    streams to the null device."""
    for number in range(3):
        _open(number)
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115
    sys.stdout = _patient(sys.stdout, 1)
    sys.stderr = _patient(sys.stderr, 2)


def reader_is_gone() -> bool:
    """Whether standard output has lost its reader."""
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return isinstance(raw, Patient) and raw.gone


def expect_reader() -> None:
    """For work that only prints: raises BrokenPipeError if standard output has no reader."""
    if reader_is_gone():
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def _open(number: int) -> None:
    """Open a closed stream: the next opened file would get its number, and libraries' output."""
    try:
        os.fstat(number)
    except OSError:
        nothing = os.open(os.devnull, os.O_RDWR)
        if nothing != number:
            os.dup2(nothing, number)
            os.close(nothing)
        os.set_inheritable(number, True)


def _patient(stream: TextIO | None, number: int) -> TextIO:
    """The stream on a `Patient` file; a stream without a file (a Windows console) stays."""
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
