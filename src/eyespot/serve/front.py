"""Access checks and the log line of each request.

Without keys, a local server answers only requests whose Host names this machine and whose Origin
is its own page: any web page can make a browser call 127.0.0.1, and can point its own host name to
that address (DNS rebinding).
"""

import hashlib
import hmac
import logging
import re
import secrets
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from eyespot.serve.metrics import Metrics
from eyespot.serve.problems import Problem
from eyespot.serve.settings import Settings
from eyespot.web.pages import HEADERS

logger = logging.getLogger(__name__)

LOCAL = ("127.0.0.1", "localhost", "::1")
GUARDED = ("/v1/", "/metrics")
"""Paths that need a key, if the server has keys."""
_GOOD_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)
_HEADERS = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]


def digest(key: str) -> bytes:
    """SHA-256 of a key; the server keeps and compares only digests."""
    return hashlib.sha256(key.encode()).digest()


@dataclass(slots=True)
class Record:
    """The facts of a request's log line. `id`: the client's own, if it is well-formed."""

    id: str
    model: str = ""
    photos: int = 0
    start: float = field(default_factory=time.perf_counter)
    status: int = 0


class Front:
    """The outermost middleware; the request's Record is in its state."""

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics) -> None:
        self._app, self._settings, self._metrics = app, settings, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        record = Record(given if _GOOD_ID.fullmatch(given) else secrets.token_hex(8))
        scope.setdefault("state", {})["record"] = record
        own = [*_HEADERS, (b"x-request-id", record.id.encode())]

        async def send_recorded(message: Message) -> None:
            if message["type"] == "http.response.start":
                record.status = message["status"]
                message["headers"] = [*message["headers"], *own]
            await send(message)

        try:
            problem = self._refusal(scope["path"], headers)
            app = problem.response(record.id) if problem else self._app
            await app(scope, receive, send_recorded)
        except Exception:  # the client has its answer; the log needs the trace
            logger.exception("failed", extra={"facts": {"id": record.id}})
        finally:
            self._log(scope, record)

    def _refusal(self, path: str, headers: Headers) -> Problem | None:
        settings = self._settings
        if settings.keys:
            known = self._is_known(headers.get("authorization", ""))
            if path.startswith(GUARDED) and not known:
                return Problem(
                    401,
                    "unauthorized",
                    "Expected a key of this server in the header Authorization: Bearer KEY.",
                    {"WWW-Authenticate": "Bearer"},
                )
        elif settings.local:
            host, origin = headers.get("host", ""), headers.get("origin")
            if _host(f"//{host}") not in LOCAL:
                return Problem(
                    421, "misdirected", "Expected a Host header of this machine, such as localhost."
                )
            if origin is not None and origin != f"http://{host}":
                return Problem(403, "forbidden", "Pages of other sites may not call this server.")
        return None

    def _is_known(self, authorization: str) -> bool:
        scheme, _, key = authorization.partition(" ")
        shown = digest(key.strip())
        same = [hmac.compare_digest(shown, known) for known in self._settings.keys]
        return any(same) and scheme.lower() == "bearer"

    def _log(self, scope: Scope, record: Record) -> None:
        seconds = time.perf_counter() - record.start
        self._metrics.requests.labels(record.model, record.status).inc()
        if record.model:
            self._metrics.seconds.labels(record.model).observe(seconds)
        facts = {
            "id": record.id,
            "method": scope["method"],
            "path": scope["path"][:200],
            "model": record.model,
            "photos": record.photos,
            "ms": round(1e3 * seconds, 1),
            "status": record.status,
        }
        logger.info("request", extra={"facts": facts})


def _host(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None
