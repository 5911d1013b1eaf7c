"""The folder of one long job: locks keep other processes out, a manifest keeps other jobs out."""

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from eyespot.atomic import LONGEST_NAME, write_atomically
from eyespot.data.photos import printable
from eyespot.errors import UsageError
from eyespot.files import read_file
from eyespot.limits import MAX_NAMES_BYTES

MANIFEST, LOCK = "_manifest.json", ".lock"  # readers of Parquet folders ignore these names
WORDS = {
    "table": "the kind of table",
    "classifier": "the classifier",
    "network": "the network",
    "top": "the number of classes shown",
    "photos": "the number of photos",
    "list": "the list of photos",
    "rows": "the number of photos per part",
}
"""What messages call the keys of a manifest."""

Job = Mapping[str, str | int]
"""Everything that the rows of a table depend on."""


@contextlib.contextmanager
def folder_for(outputs: Sequence[Path], *, shards: bool) -> Iterator[Path]:
    """The folder for the parts of a table: the output itself if `shards`, else a folder beside the
    first output that is a file, or a temporary one for devices and pipes."""
    if shards:
        yield outputs[0]
        return
    files = [path for path in outputs if path.is_file() or not path.exists()]
    if not files:
        with tempfile.TemporaryDirectory(prefix="eyespot-") as folder:
            yield Path(folder) / "parts"
        return
    file = files[0].resolve()
    name = f"{file.name}.parts"
    if len(os.fsencode(name)) > LONGEST_NAME:
        name = f"{hashlib.sha256(os.fsencode(file.name)).hexdigest()[:16]}.parts"
    yield file.with_name(name)


def lock_folder(folder: Path, share: str | None) -> contextlib.ExitStack:
    """Lock a folder, or only a `share` of it against the same share. Raises UsageError if another
    process holds the lock."""
    whole = folder / LOCK
    with contextlib.ExitStack() as locks:
        try:
            if share is None:
                for path in (whole, *folder.glob(f"{LOCK}-*")):
                    locks.enter_context(FileLock(path, timeout=0))
            else:
                locks.enter_context(FileLock(folder / f"{LOCK}-{share}", timeout=0))
                with FileLock(whole, timeout=10):  # each share holds it for a moment as it starts
                    pass
        except Timeout as error:
            raise UsageError(
                f"Another eyespot is writing to {printable(folder)}. Wait until it is done, or "
                "name another output."
            ) from error
        return locks.pop_all()


def claim_folder(folder: Path, job: Job) -> None:
    """Write the manifest of a job into an empty folder, or check that it is there already. Raises
    UsageError for any other folder."""
    manifest, shown = folder / MANIFEST, printable(folder)
    try:
        known = json.loads(read_file(manifest, MAX_NAMES_BYTES))
    except FileNotFoundError:
        if any(not path.name.startswith(".") for path in folder.iterdir()):
            raise UsageError(
                f"Expected an empty folder, or parts of an interrupted job, in {shown}; found "
                "something else. Name another output, or empty the folder."
            ) from None
        write_atomically(manifest, json.dumps(job).encode())
        return
    except (ValueError, RecursionError):
        known = None
    if not isinstance(known, dict):
        raise UsageError(f"{printable(manifest)} is damaged. Remove {shown} to start over.")
    if known != job:
        changed = []
        for key, word in WORDS.items():
            then, now = known.get(key), job.get(key)
            if then != now:
                is_short = isinstance(then, int) or key == "table"
                changed.append(f"{word} ({then} then, {now} now)" if is_short else word)
        raise UsageError(
            f"{shown} holds part of another job and was not changed. Different: "
            f"{', '.join(changed) or 'the manifest'}. Use the same options to resume, name another "
            "output, or remove that folder to start over."
        )
