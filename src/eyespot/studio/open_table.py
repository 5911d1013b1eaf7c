"""The projects of a room that are open: on a page, or kept in memory for the next visit."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from eyespot.errors import MissingError

MAX_OPEN = 4
"""Projects that stay in memory, besides those on a page."""
ON_PAGE = 60.0
"""Seconds after a request for which a project counts as being on a page."""


class Opened(Protocol):
    """An open project. `last_used`: of the monotonic clock, in seconds."""

    last_used: float

    @property
    def is_busy(self) -> bool:
        """Whether it must stay open without a page."""

    def close(self) -> None:
        """End its threads and requests."""


T = TypeVar("T", bound=Opened)


class OpenTable(Generic[T]):
    """Open projects by id. The least recently used one is closed first, but none that is on a page
    or busy."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, T] = OrderedDict()
        self._lock = threading.Lock()
        self._closed = False

    def _get(self, id: str, make: Callable[[], T]) -> T:
        """The open project, made if it is not open. Raises MissingError after `close_all`."""
        with self._lock:
            if self._closed:
                raise MissingError("The studio is closing.")
            opened = self._open.get(id)
            if opened is None:
                opened = self._open[id] = make()
            self._open.move_to_end(id)
            now = opened.last_used = time.monotonic()
            idle = [
                key
                for key, one in self._open.items()
                if now - one.last_used > ON_PAGE and not one.is_busy
            ]
            for key in idle[: max(0, len(self._open) - MAX_OPEN)]:
                self._open.pop(key).close()
        return opened

    def close(self, id: str) -> None:
        """Close a project until it is opened again."""
        with self._lock:
            opened = self._open.pop(id, None)
        if opened is not None:
            opened.close()

    def close_all(self) -> None:
        """Close all projects for good, and end all waiting requests."""
        with self._lock:
            self._closed = True
            opened = list(self._open.values())
        for one in opened:
            one.close()
