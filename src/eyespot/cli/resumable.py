"""Progress and outcome of the verbs that write large tables and resume an interrupted run."""

import contextlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from eyespot.cli.show import print_skipped, progress, say
from eyespot.shown import counted

if TYPE_CHECKING:
    from eyespot.data.parts import Work, Written
    from eyespot.data.photos import Photo


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


def read_and_written(photos: "Iterable[Photo]", outputs: Iterable[Path | None]) -> list[Path]:
    """Files of photos that are outputs, too: the inputs that `check_outputs` must protect."""
    taken = {_identity(path) for path in outputs if path} - {None}
    if not taken:
        return []
    files = {
        getattr(photo.source, "path", None) or getattr(photo.source, "shard", None): None
        for photo in photos
    }
    return [path for path in files if path and _identity(path) in taken]


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino
