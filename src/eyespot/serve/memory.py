"""Freed memory."""

import ctypes
import sys


def trim_memory() -> None:
    """Return freed memory to the system. glibc keeps the gaps between blocks in use: after ten
    minutes of uploads, four times the memory needed."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc only
        if trim is not None:
            trim(0)
