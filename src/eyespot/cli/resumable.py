"""Progress and outcome of the verbs that write large tables and resume an interrupted run."""

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from eyespot.cli.show import print_skipped, progress, say
from eyespot.shown import counted

if TYPE_CHECKING:
    from eyespot.data.parts import Work, Written


@contextlib.contextmanager
def resumable() -> "Iterator[Work]":
    """A bar for `write_features` and `write_predictions`, and a line if they resume a run."""
    first = True
    with progress() as step:

        def work(done: int, total: int) -> None:
            nonlocal first
            if first and done:
                say(f"Resuming: {done:,} of {total:,} photos are done.", file=sys.stderr)
            first = False
            step("Embedding photos", done, total)

        yield work


def print_failures(written: "Written") -> None:
    """Print the photos that could not be used on standard error: the first by name."""
    print_skipped(written.failed)
    more = written.failures - len(written.failed)
    if more:
        left = counted(more, "more photo")
        say(f"{left} could not be used: see the column error.", file=sys.stderr)
