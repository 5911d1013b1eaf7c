"""Access to the studio: only its own pages, opened by the user of this machine, may call it.

Any web page can make a browser call 127.0.0.1, and can point its own host name there (DNS
rebinding). So the Host header must be the studio's, the Origin of a page's call must be the studio,
and every call must carry the token that the studio printed: first in the URL, then in a cookie.
"""

import hmac

from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from eyespot.limits import MAX_UPLOAD_BYTES
from eyespot.web.pages import HEADERS, with_headers

REDIRECT = """<!doctype html>
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url={address}">
<title>eyespot studio</title>
<a href="{address}">Open the studio</a>
"""
"""For the file that the studio opens, or a link in another page: after an HTTP redirect from there,
a browser would not send the new cookie, which is for the studio's own pages only."""

TOO_LARGE = f"Expected at most {MAX_UPLOAD_BYTES // 2**20} MB. Send fewer files at once."


class Guard:
    """Middleware that checks every call, and limits uploads. `token`: the secret. `port`: the
    studio's."""

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self.app, self.token = app, token
        self.hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}
        self.cookie = f"eyespot-{port}"  # browsers keep cookies by host, not by port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        response = self._rejection(connection) or self._login(connection)
        if response is not None:
            response.headers.update(HEADERS)
            await response(scope, receive, send)
            return
        await self.app(scope, _bounded(receive), with_headers(send))

    def _rejection(self, connection: HTTPConnection) -> Response | None:
        scope, headers = connection.scope, connection.headers
        if headers.get("host") not in self.hosts:
            return PlainTextResponse("This host name is not the studio's.", 421)
        origin = headers.get("origin")
        own = {f"http://{host}" for host in self.hosts}
        calls = scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD")
        if origin not in own and (calls or origin is not None):
            return PlainTextResponse("Only the studio's own pages may call it.", 403)
        if headers.get("content-encoding", "identity").lower() != "identity":
            return PlainTextResponse("Send the body as it is, without Content-Encoding.", 415)
        if int(headers.get("content-length") or 0) > MAX_UPLOAD_BYTES:
            return PlainTextResponse(TOO_LARGE, 413)
        return None

    def _login(self, connection: HTTPConnection) -> Response | None:
        """None for calls with the cookie. The token in the URL becomes the cookie."""
        if self._is_token(connection.cookies.get(self.cookie, "")):
            return None
        token = connection.query_params.get("token", "")
        if connection.scope["type"] == "http" and self._is_token(token):
            response: Response = RedirectResponse(connection.scope["path"], 303)
            if connection.headers.get("sec-fetch-site") == "cross-site":
                response = HTMLResponse(REDIRECT.format(address="/"))
            response.set_cookie(self.cookie, self.token, httponly=True, samesite="strict")
            return response
        message = "Open the address that `eyespot studio` printed: it holds the key."
        return PlainTextResponse(message, 403)

    def _is_token(self, text: str) -> bool:
        return hmac.compare_digest(text.encode(), self.token.encode())


def _bounded(receive: Receive) -> Receive:
    """`receive` with a limit, for bodies without Content-Length."""
    total = 0

    async def receive_bounded() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > MAX_UPLOAD_BYTES:
            return {"type": "http.disconnect"}
        return message

    return receive_bounded
