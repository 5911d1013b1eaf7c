"""HTTP below the application: what is no request is refused in the form of all other refusals, and
what clients do wrong makes no traceback."""

import asyncio
import json
import logging
from collections.abc import Iterator

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

NO_REQUEST = json.dumps({"error": "Expected a request of HTTP/1.1, found something else."}).encode()


class Protocol(H11Protocol):
    """uvicorn's own, but for requests that turn out to be none."""

    cycle: RequestResponseCycle | None  # type: ignore[assignment]  # until the first request

    def send_400_response(self, msg: str) -> None:
        self._leave()
        # Later there is an answer already, in part or as a whole, and nothing can be said any more.
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            for event in _refusal():
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def shutdown(self) -> None:
        if self.cycle is not None and self.cycle.more_body:  # the rest is not waited for
            self._leave()
            self.transport.close()
        else:
            super().shutdown()

    def _leave(self) -> None:
        """Let the application know that nobody listens; what it still says is heard by nobody."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()


def _refusal() -> Iterator[h11.Event]:
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(NO_REQUEST))),
        ("Connection", "close"),
    ]
    yield h11.Response(status_code=400, headers=headers, reason="Bad Request")
    yield h11.Data(data=NO_REQUEST)
    yield h11.EndOfMessage()


def log_no_clients() -> None:
    """Keep uvicorn from showing where in its code a client's fault, or the end, was noticed."""
    logging.getLogger("uvicorn.error").addFilter(_without_traces)


def _without_traces(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, UnicodeDecodeError):
        record.exc_info = None
    return not isinstance(error, asyncio.CancelledError)
