"""The pictures of a request: its raw body, the files of a form, or base64 in JSON.

All is bounded before it is read: the bytes of one body, those of all that are under way, and the
number of values in JSON, of which 20 MB of braces would become half a gigabyte.
"""

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from eyespot.limits import MAX_JSON_MARKS
from eyespot.serve.problems import Problem, busy
from eyespot.serve.settings import Limits
from eyespot.serve.threads import background
from eyespot.shown import Brief

T = TypeVar("T")
NAME = 200
"""Characters of a picture's name that are kept."""


@dataclass(frozen=True, slots=True, repr=False)
class Sent(Brief):
    """A picture as it came. `error`: why there is no `data`."""

    name: str
    data: bytes = b""
    error: str = ""


class Room:
    """What one request has of the bytes that all may have under way."""

    def __init__(self, bodies: "Bodies") -> None:
        self._bodies, self.taken = bodies, 0

    def take(self, total: int) -> None:
        """Have room for so many bytes. Raises Problem if there is none."""
        more = max(0, total - self.taken)
        if self._bodies.held + more > self._bodies.most:
            raise busy("The requests under way have as many bytes as fit. Try again soon.")
        self._bodies.held += more
        self.taken += more


class Bodies:
    """The bodies under way, which have at most `most` bytes together."""

    def __init__(self, most: int) -> None:
        self.most, self.held = most, 0
        self._desk = background(1, "desk")

    async def at_desk(self, work: Callable[..., T], *arguments: Any) -> T:
        """What `work` returns. What needs the interpreter for long is done one after the other, so
        that the rest goes on, and by a thread that keeps nothing of it afterwards."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._desk, work, *arguments)

    @contextmanager
    def room(self) -> Iterator[Room]:
        room = Room(self)
        try:
            yield room
        finally:
            self.held -= room.taken


async def pictures_of(request: Request, limits: Limits, bodies: Bodies, room: Room) -> list[Sent]:
    """At least one picture. Raises Problem if the request holds none, or too much, or if there is
    no room for it now."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    packed = request.headers.get("content-encoding", "identity").strip().lower()
    if packed != "identity":
        raise Problem(
            415,
            "unsupported_media_type",
            f"Send the body as it is, without Content-Encoding: {packed[:100]}.",
            {"Accept-Encoding": "identity"},
        )
    parts = _bounded(request, limits.bytes, room)
    try:
        if kind.startswith("image/") or kind == "application/octet-stream":
            return [Sent("picture", b"".join([part async for part in parts]))]
        if kind == "multipart/form-data":
            sent = await _from_form(request, parts, limits)
        elif kind == "application/json":
            body = b"".join([part async for part in parts])
            sent = await bodies.at_desk(_from_json, body, limits)
        else:
            raise Problem(
                415,
                "unsupported_media_type",
                "Send a picture as the body, with Content-Type: image/jpeg or another image type; "
                "or files as multipart/form-data; or application/json. "
                f"The Content-Type was {kind[:100] or 'missing'}.",
            )
    except ClientDisconnect as error:
        raise Problem(400, "disconnected", "The request broke off.") from error
    if not 1 <= len(sent) <= limits.pictures:
        raise _unlike_count(limits, str(len(sent)))
    return sent


def _unlike_count(limits: Limits, got: str) -> Problem:
    return Problem(
        400, "bad_request", f"Expected 1 to {limits.pictures} pictures in a request, got {got}."
    )


async def _bounded(request: Request, most: int, room: Room) -> AsyncGenerator[bytes, None]:
    """The body in parts, as long as it is not too long, and there is room for it."""
    problem = Problem(
        413, "too_large", f"Expected at most {most:,} bytes in a request. Send less at once."
    )
    announced = int(request.headers.get("content-length") or 0)
    if announced > most:
        raise problem
    room.take(announced)
    total = 0
    async for part in request.stream():
        total += len(part)
        if total > most:
            raise problem
        room.take(total)
        yield part


class _InMemory(MultiPartParser):
    spool_max_size = 2**62  # the body is bounded; nothing of it goes to the disk


async def _from_form(
    request: Request, parts: AsyncGenerator[bytes, None], limits: Limits
) -> list[Sent]:
    parser = _InMemory(
        request.headers, parts, max_files=limits.pictures, max_fields=limits.pictures
    )
    try:
        form = await parser.parse()
    except (MultiPartException, ValueError) as error:  # ValueError: a strange character set
        message = getattr(error, "message", "its character set is strange")
        if message.startswith("Too many files"):
            raise _unlike_count(limits, "more") from error
        raise Problem(400, "bad_request", f"The form cannot be read: {message}") from error
    files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
    sent = [Sent(_name(file.filename or "picture"), await file.read()) for file in files]
    await form.close()
    return sent


def _check_structure(body: bytes, limits: Limits) -> None:
    """Every value but the first follows one of these. Base64 has none of them."""
    most = max(MAX_JSON_MARKS, 8 * limits.pictures)
    if sum(map(body.count, (b"{", b"[", b","))) > most:
        raise Problem(
            400,
            "bad_request",
            f"Expected at most {most:,} brackets, braces and commas in the JSON of a request.",
        )


def _from_json(body: bytes, limits: Limits) -> list[Sent]:
    _check_structure(body, limits)
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Problem(400, "bad_request", "The body is not JSON.") from error
    pictures = content.get("pictures") if isinstance(content, dict) else None
    if not isinstance(pictures, list):
        raise _unlike()
    return [_from_entry(entry, number) for number, entry in enumerate(pictures, start=1)]


def _from_entry(entry: object, number: int) -> Sent:
    if not isinstance(entry, dict):
        raise _unlike()
    data, name = entry.get("data"), entry.get("name", f"picture {number}")
    if not isinstance(data, str) or not isinstance(name, str):
        raise _unlike()
    try:
        return Sent(_name(name), base64.b64decode(data, validate=True))
    except ValueError:
        return Sent(_name(name), error="its data is not base64")


def _name(text: str) -> str:
    """The start of a name, without surrogates, which no UTF-8 has."""
    return text[:NAME].encode(errors="replace").decode()


def _unlike() -> Problem:
    return Problem(
        400, "bad_request", 'Expected {"pictures": [{"data": "base64", "name": "optional"}, ...]}.'
    )
