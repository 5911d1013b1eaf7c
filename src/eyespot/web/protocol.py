"""uvicorn's HTTP protocol with limits that it lacks.

The head of a request has limits of size and time, and so have its URL, its trailers and the bytes
between the chunks of a body. A client that does not read the response loses the connection. Beyond
MAX_CONNECTIONS, idle connections are closed first. A refused request gets a response, and the
server reads a bounded rest of it, so that the client can read the response.
"""

import asyncio
import json
import logging
from asyncio.events import TimerHandle
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from eyespot.limits import (
    MAX_CONNECTIONS,
    MAX_DRAIN_SECONDS,
    MAX_DRAINED_BYTES,
    MAX_HEAD_BYTES,
    MAX_HEADERS,
    MAX_PIPELINED_REQUESTS,
    MAX_URL_BYTES,
)
from eyespot.web.pages import HEADERS

logger = logging.getLogger(__name__)

Form = Callable[[str, str], Mapping[str, Any]]
PART = MAX_HEAD_BYTES
"""Bytes parsed between two checks of the limits."""

YOUNG, ROUNDS = 1.0, 2
"""Seconds, and rounds of the event loop after them, in which a request may have arrived without
having been read."""
SPARE = 1_000
"""Connections beyond MAX_CONNECTIONS that get a 503 response."""


def bounded(seconds: float, form: Form) -> type[asyncio.Protocol]:
    """A protocol class for the argument `http` of uvicorn's Config.

    `seconds`: time limit for a request's head to arrive, and for the client to read the response.
    `form`: the JSON of a refusal, from a code and a message.
    """
    facts = {"seconds": seconds, "form": staticmethod(form), "waiting": {}, "refused": {}}
    return cast(type[asyncio.Protocol], type("Bounded", (_Bounded,), facts))


class _Refused(Exception):
    """Ends the parsing of a request that has been refused."""


class _Bounded(HttpToolsProtocol):
    seconds: float
    form: Form
    waiting: dict["_Bounded", None]
    """Connections without a request in progress, the oldest first: closed first."""
    refused: dict["_Bounded", None]
    """Refused connections that are being drained: closed last."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._in_head = True
        self._idle_bytes = 0
        """Bytes since the last part of a body or the end of a head."""
        self._progress = False
        self._refused = False
        self._drained = 0
        self._deadline: TimerHandle | None = None
        self._aging: TimerHandle | None = None

    # --- incoming data ---------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._may_go(self.waiting)
        self._within(self.seconds, self._slow)
        if len(self.connections) > MAX_CONNECTIONS:
            self._make_room()

    def _make_room(self) -> None:
        if self.waiting:
            longest = next(iter(self.waiting))
            longest._make_way()
            longest.transport.close()
        elif len(self.connections) <= MAX_CONNECTIONS + SPARE:
            self._make_way()
        else:
            next(iter(self.refused), self).transport.abort()

    def _make_way(self) -> None:
        self._stays()
        self._refuse(503, "busy", "Too many connections. Try again soon.")

    def _may_go(self, group: dict["_Bounded", None]) -> None:
        self._stays()
        self._aging = self.loop.call_later(YOUNG, self._age, group, ROUNDS)

    def _age(self, group: dict["_Bounded", None], rounds: int) -> None:
        if rounds:
            self._aging = self.loop.call_later(0.001, self._age, group, rounds - 1)
        else:
            group[self] = None

    def _stays(self) -> None:
        self.waiting.pop(self, None)
        self.refused.pop(self, None)
        if self._aging is not None:
            self._aging.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stays()
        self._in_time()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            self._drained += len(data)
            if self._drained > MAX_DRAINED_BYTES:
                self.transport.abort()
            return
        if self._in_head and self._deadline is None:
            self._within(self.seconds, self._slow)
        view = memoryview(data)
        for start in range(0, len(data), PART):
            part = view[start : start + PART]
            self._progress = False
            super().data_received(part)  # type: ignore[arg-type]  # the parser takes any buffer
            self._idle_bytes = 0 if self._progress else self._idle_bytes + len(part)
            if self._idle_bytes > MAX_HEAD_BYTES:
                self._refuse(431, "head_too_large", _too_large("bytes", MAX_HEAD_BYTES))
            if self._has_ended():
                return

    def _has_ended(self) -> bool:
        """Whether the parser must get no more data, such as after an upgrade to a web socket."""
        upgraded = self.transport.get_protocol() is not self
        return self._refused or upgraded or self.transport.is_closing()

    # --- callbacks of the parser -----------------------------------------------------------------

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(self.headers) >= MAX_HEADERS:
            self._refuse(431, "head_too_large", _too_large("headers", MAX_HEADERS))
            raise _Refused
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._progress, self._in_head = True, False
        self._stays()
        self._in_time()
        if len(self.url) > MAX_URL_BYTES:
            self._refuse(
                414, "address_too_long", f"Expected a URL of at most {MAX_URL_BYTES:,} bytes."
            )
            raise _Refused
        if len(self.pipeline) >= MAX_PIPELINED_REQUESTS:
            self._refuse(503, "busy", "Too many requests are waiting on this connection.")
            raise _Refused
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._progress = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._progress = self._in_head = True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, "bad_request", "Expected an HTTP/1.1 request.")

    # --- responses and time limits ---------------------------------------------------------------

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.cycle.response_complete:  # the next request has begun
            return
        if self.cycle.more_body:  # not fully drained
            self.transport.close()
        if self.transport.is_closing():
            self._within(self.seconds, self.transport.abort)
        else:
            self._may_go(self.waiting)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._within(self.seconds, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.transport.is_closing():
            return
        self._in_time()
        if self._in_head and self._idle_bytes:
            self._within(self.seconds, self._slow)

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._within(self.seconds, self.transport.abort)

    def shutdown(self) -> None:
        super().shutdown()
        if self.transport.is_closing():
            self._within(self.seconds, self.transport.abort)

    def _slow(self) -> None:
        if self._idle_bytes:
            self._refuse(
                408, "too_slow", f"The request's head did not arrive within {self.seconds:g} s."
            )
        else:
            self.transport.close()

    def _refuse(self, status: int, code: str, message: str) -> None:
        """Send an error response, drain a bounded rest, then close."""
        if self._refused:
            return
        self._refused = True
        self._may_go(self.refused)
        self._within(MAX_DRAIN_SECONDS, self.transport.abort)
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()
            if cycle.response_started:
                self.transport.abort()
                return
        self.flow.resume_reading()
        answer = self.form(code, message)
        body = json.dumps(answer).encode()
        headers = {
            **HEADERS,
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Connection": "close",
        }
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.transport.write("\r\n".join([*lines, "", ""]).encode() + body)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        logger.info("refused", extra={"facts": {"status": status, **answer}})

    def _within(self, seconds: float, otherwise: Callable[[], None]) -> None:
        self._in_time()
        self._deadline = self.loop.call_later(seconds, otherwise)

    def _in_time(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def _too_large(what: str, most: int) -> str:
    return f"Expected at most {most:,} {what} in a request's head."
