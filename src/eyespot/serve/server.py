"""The server's process or processes."""

import errno
import ipaddress
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial

import uvicorn
from threadpoolctl import threadpool_limits

from eyespot.errors import EyespotError, UsageError
from eyespot.serve.logs import write_json_lines
from eyespot.serve.settings import Settings
from eyespot.serve.shelf import name_of
from eyespot.serve.threads import background
from eyespot.serve.workers import SAFE_PATH, Workers
from eyespot.tasks.task import load
from eyespot.web.draining import Draining
from eyespot.web.listening import allow_many_files, listen
from eyespot.web.protocol import bounded

logger = logging.getLogger(__name__)

ACCEPTED = 32
"""Connections accepted in one round of the event loop. uvloop accepts one for each listening
socket, so with one socket ordinary clients would wait for seconds behind a crowd."""
SWITCH = 5e-4
"""Seconds after which a computing thread gives the interpreter's lock to the event loop. With
Python's default of 5 ms, each part of a request would wait ten times as long."""


def run(
    settings: Settings,
    host: str,
    port: int,
    workers: int,
    say: Callable[[str], None],
    *,
    open_to_all: bool = False,
) -> int:
    """Serve until SIGTERM or SIGINT; accepted requests are answered first. Returns the exit code: 0
    after a signal, 1 if no process could serve, or none is left.

    `port` 0: any free port. `say`: called with the address once the server is ready.
    Raises UsageError if `host` is not an address of this machine, if `port` is taken, or if other
    machines could connect without a key; and what `classifier.load` and `open_engine` raise.
    """
    try:
        listener = listen(host, port)
    except (OSError, UnicodeError) as error:
        taken = isinstance(error, OSError) and error.errno in (errno.EADDRINUSE, errno.EACCES)
        other = "port: --port 8800" if taken else "address, one of this machine: --host 127.0.0.1"
        raise UsageError(
            f"The server cannot listen at {host}, port {port} ({error}). Choose another {other}"
        ) from error
    with listener:
        number = listener.getsockname()[1]
        local = ipaddress.ip_address(listener.getsockname()[0]).is_loopback
        if not (local or settings.keys or open_to_all):
            raise UsageError(
                f"Other machines can connect to {host}. Require a key with --api-keys FILE, or "
                "allow everybody with --open"
            )
        for path in settings.files:
            _ = load(path).engine  # report errors, and convert networks, before serving
        address = f"http://{f'[{host}]' if ':' in host else host}:{number}/"
        write_json_lines()
        decoders = max(1, settings.decoders // workers)
        settings = replace(settings, local=local and not open_to_all, decoders=decoders)
        code = _serve(settings, listener, workers, partial(_started, settings, address, say))
        logger.info("stopped")
        return code


def _started(settings: Settings, address: str, say: Callable[[str], None]) -> None:
    say(address)
    facts = {"address": address, "models": [name_of(path) for path in settings.files]}
    logger.info("started", extra={"facts": facts})


def _serve(
    settings: Settings, listener: socket.socket, workers: int, started: Callable[[], None]
) -> int:
    if workers > 1:
        return Workers(_answer, workers, settings, listener, started).run()
    os.environ[SAFE_PATH] = "1"
    # uvicorn raises the signal again after its shutdown; ignore it then.
    signal.signal(signal.SIGTERM, lambda number, frame: None)
    return _answer(settings, listener, started, partial(logger.info, "stopping"))


class _Server(uvicorn.Server):
    """A server that reports its start and its shutdown."""

    def __init__(
        self, config: uvicorn.Config, begun: Callable[[], None], stopping: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._begun, self._stopping = begun, stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._begun()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._stopping()
        await super().shutdown(sockets)


def _answer(
    settings: Settings,
    listener: socket.socket,
    started: Callable[[], None],
    stopping: Callable[[], None] = lambda: None,
) -> int:
    """Serve in this process until a signal; the exit code."""
    from eyespot.serve.app import create_app
    from eyespot.serve.problems import error_form

    sys.setswitchinterval(SWITCH)
    allow_many_files()
    # Each core has a worker; more threads in one matrix product would only wait.
    threadpool_limits(1, "blas")
    try:
        with background(1, "start") as pool:
            app = pool.submit(create_app, settings).result()
    except (EyespotError, OSError, MemoryError) as error:
        logger.error("cannot serve", extra={"facts": {"why": str(error) or "out of memory"}})
        return 1
    except Exception:
        logger.exception("cannot serve")
        return 1
    config = uvicorn.Config(
        Draining(app),
        http=bounded(settings.limits.seconds, error_form),
        log_config=None,
        log_level="error",  # `web.protocol` logs refusals
        access_log=False,
        server_header=False,
        ws="none",
    )
    server = _Server(config, started, stopping)
    with suppress(KeyboardInterrupt):
        server.run([listener, *(listener.dup() for _ in range(ACCEPTED - 1))])
    return 0 if server.started else 1
