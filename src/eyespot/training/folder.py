"""A folder for one run, or one search, at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from eyespot.errors import TrainingError
from eyespot.training.checkpoint import LAST

LOCK, STUDY = "run.lock", "study.db"
KINDS = {LAST: "a training run", STUDY: "a search for settings"}
"""What a folder is of that has such a file."""


@contextmanager
def alone_in(folder: Path, kind: str) -> Iterator[None]:
    """Within it, `folder` is there, and no other process works in it. `kind`: of `KINDS`.

    Raises TrainingError if one does, or the folder is of another kind; OSError as making it does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise TrainingError(
            f"Another process is at work in {folder}. Wait for it, or choose another folder."
        ) from error
    try:
        for other, words in KINDS.items():
            if other != kind and (folder / other).exists():
                raise TrainingError(
                    f"Expected a folder for {KINDS[kind]}, and {folder} has {words} in it "
                    f"({other}). Choose another folder."
                )
        yield
    finally:
        lock.release()
