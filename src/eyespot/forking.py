"""What a process forks without: threads do not come along, and what they held stays held.

A child of multiprocessing, Celery or `gunicorn --preload` begins with all of its parent's objects.
A compiled network waits for its threads for ever, also when it is freed; one connection to a
database is not for two processes. Whatever has such a thing says here what a child does with it.
"""

import ctypes
import os
import threading
from collections.abc import Callable


def in_children(call: Callable[[], None]) -> Callable[[], None]:
    """Have `call` called in each child that is forked from now on. Windows has no forks."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=call)
    return call


def lock_for_forks() -> "threading.RLock":
    """A lock that a fork waits for: no child begins while a thread that it lacks holds it."""
    lock = threading.RLock()
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(
            before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release
        )
    return lock


def leave_behind(thing: object) -> None:
    """Have `thing` never freed, not even as the process ends."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))
