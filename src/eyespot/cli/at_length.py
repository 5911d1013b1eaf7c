"""What the verbs that work at length say: where they go on, and what came of it."""

import contextlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eyespot.cli.show import counted, printable, progress, say

if TYPE_CHECKING:
    from eyespot.data.parts import Work, Written
    from eyespot.data.photos import Photo

Part = Annotated[
    str,
    typer.Option("--share", help="Do one of N shares, as 2/8; the command without it joins them."),
]


@contextlib.contextmanager
def looking() -> "Iterator[Work]":
    """A bar for `write_features` and `write_predictions`, and a line if they go on with a run."""
    first = True
    with progress() as step:

        def work(done: int, total: int) -> None:
            nonlocal first
            if first and done:
                say(f"Going on: {done:,} of {total:,} photos are done.", file=sys.stderr)
            first = False
            step("Embedding photos", done, total)

        yield work


def say_failures(written: "Written") -> None:
    """The photos that could not be used, on standard error: the first by name."""
    for failed in written.failed:
        say(f"Skipped {printable(failed.path)}: {printable(failed.reason)}", file=sys.stderr)
    more = written.failures - len(written.failed)
    if more:
        left = counted(more, "more photo")
        say(f"{left} could not be used: see the column error.", file=sys.stderr)


def read_and_written(photos: "Iterable[Photo]", outputs: Iterable[Path | None]) -> list[Path]:
    """The files that photos are read from and that are outputs, too: for `check_outputs`."""
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
