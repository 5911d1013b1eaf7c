"""The process, or processes, behind the address."""

import errno
import ipaddress
import logging
import os
import signal
import socket
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import uvicorn
from threadpoolctl import threadpool_limits
from uvicorn.supervisors import Multiprocess

from eyespot.classifier import load
from eyespot.errors import UsageError
from eyespot.serve.logs import write_json_lines
from eyespot.serve.settings import METRICS_FOLDER, Settings
from eyespot.serve.shelf import name_of
from eyespot.web.listening import listen

if TYPE_CHECKING:
    from eyespot.serve.front import Front

logger = logging.getLogger(__name__)


def run(
    settings: Settings,
    host: str,
    port: int,
    workers: int,
    say: Callable[[str], None],
    *,
    open_to_all: bool = False,
) -> None:
    """Serve until told to end (SIGTERM, SIGINT); what was accepted is answered first.

    `port` 0: any that is free. `say`: told the address once the files are known to be good.
    Raises UsageError if `host` is none of this machine's, if `port` is taken, or if others could
    call and no key is asked of them; and what `classifier.load` and `open_engine` raise.
    """
    try:
        listener = listen(host, port)
    except (OSError, UnicodeError) as error:
        taken = isinstance(error, OSError) and error.errno in (errno.EADDRINUSE, errno.EACCES)
        other = "port: --port 8800" if taken else "address, one of this machine: --host 127.0.0.1"
        raise UsageError(
            f"The server cannot listen at {host}, port {port} ({error}). Name another {other}"
        ) from error
    with listener:
        number = listener.getsockname()[1]
        local = ipaddress.ip_address(listener.getsockname()[0]).is_loopback
        if not (local or settings.keys or open_to_all):
            raise UsageError(
                f"At {host} others than this machine can call. Ask them for a key (--api-keys "
                "FILE), or say that anybody may: --open"
            )
        for path in settings.files:
            _ = load(path).engine  # what cannot be opened is said here, and networks are converted
        address = f"http://{f'[{host}]' if ':' in host else host}:{number}/"
        say(address)
        write_json_lines()
        facts = {"address": address, "models": [name_of(path) for path in settings.files]}
        logger.info("started", extra={"facts": facts})
        _serve(replace(settings, local=local and not open_to_all), listener, workers)
        logger.info("stopped")


class _Server(uvicorn.Server):
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        logger.info("stopping")
        await super().shutdown(sockets)


class _Servers(Multiprocess):
    def terminate_all(self) -> None:
        logger.info("stopping")
        super().terminate_all()


def _serve(settings: Settings, listener: socket.socket, workers: int) -> None:
    config = uvicorn.Config(
        partial(_application, settings),
        factory=True,
        workers=workers,
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        ws="none",
    )
    if workers > 1:
        with tempfile.TemporaryDirectory(prefix="eyespot-metrics-") as folder:
            os.environ[METRICS_FOLDER] = folder
            _Servers(config, [listener]).run()
        return
    # When all is done, uvicorn raises the signal again that ended it: it has done its work by then.
    signal.signal(signal.SIGTERM, lambda number, frame: None)
    with suppress(KeyboardInterrupt):
        _Server(config).run([listener])


def _application(settings: Settings) -> "Front":
    """What each process starts with."""
    from eyespot.serve.app import create_app

    write_json_lines()
    # Every core has a worker already; threads of one matrix product would only wait for each other.
    threadpool_limits(1, "blas")
    return create_app(settings)
