"""`python -m eyespot`, and the command `eyespot`."""

import os
import sys

if __name__ == "__main__" and not sys.flags.safe_path:
    # `python -m` imports from the current folder first, also files that somebody else put there.
    _own = os.path.dirname(os.path.dirname(__file__))  # noqa: PTH120
    try:
        if sys.path[0] == os.getcwd() != _own:  # noqa: PTH109
            del sys.path[0]
    except FileNotFoundError:  # that folder is gone
        pass

import signal
from threading import Timer, get_ident
from types import FrameType
from typing import NoReturn

from eyespot.cli.streams import outlive_readers

NO_MEMORY = (
    "failed to map segment",  # of a library that is being loaded
    "can't alloc",  # OpenVINO
    "bad_alloc",  # anything in C++
    "can't allocate memory",  # torch
    "can't start new thread",
)
"""Phrases of libraries' errors when memory ran out."""


SLOW = (["demo"], ["teach"], ["evaluate"], ["tune"])
"""Verbs that show a spinner, once rich and typer are imported."""


def main() -> NoReturn:
    """Run the command line. Ctrl-C ends it without a traceback, also while libraries load."""
    outlive_readers()
    if sys.argv[1:2] in SLOW and sys.stderr.isatty():
        sys.stderr.write("Starting\r")  # the next line replaces it
        sys.stderr.flush()
    interrupted = False

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        if hasattr(signal, "pthread_kill") and _is_importing(frame):
            # Interrupting an extension while it loads may abort Python: try again in a moment.
            Timer(0.05, signal.pthread_kill, [get_ident(), number]).start()
            return
        interrupted = True
        raise KeyboardInterrupt

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not in the background
        signal.signal(signal.SIGINT, interrupt)
    code: object
    try:
        from eyespot.cli.main import main as run

        run()
        code = 0
    except SystemExit as done:
        code = done.code
    except KeyboardInterrupt:
        code = 130
    except Exception as error:
        if interrupted:  # a library may turn Ctrl-C into an ImportError
            sys.stderr.write("eyespot: Interrupted.\n")
        elif isinstance(error, OSError):  # help or version could not be printed
            from eyespot.shown import printable, reason_of

            sys.stderr.write(f"eyespot: {printable(reason_of(error))}.\n")
        elif isinstance(error, MemoryError) or any(words in str(error) for words in NO_MEMORY):
            sys.stderr.write("eyespot: There is not enough memory. Close other programs.\n")
        else:
            raise
        code = 1
    if interrupted and code not in (0, None):
        code = 130
    _leave(code if isinstance(code, int) else int(code is not None))


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def _leave(code: int) -> NoReturn:
    """Exit at once: results are saved, and unloading torch and OpenVINO takes half a second."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError as error:
            sys.stderr.write(f"eyespot: The output was lost: {error.strerror}.\n")
            code = 1
    os._exit(code)


if __name__ == "__main__":
    main()
