"""What every page may do, and the style that all share."""

import mimetypes
from importlib.resources import files
from importlib.resources.abc import Traversable

from fastapi import FastAPI, Response
from starlette.datastructures import MutableHeaders
from starlette.routing import Route
from starlette.types import Message, Send

POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "object-src 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
}


def with_headers(send: Send) -> Send:
    """As `send`; every answer says what its page may do."""

    async def send_guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(HEADERS)
        await send(message)

    return send_guarded


def add_shared(app: FastAPI) -> None:
    """Routes to what all pages share: their style, the form of their percentages, and
    their picture in the browser's tab."""
    own = files("eyespot.web") / "static"
    add_file(app, "/style.css", files("eyespot.report") / "style.css")
    add_file(app, "/controls.css", own / "controls.css")
    add_file(app, "/percent.js", own / "percent.js")
    add_file(app, "/eye.svg", own / "eye.svg")


def add_file(app: FastAPI, path: str, file: Traversable) -> None:
    """A route to a file of text that comes with eyespot; no other can be reached by it."""
    kind, _ = mimetypes.guess_type(file.name)
    answer = Response(file.read_text("utf-8"), media_type=kind)
    app.router.routes.append(Route(path, answer, methods=["GET", "HEAD"]))
