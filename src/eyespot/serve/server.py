"""The process, or processes, behind the address."""

import ipaddress
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
from eyespot.web.listening import listen

if TYPE_CHECKING:
    from eyespot.serve.front import Front


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
    Raises UsageError if `port` is taken, or if others could call and no key is asked of them; and
    what `classifier.load` and `open_engine` raise.
    """
    try:
        listener = listen(host, port)
    except (OSError, UnicodeError) as error:
        raise UsageError(
            f"The server cannot listen at {host}, port {port} ({error}). Name another one: "
            "--port 8800"
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
        say(f"http://{f'[{host}]' if ':' in host else host}:{number}/")
        _serve(replace(settings, local=local and not open_to_all), listener, workers)


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
            write_json_lines()
            Multiprocess(config, [listener]).run()
        return
    # When all is done, uvicorn raises the signal again that ended it: it has done its work by then.
    signal.signal(signal.SIGTERM, lambda number, frame: None)
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run([listener])


def _application(settings: Settings) -> "Front":
    """What each process starts with."""
    from eyespot.serve.app import create_app

    write_json_lines()
    # Every core has a worker already; threads of one matrix product would only wait for each other.
    threadpool_limits(1, "blas")
    return create_app(settings)
