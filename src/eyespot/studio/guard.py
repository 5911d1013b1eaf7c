"""Access to the studio: only its own pages, opened by the user of this machine, may call it.

Any web page can make a browser call 127.0.0.1, and can point its own host name there (DNS
rebinding). So the Host header must be the studio's, the Origin of a page's call must be the studio,
and every call must carry the token that the studio printed: first in the URL, then in a cookie.
"""

import hmac
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers
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
"""For visitors from elsewhere: the file that the studio opens, or a link in another page. After an
HTTP redirect from there, a browser would not send the new cookie, which is for the studio's own
pages only."""

TOO_LARGE = f"Expected at most {MAX_UPLOAD_BYTES // 2**20} MB. Send fewer photos at once."


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
        headers = Headers(scope=scope)
        response = self._rejection(scope, headers) or self._login(scope, headers)
        if response is not None:
            response.headers.update(HEADERS)
            await response(scope, receive, send)
            return
        await self.app(scope, _bounded(receive), with_headers(send))

    def _rejection(self, scope: Scope, headers: Headers) -> Response | None:
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

    def _login(self, scope: Scope, headers: Headers) -> Response | None:
        """None for calls with the cookie. The token in the URL becomes the cookie."""
        if self._is_token(_cookies(headers).get(self.cookie, "")):
            return None
        query = parse_qs(scope["query_string"].decode("latin-1"))
        if scope["type"] == "http" and self._is_token(query.get("token", [""])[0]):
            response: Response = RedirectResponse(scope["path"], 303)
            if headers.get("sec-fetch-site") == "cross-site":
                response = HTMLResponse(REDIRECT.format(address="/"))
            response.set_cookie(self.cookie, self.token, httponly=True, samesite="strict")
            return response
        return PlainTextResponse(
            "Open the address that `eyespot studio` printed: it holds the key.",
            403,
        )

    def _is_token(self, text: str) -> bool:
        return hmac.compare_digest(text.encode(), self.token.encode())


def _cookies(headers: Headers) -> dict[str, str]:
    try:
        jar = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return {}
    return {name: morsel.value for name, morsel in jar.items()}


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
