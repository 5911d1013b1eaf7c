"""Where the studio listens: on this machine alone."""

import secrets
import socket
import webbrowser
from collections.abc import Callable
from types import FrameType

import uvicorn

from eyespot.errors import UsageError
from eyespot.limits import MAX_REQUEST_SECONDS
from eyespot.studio.app import create_app, open_classrooms
from eyespot.studio.classroom import Classrooms
from eyespot.web.draining import Draining
from eyespot.web.listening import listen
from eyespot.web.protocol import bounded

HOST = "127.0.0.1"
PORT = 8765
"""Where the studio is if nothing is said and nobody else is there."""


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
        say(address)
        if open_browser:
            webbrowser.open(address)
        _Server(config, rooms).run(sockets=[listener])


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
