"""Where the studio listens: on this machine alone; and how a browser is told of it.

What a process is called with, any user of the machine can read (`ps`). So the browser is not called
with the address, which holds the token, but with a file that its owner alone can read, and which
goes on to the address.
"""

import asyncio
import contextlib
import logging
import secrets
import socket
import tempfile
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import uvicorn

from eyespot.errors import UsageError
from eyespot.limits import MAX_REQUEST_SECONDS
from eyespot.studio.app import create_app, open_classrooms
from eyespot.studio.classroom import Classrooms
from eyespot.web.draining import Draining
from eyespot.web.listening import allow_many_files, listen
from eyespot.web.protocol import bounded

HOST = "127.0.0.1"
PORT = 8765
"""Where the studio is if nothing is said and nobody else is there."""
LETTER = """<!doctype html>
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url={address}">
<title>eyespot studio</title>
<a href="{address}">Go on to the studio</a>
"""


class _Server(uvicorn.Server):
    """Ends at once: pages that wait for news would keep it until they have some."""

    def __init__(self, config: uvicorn.Config, rooms: Classrooms) -> None:
        super().__init__(config)
        self.rooms = rooms

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.rooms.close()
        super().handle_exit(sig, frame)


def run(port: int | None, say: Callable[[str], None], *, open_browser: bool = True) -> None:
    """Serve until interrupted. `port`: None for `PORT`, or any other that is free; `say`: told the
    address. Raises UsageError if `port` is taken."""
    with _listen(port) as listener:
        number = listener.getsockname()[1]
        token = secrets.token_urlsafe(24)
        address = f"http://{HOST}:{number}/?token={token}"
        rooms = open_classrooms()
        allow_many_files()
        config = uvicorn.Config(
            Draining(create_app(token, number, rooms)),
            http=bounded(MAX_REQUEST_SECONDS, lambda code, message: {"error": message}),
            log_level="warning",
            access_log=False,
            server_header=False,
            ws="websockets-sansio",
            ws_max_size=2**22,
            timeout_graceful_shutdown=2,
        )
        logging.getLogger("uvicorn.error").addFilter(_without_traces)
        say(address)
        with _letter(address) if open_browser else contextlib.nullcontext() as letter:
            if letter:
                webbrowser.open(letter.as_uri())
            _Server(config, rooms).run(sockets=[listener])


def _without_traces(record: logging.LogRecord) -> bool:
    """Keeps uvicorn from showing where in its code a client's fault, or the end, was noticed."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, UnicodeDecodeError):
        record.exc_info = None
    return not isinstance(error, asyncio.CancelledError)


@contextlib.contextmanager
def _letter(address: str) -> Iterator[Path]:
    """A page that goes on to `address`, for this user alone, for as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix="eyespot-") as folder:  # mode 0700
        page = Path(folder) / "studio.html"
        page.touch(mode=0o600)
        page.write_text(LETTER.format(address=address), "utf-8")
        yield page


def _listen(port: int | None) -> socket.socket:
    for number in (PORT, 0) if port is None else (port,):
        try:
            return listen(HOST, number)
        except OSError as error:
            reason = error.strerror
    raise UsageError(
        f"The studio cannot listen at port {port} ({reason}). Another studio may be there: close "
        "it, or name another port: --port 8800"
    )
