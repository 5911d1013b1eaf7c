"""Threads that compute while the event loop answers clients."""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

NICENESS = 5
"""Added to the process's niceness: where both want a core, the event loop gets three times as much
of it as one of these threads."""


def background(count: int | None, name: str) -> ThreadPoolExecutor:
    """A pool of `count` threads with a lower priority than the event loop. Threads that they start,
    such as OpenVINO's, inherit the priority."""
    prefix = f"eyespot-{name}"
    return ThreadPoolExecutor(count, thread_name_prefix=prefix, initializer=_yield_to_loop)


def _yield_to_loop() -> None:
    if sys.platform == "linux":  # elsewhere, niceness belongs to a whole process
        niceness = os.getpriority(os.PRIO_PROCESS, os.getpid()) + NICENESS
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
