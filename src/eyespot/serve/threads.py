"""Threads that compute while the event loop talks to callers."""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

NICENESS = 5
"""Where the event loop and these threads want the same core, the loop gets three times as much."""


def background(count: int | None, name: str) -> ThreadPoolExecutor:
    """A pool of `count` threads (None: as many as ThreadPoolExecutor has), which the event loop
    goes before. Threads that they start, such as those of OpenVINO, inherit this."""
    prefix = f"eyespot-{name}"
    return ThreadPoolExecutor(count, thread_name_prefix=prefix, initializer=_yield_to_loop)


def _yield_to_loop() -> None:
    if sys.platform == "linux":  # elsewhere, niceness belongs to a whole process
        niceness = os.getpriority(os.PRIO_PROCESS, os.getpid()) + NICENESS
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
