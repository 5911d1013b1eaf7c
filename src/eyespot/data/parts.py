"""A table about many photos, written part by part, so that a kill costs little of a long job.

A folder holds `_manifest.json`, which says what was asked, and `part-00000.parquet` and so on: each
about as many photos, in their order, each written whole or not at all. Whoever asks the same again
writes only what is missing; several processes may each write a share.
"""

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock, Timeout

from eyespot.atomic import LONGEST_NAME, atomic_writer, write_atomically
from eyespot.data.photos import Photo, Skipped, printable
from eyespot.errors import UsageError
from eyespot.files import read_file
from eyespot.limits import MAX_NAMES_BYTES

FEWEST_ROWS, MOST_ROWS, ABOUT_PARTS = 64, 2048, 64
ROW_GROUP = 512
"""Rows of a file that are read together: few enough to look up one."""
MANIFEST, LOCK = "_manifest.json", ".lock"  # names that readers of Parquet folders pass over
WORDS = {
    "table": "what is written",
    "classifier": "the classifier",
    "network": "the network",
    "top": "how many classes are shown",
    "photos": "how many photos there are",
    "list": "the list of photos",
    "rows": "how many photos are in a part",
}
SHOWN_FAILURES = 20

Asked = Mapping[str, str | int]
Work = Callable[[int, int], None]
"""Called with (photos done, photos in all)."""
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Share:
    """The parts that one of `of` processes writes: each `of`-th, from the `number`-th (1 is the
    first). Raises UsageError if there is no such share."""

    number: int = 1
    of: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.of:
            raise UsageError(
                f"A share is one of N, from 1/N to N/N; got {self.number}/{self.of}. "
                "For the second of eight machines: 2/8"
            )

    @classmethod
    def parse(cls, text: str) -> "Share":
        """From a text such as 2/8. Raises UsageError."""
        number, _, of = text.partition("/")
        if not (number.isascii() and number.isdigit() and of.isascii() and of.isdigit()):
            raise UsageError(f"A share is written as 2/8, the second of eight; got {text!r}.")
        return cls(int(number[:9]), int(of[:9]))


WHOLE = Share()


@dataclass(frozen=True, slots=True)
class Written:
    """What a table says. `photos`: its rows; with a share, those that are there so far.
    `failures`: how many could not be used; `failed`: the first of them."""

    photos: int
    failures: int
    failed: tuple[Skipped, ...]


def fingerprint(photos: Iterable[Photo]) -> str:
    """Of the names and places of all photos, in order. Their files are not read."""
    digest = hashlib.sha256()
    for photo in photos:
        digest.update(f"{photo.name}\0{photo.source!r}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


@contextlib.contextmanager
def folder_for(outputs: Sequence[Path], *, shards: bool) -> Iterator[Path]:
    """Where the parts of a table go: into the output itself as `shards`, else into a folder beside
    the first output that is a file. Those of devices and pipes go to a temporary one."""
    if shards:
        yield outputs[0]
        return
    files = [path for path in outputs if path.is_file() or not path.exists()]
    if files:
        file = files[0].resolve()
        name = f"{file.name}.parts"
        if len(os.fsencode(name)) > LONGEST_NAME:
            name = f"{hashlib.sha256(os.fsencode(file.name)).hexdigest()[:16]}.parts"
        yield file.with_name(name)
    else:
        with tempfile.TemporaryDirectory(prefix="eyespot-") as folder:
            yield Path(folder) / "parts"


class Parts:
    """The parts of a table about `photos` in `folder`; `asked` says all that its rows depend on.

    Raises UsageError if the folder holds something else, or another process writes to it, and
    OSError as writing does.
    """

    def __init__(
        self, folder: Path, photos: Sequence[Photo], asked: Asked, share: Share = WHOLE
    ) -> None:
        self.folder, self.photos, self.share = folder, photos, share
        self.rows = min(MOST_ROWS, max(FEWEST_ROWS, len(photos) // ABOUT_PARTS // 16 * 16))
        self.count = -(-len(photos) // self.rows)
        folder.mkdir(parents=True, exist_ok=True)
        self._locks = contextlib.ExitStack()
        with contextlib.ExitStack() as locks:
            self._lock(locks)
            listed = fingerprint(photos)
            self._claim({**asked, "photos": len(photos), "list": listed, "rows": self.rows})
            self._locks = locks.pop_all()

    def _lock(self, locks: contextlib.ExitStack) -> None:
        """Keep others from the whole folder, or from this share of it. Raises UsageError."""
        whole, own = self.folder / LOCK, f"{LOCK}-{self.share.number}-of-{self.share.of}"
        try:
            if self.share == WHOLE:
                for path in (whole, *self.folder.glob(f"{LOCK}-*")):
                    locks.enter_context(FileLock(path, timeout=0))
            else:
                locks.enter_context(FileLock(self.folder / own, timeout=0))
                with FileLock(whole, timeout=10):  # held for a moment by each share that begins
                    pass
        except Timeout as error:
            raise UsageError(
                f"Another eyespot is writing to {printable(self.folder)}. Wait until it is done, "
                "or name another output."
            ) from error

    def __enter__(self) -> "Parts":
        return self

    def __exit__(self, *error: object) -> None:
        self._locks.close()

    def _claim(self, asked: dict[str, str | int]) -> None:
        """Make the folder that of this job, or see that it is. Raises UsageError if it is not."""
        manifest, shown = self.folder / MANIFEST, printable(self.folder)
        try:
            known = json.loads(read_file(manifest, MAX_NAMES_BYTES))
        except FileNotFoundError:
            if any(not path.name.startswith(".") for path in self.folder.iterdir()):
                raise UsageError(
                    f"Expected an empty folder, or parts that eyespot began, in {shown}; it holds "
                    "something else. Name another output, or empty it."
                ) from None
            write_atomically(manifest, json.dumps(asked).encode())
            return
        except (ValueError, RecursionError):
            known = None
        if not isinstance(known, dict):
            raise UsageError(f"{printable(manifest)} is damaged. Remove {shown} to begin anew.")
        if known != asked:
            keys = [key for key in WORDS if known.get(key) != asked.get(key)]
            changed = ", ".join(_difference(key, known.get(key), asked.get(key)) for key in keys)
            raise UsageError(
                f"{shown} holds part of another job, so it is left as it is. What differs: "
                f"{changed or 'its manifest'}. Ask for the same as then to go on, name another "
                "output, or remove that folder to begin anew."
            )

    # --- writing ---------------------------------------------------------------------------

    def file(self, part: int) -> Path:
        return self.folder / f"part-{part:05}.parquet"

    def size(self, part: int) -> int:
        """How many photos a part has; the last has fewer."""
        return min(self.rows, len(self.photos) - part * self.rows)

    def missing(self, share: Share = WHOLE) -> list[int]:
        """The parts of a share that are still to be written; a damaged one is."""
        return [n for n in range(share.number - 1, self.count, share.of) if not self._whole(n)]

    def _whole(self, part: int) -> bool:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with pq.ParquetFile(self.file(part)) as file:
                return bool(file.metadata.num_rows == self.size(part))
        except (OSError, pa.ArrowException):
            return False

    def fill(
        self,
        work: Callable[[Iterator[Photo]], Iterable[tuple[int, Row]]],
        table: Callable[[list[tuple[Photo, Row]]], Any],
        progress: Work = lambda done, total: None,
    ) -> None:
        """Write what is missing of the share.

        `work`: gives each photo's row, with the photo's number in what it was given, about in
        order. `table`: a pyarrow table of a part's photos and rows.
        """
        missing = self.missing(self.share)
        own = sum(map(self.size, range(self.share.number - 1, self.count, self.share.of)))
        done = own - sum(map(self.size, missing))
        progress(done, own)
        photos = (
            self.photos[part * self.rows + row]
            for part in missing
            for row in range(self.size(part))
        )
        begun: dict[int, dict[int, Row]] = {}
        for index, row in work(photos):
            part = missing[index // self.rows]
            rows = begun.setdefault(part, {})
            rows[index % self.rows] = row
            if len(rows) == self.size(part):
                first = part * self.rows
                self._write(part, table([(self.photos[first + n], rows[n]) for n in sorted(rows)]))
                del begun[part]
            done += 1
            progress(done, own)

    def _write(self, part: int, table: Any) -> None:
        import pyarrow.parquet as pq

        with atomic_writer(self.file(part)) as file:
            pq.write_table(table, file, row_group_size=ROW_GROUP, **HOW)

    # --- reading ---------------------------------------------------------------------------

    def tables(self, columns: list[str] | None = None) -> Iterator[Any]:
        """The row groups of all parts that are there, in order, as pyarrow tables."""
        import pyarrow.parquet as pq

        for part in range(self.count):
            if self.file(part).exists():
                with pq.ParquetFile(self.file(part)) as file:
                    for group in range(file.num_row_groups):
                        yield file.read_row_group(group, columns=columns, use_threads=False)

    def written(self) -> Written:
        """What the parts say, from their columns `path` and `error`."""
        photos = failures = 0
        failed: list[Skipped] = []
        for table in self.tables(["path", "error"]):
            photos += table.num_rows
            rows = table.filter(table["error"].is_valid())
            failures += rows.num_rows
            first = rows.slice(0, SHOWN_FAILURES - len(failed)).to_pylist()
            failed += [Skipped(row["path"], row["error"]) for row in first]
        return Written(photos, failures, tuple(failed))

    def join(self, path: Path) -> None:
        """All parts as one Parquet file, which is replaced whole; a row group is in memory."""
        import pyarrow.parquet as pq

        with pq.ParquetFile(self.file(0)) as first:
            schema = first.schema_arrow
        with atomic_writer(path) as file, pq.ParquetWriter(file, schema, **HOW) as writer:
            for table in self.tables():
                writer.write_table(table)

    def remove(self) -> None:
        """Take the folder away; whatever else is in it stays."""
        for path in [*map(self.file, range(self.count)), self.folder / MANIFEST]:
            path.unlink(missing_ok=True)
        for path in self.folder.glob(".*"):  # locks, and drafts that a kill left behind
            path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.folder.rmdir()


HOW = {"compression": "zstd", "compression_level": 1, "use_dictionary": False}


def _difference(key: str, then: object, now: object) -> str:
    if isinstance(then, int) or key == "table":
        return f"{WORDS[key]} ({then} then, {now} now)"
    return WORDS[key]
