"""The studio's server: it listens on this machine alone, and opens a browser.

Any user of the machine can read the arguments of a process (`ps`). So the browser is not started
with the address, which holds the token, but with a file that only its owner can read, and which
redirects to the address.
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
from eyespot.studio.app import create_app, open_boxes, open_projects
from eyespot.studio.boxes.open_boxes import OpenBoxes
from eyespot.studio.guard import REDIRECT
from eyespot.studio.open_projects import OpenProjects
from eyespot.web.draining import Draining
from eyespot.web.listening import allow_many_files, listen
from eyespot.web.protocol import bounded

HOST = "127.0.0.1"
PORT = 8765
"""The default, unless another program listens there."""


class _Server(uvicorn.Server):
    """Ends at once, although pages wait for changes."""

    def __init__(self, config: uvicorn.Config, projects: OpenProjects, boxes: OpenBoxes) -> None:
        super().__init__(config)
        self.projects, self.boxes = projects, boxes

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.projects.close_all()
        self.boxes.close_all()
        super().handle_exit(sig, frame)


def run(port: int | None, say: Callable[[str], None], *, open_browser: bool = True) -> None:
    """Serve until interrupted.

    `port`: None for `PORT`, or any free one. `say`: called with the address. Raises UsageError if
    `port` is taken.
    """
    with _listen(port) as listener:
        number = listener.getsockname()[1]
        token = secrets.token_urlsafe(24)
        address = f"http://{HOST}:{number}/?token={token}"
        projects, boxes = open_projects(), open_boxes()
        allow_many_files()
        config = uvicorn.Config(
            Draining(create_app(token, number, projects, boxes)),
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
        with _redirect_page(address) if open_browser else contextlib.nullcontext() as page:
            if page:
                webbrowser.open(page.as_uri())
            _Server(config, projects, boxes).run(sockets=[listener])


def _without_traces(record: logging.LogRecord) -> bool:
    """Drop uvicorn's tracebacks of clients' faults and of the shutdown."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, UnicodeDecodeError):
        record.exc_info = None
    return not isinstance(error, asyncio.CancelledError)


@contextlib.contextmanager
def _redirect_page(address: str) -> Iterator[Path]:
    """A page that redirects to `address`; only this user can read it, within the block."""
    with tempfile.TemporaryDirectory(prefix="eyespot-") as folder:  # mode 0700
        page = Path(folder) / "studio.html"
        page.touch(mode=0o600)
        page.write_text(REDIRECT.format(address=address), "utf-8")
        yield page


def _listen(port: int | None) -> socket.socket:
    for number in (PORT, 0) if port is None else (port,):
        try:
            return listen(HOST, number)
        except OSError as error:
            reason = error.strerror
    raise UsageError(
        f"The studio cannot listen on port {port} ({reason}). Close the other program, or choose "
        "another port: --port 8800"
    )
