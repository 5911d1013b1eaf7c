"""Processes that decode photos, apart from the server.

Some decoders hold the interpreter's lock, and a hostile file may crash a decoder. In a process of
its own, neither delays the other requests, and a decode that nobody waits for can be ended.
"""

import atexit
import logging
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any, TypeVar

from eyespot.errors import PhotoError
from eyespot.serve.threads import NICENESS, background
from eyespot.shown import Brief

logger = logging.getLogger(__name__)

T = TypeVar("T")

CHECK = 0.1
"""Seconds between two looks at whether somebody still waits for a photo."""
PATIENCE = 10.0
"""Seconds in which an idle process ends."""
_spawn = multiprocessing.get_context("spawn")


@dataclass(slots=True, repr=False)
class _Job(Brief):
    decode: Callable[[bytes], Any]
    data: bytes
    result: "Future[Any]" = field(default_factory=Future)

    def forget(self, result: "Future[Any]") -> None:
        """Free the photo, also of a cancelled job before its turn comes."""
        self.data = b""


class Decoders:
    """`count` processes."""

    def __init__(self, count: int) -> None:
        self._pool = background(count, "decode")
        self._idle: SimpleQueue[_Process] = SimpleQueue()
        for _ in range(count):
            self._idle.put(_Process())

    def submit(self, decode: Callable[[bytes], T], data: bytes) -> "Future[T]":
        """`decode(data)`, or what it raises. Cancelling the future ends the decode.

        `decode`: can be pickled, as a function of a module and a `partial` of one can.
        """
        job = _Job(decode, data)
        job.result.add_done_callback(job.forget)
        self._pool.submit(self._run, job)
        return job.result

    def close(self) -> None:
        """Decode the photos in progress, then end the processes. Call `submit` no more."""
        self._pool.shutdown()
        while not self._idle.empty():
            self._idle.get().close()

    def _run(self, job: _Job) -> None:
        if job.result.cancelled():
            return
        process = self._idle.get()
        try:
            result = process.run(job)
        except Exception as error:
            result = error
        self._idle.put(process)
        if not job.result.set_running_or_notify_cancel():
            return
        if isinstance(result, Exception):
            job.result.set_exception(result)
        else:
            job.result.set_result(result)


class _Process:
    """A process that decodes one photo at a time, and is replaced if it ends."""

    def __init__(self) -> None:
        self._start()
        # A server that exits without `close` would wait for a process that ignores SIGTERM.
        atexit.register(self._kill)

    def run(self, job: _Job) -> Any:
        """What `job` returns or raises; PhotoError if the process ends before."""
        data = job.data
        for _ in range(2):  # the process may have ended while it was idle
            try:
                self._pipe.send(job.decode)
                break
            except OSError:
                self._replace("decoder died")
        try:
            self._pipe.send_bytes(data)
            while not self._pipe.poll(CHECK):
                if job.result.cancelled():
                    self._replace("decoder killed")
                    return None
            return self._pipe.recv()
        except (EOFError, OSError):
            self._replace("decoder died")
            return PhotoError("its decoder crashed. Save it again as JPEG or PNG")

    def close(self) -> None:
        """End the process."""
        atexit.unregister(self._kill)
        self._pipe.close()
        self._process.join(PATIENCE)
        self._process.kill()

    def _start(self) -> None:
        self._pipe, theirs = _spawn.Pipe()
        self._process = _spawn.Process(target=_work, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def _kill(self) -> None:
        self._process.kill()

    def _replace(self, event: str) -> None:
        self._process.kill()
        self._process.join()
        self._pipe.close()
        facts = {"pid": self._process.pid, "exit_code": self._process.exitcode}
        logger.warning(event, extra={"facts": facts})
        self._start()


def _work(pipe: Connection) -> None:
    """Entry point of a process. It ends with the server, which handles the signals."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    if sys.platform != "win32":
        os.nice(NICENESS)
    while True:
        try:
            decode = pipe.recv()
            data = pipe.recv_bytes()
        except EOFError:
            return
        pipe.send(_result(decode, data))


def _result(decode: Callable[[bytes], Any], data: bytes) -> Any:
    try:
        return decode(data)
    except MemoryError:
        return PhotoError("decoding it needs more memory than the server has")
    except Exception as error:
        return error
