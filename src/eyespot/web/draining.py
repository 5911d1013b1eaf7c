"""Responses to requests that are refused before their body has arrived.

Many clients (such as Python's urllib) read no response before they have sent the whole body. If the
server closes the connection earlier, they see a reset instead of the response.
"""

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from eyespot.limits import MAX_DRAIN_SECONDS, MAX_DRAINED_BYTES

PAUSE = 0.002
"""Seconds between two reads, of some 256 kB, over all drained requests: draining must not delay
other requests."""


class Draining:
    """Middleware that sends the response at once, then reads and discards a bounded rest of the
    request. The response ends only after that, so the connection stays open."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_body(headers := Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        # A client that sent Expect: 100-continue takes the response as a no and sends no body.
        expecting = "100-continue" in headers.get("expect", "").lower()
        whole = answered = False

        async def receive_noting() -> Message:
            nonlocal whole, expecting
            expecting = False
            message = await receive()
            whole = not message.get("more_body", False)
            return message

        async def send_without_end(message: Message) -> None:
            nonlocal answered
            ends = message["type"] == "http.response.body" and not message.get("more_body", False)
            answered = ends and not whole
            await send({**message, "more_body": True} if answered else message)

        await self._app(scope, receive_noting, send_without_end)
        if answered:
            if not expecting:
                await self._drain(receive)
            await send({"type": "http.response.body"})

    async def _drain(self, receive: Receive) -> None:
        total = 0
        self._under_way += 1
        try:
            async with asyncio.timeout(MAX_DRAIN_SECONDS):
                while total <= MAX_DRAINED_BYTES:
                    message = await receive()
                    total += len(message.get("body", b""))
                    if not message.get("more_body", False):
                        break
                    await asyncio.sleep(PAUSE * self._under_way)
        except TimeoutError:
            pass
        finally:
            self._under_way -= 1


def _has_body(headers: Headers) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
