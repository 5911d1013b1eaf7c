"""Security headers, shared styles and static files of the pages."""

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
    """`send` with the security headers on each response."""

    async def send_guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(HEADERS)
        await send(message)

    return send_guarded


def add_shared(app: FastAPI) -> None:
    """Add routes to the style of reports, and to the styles, scripts and icon in `static/`."""
    shared = (files("eyespot.web") / "static").iterdir()
    for file in (files("eyespot.report") / "style.css", *shared):
        add_file(app, f"/{file.name}", file)


def add_file(app: FastAPI, path: str, file: Traversable) -> None:
    """Add a route to one text file of the package."""
    kind, _ = mimetypes.guess_type(file.name)
    add_text(app, path, file.read_text("utf-8"), kind)


def add_text(app: FastAPI, path: str, text: str, kind: str | None = "text/html") -> None:
    """Add a route to a text of the media type `kind`."""
    answer = Response(text, media_type=kind)
    app.router.routes.append(Route(path, answer, methods=["GET", "HEAD"]))
