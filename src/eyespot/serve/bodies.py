"""The photos of a request: its raw body, the files of a form, or base64 in JSON.

Limits apply before reading: the bytes of one body, the bytes of all bodies in progress, and the
number of values in JSON (20 MB of braces would take half a gigabyte of memory).
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
from eyespot.serve.problems import Problem, bad_request, busy
from eyespot.serve.settings import Limits
from eyespot.serve.threads import background
from eyespot.shown import Brief

T = TypeVar("T")
NAME = 200
"""Characters kept of a photo's name."""


@dataclass(frozen=True, slots=True, repr=False)
class Sent(Brief):
    """A photo as received. `error`: why `data` is missing."""

    name: str
    data: bytes = b""
    error: str = ""


class Room:
    """The share of one request in the bytes that all requests may hold."""

    def __init__(self, bodies: "Bodies") -> None:
        self._bodies, self.taken = bodies, 0

    def take(self, total: int) -> None:
        """Reserve `total` bytes. Raises Problem if they do not fit."""
        more = max(0, total - self.taken)
        if self._bodies.held + more > self._bodies.most:
            raise busy("The requests in progress hold all bytes allowed. Try again soon.")
        self._bodies.held += more
        self.taken += more


class Bodies:
    """The bodies in progress, at most `most` bytes together."""

    def __init__(self, most: int) -> None:
        self.most, self.held = most, 0
        self._desk = background(1, "desk")

    async def at_desk(self, work: Callable[..., T], *arguments: Any) -> T:
        """The result of `work`, run in a thread. Long Python code runs here one piece at a time, so
        that it blocks nothing else."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._desk, work, *arguments)

    @contextmanager
    def room(self) -> Iterator[Room]:
        room = Room(self)
        try:
            yield room
        finally:
            self.held -= room.taken


async def photos_of(request: Request, limits: Limits, bodies: Bodies, room: Room) -> list[Sent]:
    """At least one photo. Raises Problem if the request has none, is too large, or does not fit
    now."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    packed = request.headers.get("content-encoding", "identity").strip().lower()
    if packed != "identity":
        raise Problem(
            415,
            "unsupported_media_type",
            f"Send the body without Content-Encoding: {packed[:100]}.",
            {"Accept-Encoding": "identity"},
        )
    parts = _bounded(request, limits.bytes, room)
    try:
        if kind.startswith("image/") or kind == "application/octet-stream":
            return [Sent("photo", b"".join([part async for part in parts]))]
        if kind == "multipart/form-data":
            sent = await _from_form(request, parts, limits)
        elif kind == "application/json":
            body = b"".join([part async for part in parts])
            sent = await bodies.at_desk(_from_json, body, limits)
        else:
            raise Problem(
                415,
                "unsupported_media_type",
                "Send a photo as the body, with Content-Type: image/jpeg or another image type; "
                "or files as multipart/form-data; or application/json. "
                f"The Content-Type was {kind[:100] or 'missing'}.",
            )
    except ClientDisconnect as error:
        raise Problem(
            400, "disconnected", "The client disconnected before the request was complete."
        ) from error
    if not 1 <= len(sent) <= limits.photos:
        raise _unlike_count(limits, str(len(sent)))
    return sent


def _unlike_count(limits: Limits, got: str) -> Problem:
    return bad_request(f"Expected 1 to {limits.photos} photos in a request, got {got}.")


async def _bounded(request: Request, most: int, room: Room) -> AsyncGenerator[bytes, None]:
    """The body in parts. Raises Problem as soon as it is too large or does not fit."""
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
    spool_max_size = 2**62  # the body is bounded; never write it to disk


async def _from_form(
    request: Request, parts: AsyncGenerator[bytes, None], limits: Limits
) -> list[Sent]:
    parser = _InMemory(request.headers, parts, max_files=limits.photos, max_fields=limits.photos)
    try:
        form = await parser.parse()
    except (MultiPartException, ValueError) as error:  # ValueError: an unknown character set
        message = getattr(error, "message", "its character set is unknown")
        if message.startswith("Too many files"):
            raise _unlike_count(limits, "more") from error
        raise bad_request(f"The form cannot be read: {message}") from error
    files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
    sent = [Sent(_name(file.filename or "photo"), await file.read()) for file in files]
    await form.close()
    return sent


def _check_structure(body: bytes, limits: Limits) -> None:
    """Bound the number of values: each but the first follows one of these characters, which
    base64 does not have."""
    most = max(MAX_JSON_MARKS, 8 * limits.photos)
    if sum(map(body.count, (b"{", b"[", b","))) > most:
        raise bad_request(f"Expected at most {most:,} brackets, braces and commas in the JSON.")


def _from_json(body: bytes, limits: Limits) -> list[Sent]:
    _check_structure(body, limits)
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise bad_request("The body is not JSON.") from error
    photos = content.get("photos") if isinstance(content, dict) else None
    if not isinstance(photos, list):
        raise _unlike()
    return [_from_entry(entry, number) for number, entry in enumerate(photos, start=1)]


def _from_entry(entry: object, number: int) -> Sent:
    if not isinstance(entry, dict):
        raise _unlike()
    data, name = entry.get("data"), entry.get("name", f"photo {number}")
    if not isinstance(data, str) or not isinstance(name, str):
        raise _unlike()
    try:
        return Sent(_name(name), base64.b64decode(data, validate=True))
    except ValueError:
        return Sent(_name(name), error="its data is not base64")


def _name(text: str) -> str:
    """The first characters of a name; lone surrogates, which UTF-8 cannot encode, become "?"."""
    return text[:NAME].encode(errors="replace").decode()


def _unlike() -> Problem:
    return bad_request('Expected {"photos": [{"data": "base64", "name": "optional"}, ...]}.')
