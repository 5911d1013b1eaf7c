"""What workers do in `test_workers.py`: they say that they answer, and wait to be told to end."""

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable

from eyespot.serve.settings import METRICS_FOLDER, Settings

logger = logging.getLogger("eyespot")


def answer(settings: Settings, listener: socket.socket, started: Callable[[], None]) -> int:
    folder, told = settings.files[0], threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: told.set())
    (folder / "metrics").write_text(os.environ[METRICS_FOLDER])
    (folder / str(os.getpid())).touch()
    started()
    while not told.wait(0.02):
        pass
    listener.close()
    return 0


def answer_unless_damaged(
    settings: Settings, listener: socket.socket, started: Callable[[], None]
) -> int:
    if (settings.files[0] / "damaged").exists():
        (settings.files[0] / "tried").touch()
        return refuse(settings, listener, started)
    return answer(settings, listener, started)


def answer_slowly(settings: Settings, listener: socket.socket, started: Callable[[], None]) -> int:
    (settings.files[0] / "port").write_text(str(listener.getsockname()[1]))
    answer(settings, listener, started)
    while not (settings.files[0] / "go").exists():
        time.sleep(0.02)
    return 0


def refuse(settings: Settings, listener: socket.socket, started: Callable[[], None]) -> int:
    logger.error("cannot serve", extra={"facts": {"why": "no disk"}})
    return 1


def fail(settings: Settings, listener: socket.socket, started: Callable[[], None]) -> int:
    raise OSError("no disk")
