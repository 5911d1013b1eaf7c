"""Who may talk to the studio: the page that it gave to the person at this machine, and nobody else.

Any page of the web can ask a browser to call 127.0.0.1, and can give its own name that address
(DNS rebinding). So the name by which the studio is called must be its own, a call that a page makes
must come from a page of the studio, and every call must show the token that was printed where it
was started: first in the address, then in a cookie.
"""

import hmac
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from eyespot.limits import MAX_UPLOAD_BYTES
from eyespot.web.pages import HEADERS, with_headers

ENTRANCE = """<!doctype html>
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url=/">
<title>eyespot studio</title>
<a href="/">Go on to the studio</a>
"""
"""For who comes from elsewhere: from the file that the studio opens, or a link in another page. A
browser that is redirected on such a way leaves the new cookie out, as it is for the studio's own
pages alone."""

TOO_MUCH = f"Expected at most {MAX_UPLOAD_BYTES // 2**20} MB. Send less at once."


class Guard:
    """Middleware that lets nothing through but what the module says, and bounds uploads.

    `token`: secret text. `port`: where the studio listens.
    """

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self.app, self.token = app, token
        self.hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}
        self.cookie = f"eyespot-{port}"  # browsers keep cookies by host, not by port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        answer = self._refusal(scope, headers) or self._greeting(scope, headers)
        if answer is not None:
            answer.headers.update(HEADERS)
            await answer(scope, receive, send)
            return
        await self.app(scope, _bounded(receive), with_headers(send))

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        if headers.get("host") not in self.hosts:
            return PlainTextResponse("This name is not the studio's.", 421)
        origin = headers.get("origin")
        own = {f"http://{host}" for host in self.hosts}
        calls = scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD")
        if origin not in own and (calls or origin is not None):
            return PlainTextResponse("Only the studio's own pages may call it.", 403)
        if headers.get("content-encoding", "identity").lower() != "identity":
            return PlainTextResponse("Send the body as it is, without Content-Encoding.", 415)
        if int(headers.get("content-length") or 0) > MAX_UPLOAD_BYTES:
            return PlainTextResponse(TOO_MUCH, 413)
        return None

    def _greeting(self, scope: Scope, headers: Headers) -> Response | None:
        """None for those who are known. The token in the address becomes a cookie."""
        if self._is_token(_cookies(headers).get(self.cookie, "")):
            return None
        query = parse_qs(scope["query_string"].decode("latin-1"))
        if scope["type"] == "http" and self._is_token(query.get("token", [""])[0]):
            elsewhere = headers.get("sec-fetch-site") == "cross-site"
            answer = HTMLResponse(ENTRANCE) if elsewhere else RedirectResponse(scope["path"], 303)
            answer.set_cookie(self.cookie, self.token, httponly=True, samesite="strict")
            return answer
        return PlainTextResponse(
            "Open the address that `eyespot studio` printed: it holds a key that this one lacks.",
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
    """As `receive`, for bodies whose length was not announced."""
    total = 0

    async def receive_bounded() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > MAX_UPLOAD_BYTES:
            return {"type": "http.disconnect"}
        return message

    return receive_bounded
