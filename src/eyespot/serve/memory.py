"""Memory that was freed."""

import ctypes
import sys


def give_back() -> None:
    """Let the system have it. Bodies come in pieces of many sizes, and glibc keeps what is between
    those that are still in use: after ten minutes of uploads four times what is needed."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's alone
        if trim is not None:
            trim(0)
