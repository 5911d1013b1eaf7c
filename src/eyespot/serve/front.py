"""The door: who may ask, what is written down of each request, and nothing but words for failures.

Without keys, a server of this machine answers only what is called by a name of this machine, and no
page of another site: any page can ask a browser to call 127.0.0.1, and can give its own name that
address (DNS rebinding).
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
"""What needs a key, where there are keys."""
_GOOD_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)
_HEADERS = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]


def digest(key: str) -> bytes:
    """What is kept and compared of a key."""
    return hashlib.sha256(key.encode()).digest()


@dataclass(slots=True)
class Record:
    """What is told of one request. `id`: the caller's own, if it looks like one."""

    id: str
    model: str = ""
    pictures: int = 0
    start: float = field(default_factory=time.perf_counter)
    status: int = 0


class Front:
    """Middleware around all of it; the request's Record is in its state."""

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics) -> None:
        self._app, self._settings, self._metrics = app, settings, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        wanted = headers.get("x-request-id", "")
        record = Record(wanted if _GOOD_ID.fullmatch(wanted) else secrets.token_hex(8))
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
        except Exception:  # the caller has been told already; a page of ours must not fail silently
            logger.exception("failed", extra={"facts": {"id": record.id}})
        finally:
            self._write_down(scope, record)

    def _refusal(self, path: str, headers: Headers) -> Problem | None:
        settings = self._settings
        if settings.keys:
            known = self._is_known(headers.get("authorization", ""))
            if path.startswith(GUARDED) and not known:
                return Problem(
                    401,
                    "unauthorized",
                    "Expected a key of this server, as the header Authorization: Bearer KEY.",
                    {"WWW-Authenticate": "Bearer"},
                )
        elif settings.local:
            host, origin = headers.get("host", ""), headers.get("origin")
            if _host(f"//{host}") not in LOCAL:
                return Problem(421, "misdirected", "This server is not called so.")
            if origin is not None and origin != f"http://{host}":
                return Problem(403, "forbidden", "Pages of other sites may not ask this server.")
        return None

    def _is_known(self, authorization: str) -> bool:
        scheme, _, key = authorization.partition(" ")
        shown = digest(key.strip())
        same = [hmac.compare_digest(shown, known) for known in self._settings.keys]
        return any(same) and scheme.lower() == "bearer"

    def _write_down(self, scope: Scope, record: Record) -> None:
        seconds = time.perf_counter() - record.start
        self._metrics.requests.labels(record.model, record.status).inc()
        if record.model:
            self._metrics.seconds.labels(record.model).observe(seconds)
        facts = {
            "id": record.id,
            "method": scope["method"],
            "path": scope["path"][:200],
            "model": record.model,
            "pictures": record.pictures,
            "ms": round(1e3 * seconds, 1),
            "status": record.status,
        }
        logger.info("request", extra={"facts": facts})


def _host(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None
