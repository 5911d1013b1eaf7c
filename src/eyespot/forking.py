"""Keep forked processes safe: threads do not survive a fork, and their locks stay locked.

A child of multiprocessing, Celery or `gunicorn --preload` inherits all objects of its parent. A
compiled network there waits for its threads for ever, even when it is freed, and two processes must
not share a database connection. Owners of such objects register what a child does with them.
"""

import ctypes
import os
import threading
from collections.abc import Callable
from typing import Any
from weakref import WeakSet


def in_children(call: Callable[[], None]) -> Callable[[], None]:
    """Call `call` in each child forked from now on. Windows has no forks."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=call)
    return call


_living: "WeakSet[Any]" = WeakSet()


def leaves_parent(owner: Any) -> None:
    """Call `owner.leave_parent()` in each child forked while `owner` lives."""
    _living.add(owner)


@in_children
def _leave_parent() -> None:
    for owner in list(_living):
        owner.leave_parent()


def lock_for_forks() -> "threading.RLock":
    """A lock that every fork acquires, so that no child inherits it locked."""
    lock = threading.RLock()
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(
            before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release
        )
    return lock


def leave_behind(thing: object) -> None:
    """Never free `thing`, not even when the process ends."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))
