"""Keep a folder for one training run, or one search, at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from eyespot.errors import TrainingError
from eyespot.training.checkpoint import LAST

LOCK, STUDY = "run.lock", "study.db"
KINDS = {LAST: "a training run", STUDY: "a search for settings"}
"""What a folder holds that has such a file."""


@contextmanager
def exclusive_folder(folder: Path, kind: str) -> Iterator[None]:
    """Make `folder`, and lock it against other processes. `kind`: a key of `KINDS`.

    Raises TrainingError if another process holds it or the folder is of another kind, OSError if it
    cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise TrainingError(
            f"Another process is using {folder}. Wait for it, or choose another folder."
        ) from error
    try:
        for other, words in KINDS.items():
            if other != kind and (folder / other).exists():
                raise TrainingError(
                    f"Expected a folder for {KINDS[kind]}, but {folder} has {words} "
                    f"({other}). Choose another folder."
                )
        yield
    finally:
        lock.release()
