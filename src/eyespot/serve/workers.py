"""Several worker processes behind one address, and the parent process that supervises them.

The parent replaces a worker that dies, after a pause that doubles while replacements fail; the
other workers continue. Workers end with the parent, however it ends: each holds one end of a pipe,
which closes then.
"""

import _thread
import logging
import multiprocessing
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection, wait

from prometheus_client.multiprocess import mark_process_dead

from eyespot.serve.logs import write_json_lines
from eyespot.serve.settings import METRICS_FOLDER, Settings

logger = logging.getLogger(__name__)

Work = Callable[[Settings, socket.socket, Callable[[], None]], int]
"""Serves until SIGTERM and calls the last argument once it is ready. Returns the exit code."""

PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds before a dead worker is replaced: at first, and at most."""
GRACE = 30.0
"""Seconds beyond the time limit of a request after which a worker is killed at shutdown."""
SAFE_PATH = "PYTHONSAFEPATH"
"""Environment variable with which new processes import nothing from the current folder."""
_spawn = multiprocessing.get_context("spawn")


class _Worker:
    """A worker process. `news`: receives a message once it is ready, and closes when it ends."""

    def __init__(self, work: Work, settings: Settings, listener: socket.socket) -> None:
        self.news, news = _spawn.Pipe(duplex=False)
        life, self._life = _spawn.Pipe(duplex=False)
        self.process = _spawn.Process(target=_begin, args=(work, settings, listener, news, life))
        self.process.start()
        news.close()
        life.close()
        self.answers = False

    def tell_to_end(self) -> None:
        with suppress(BrokenPipeError):  # it has ended already
            self._life.send_bytes(b"end")

    def join(self, seconds: float | None = None) -> None:
        self.process.join(seconds)
        if self.process.exitcode is None:
            logger.error("killed worker", extra={"facts": {"pid": self.process.pid}})
            self.process.kill()
            self.process.join()
        self.news.close()
        self._life.close()


def _begin(
    work: Work, settings: Settings, listener: socket.socket, news: Connection, life: Connection
) -> None:
    """Entry point of a worker process."""
    write_json_lines()
    signal.signal(signal.SIGTERM, lambda number, frame: os._exit(0))  # before anything is accepted
    threading.Thread(target=_end_with, args=(life,), daemon=True).start()
    try:
        code = work(settings, listener, lambda: news.send_bytes(b"answers"))
    except Exception:
        logger.exception("failed")
        code = 1
    sys.exit(code)


def _end_with(life: Connection) -> None:
    try:
        life.recv_bytes()
    except EOFError:  # the parent is gone and cannot clean up
        shutil.rmtree(os.environ[METRICS_FOLDER], ignore_errors=True)
    _thread.interrupt_main(signal.SIGTERM)


class Workers:
    """`count` processes that run `work`. `started`: called once all of them are ready."""

    def __init__(
        self,
        work: Work,
        count: int,
        settings: Settings,
        listener: socket.socket,
        started: Callable[[], None],
    ) -> None:
        self._work, self._settings, self._listener = work, settings, listener
        self._count, self._started, self._have_started = count, started, False
        self._workers: list[_Worker] = []
        self._pause, self._next = PAUSE, 0.0

    def run(self) -> int:
        """Supervise the workers until SIGTERM or SIGINT. Returns 0, or 1 if the workers fail to
        start, at first or when none is left."""
        os.environ[SAFE_PATH] = "1"
        stop, stopper = _spawn.Pipe(duplex=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda number, frame: stopper.send_bytes(b"end"))
        with tempfile.TemporaryDirectory(prefix="eyespot-metrics-") as folder:
            os.environ[METRICS_FOLDER] = folder
            while (code := self._supervise(stop)) is None:
                pass
            self._end()
        return code

    def _supervise(self, stop: Connection) -> int | None:
        """Wait for one event; the exit code if it was the last."""
        if time.monotonic() >= self._next and not self._fill():
            return 1
        missing = len(self._workers) < self._count
        patience = max(0.0, self._next - time.monotonic()) if missing else None
        ready = wait([stop, *(worker.news for worker in self._workers)], patience)
        if stop in ready:
            logger.info("stopping")
            return 0
        for worker in [worker for worker in self._workers if worker.news in ready]:
            if not self._handle_news(worker):
                return 1
        return None

    def _fill(self) -> bool:
        """Start missing workers, or plan another attempt; False if there is no worker at all."""
        try:
            while len(self._workers) < self._count:
                self._workers.append(_Worker(self._work, self._settings, self._listener))
        except OSError as error:  # no memory, or too many processes
            logger.error("cannot start worker", extra={"facts": {"why": str(error)}})
            self._next = time.monotonic() + self._pause
        return bool(self._workers)

    def _handle_news(self, worker: _Worker) -> bool:
        """Whether to continue: the worker is ready, or died and can be replaced."""
        try:
            worker.news.recv_bytes()
        except EOFError:
            return self._lost(worker)
        worker.answers, self._pause = True, PAUSE
        if not self._have_started and all(one.answers for one in self._workers):
            self._have_started = True
            self._started()
        return True

    def _lost(self, worker: _Worker) -> bool:
        self._workers.remove(worker)
        worker.join()
        mark_process_dead(worker.process.pid)  # type: ignore[no-untyped-call]
        facts = {"pid": worker.process.pid, "exit_code": worker.process.exitcode}
        if not worker.answers and not (self._have_started and self._workers):
            logger.error("workers failed to start", extra={"facts": facts})
            return False
        if not worker.answers:
            self._pause = min(2 * self._pause, LONGEST_PAUSE)
        self._next = time.monotonic() + self._pause
        logger.error("worker died", extra={"facts": {**facts, "next_in_seconds": self._pause}})
        return True

    def _end(self) -> None:
        """Stop accepting, answer the accepted requests, end the workers."""
        self._listener.close()
        for worker in self._workers:
            worker.tell_to_end()
        for worker in self._workers:
            worker.join(self._settings.limits.seconds + GRACE)
