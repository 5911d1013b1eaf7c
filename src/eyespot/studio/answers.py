"""Answers to pages: errors as JSON, and conversations over web sockets."""

import contextlib
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, ParamSpec

from fastapi import WebSocket, WebSocketDisconnect
from starlette.concurrency import run_in_threadpool

from eyespot.errors import EyespotError

Answer = dict[str, Any]
P = ParamSpec("P")


def or_error(route: Callable[P, Answer]) -> Callable[P, Answer]:
    """Return the route's answer, or {"error": message} for an EyespotError.

    An incomplete expression is no HTTP error, which the browser would log in its console.
    """

    @wraps(route)
    def answer(*args: P.args, **kwargs: P.kwargs) -> Answer:
        try:
            return route(*args, **kwargs)
        except EyespotError as error:
            return {"error": str(error)}

    return answer


async def converse(
    socket: WebSocket, reply: Callable[[str | bytes], Sequence[Answer | bytes]]
) -> None:
    """Send the parts of `reply` to each message, or {"error": message} for an EyespotError, until
    the page leaves. `reply` runs in a thread."""
    await socket.accept()
    with contextlib.suppress(WebSocketDisconnect):
        while (message := await socket.receive())["type"] != "websocket.disconnect":
            text = message.get("text")
            parts: Sequence[Answer | bytes]
            try:
                parts = await run_in_threadpool(reply, message["bytes"] if text is None else text)
            except EyespotError as error:
                parts = [{"error": str(error)}]
            for part in parts:
                if isinstance(part, bytes):
                    await socket.send_bytes(part)
                else:
                    await socket.send_json(part)
