"""A table about many photos, written in parts, so that an interrupted job loses little.

The folder holds a manifest and part-00000.parquet and so on: about as many photos each, in order,
each file complete or absent. The same job resumes with the missing parts; several processes may
each write a share.
"""

import contextlib
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from eyespot.atomic import atomic_writer
from eyespot.data.job_folder import MANIFEST, Job, claim_folder, lock_folder
from eyespot.data.parquet import open_parquet
from eyespot.data.photos import Photo, Skipped
from eyespot.errors import UsageError

FEWEST_ROWS, MOST_ROWS, ABOUT_PARTS = 64, 2048, 64
ROW_GROUP = 512
"""Rows of a file that are read together: few enough to look up one."""
FAILURES_LISTED = 20
_FORMAT = {"compression": "zstd", "compression_level": 1, "use_dictionary": False}

Work = Callable[[int, int], None]
"""Called with (photos done, photos in total)."""
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Share:
    """The parts that one of `of` processes writes: every `of`-th, from the `number`-th (1 is the
    first). Raises UsageError for an impossible share."""

    number: int = 1
    of: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.of:
            raise UsageError(
                f"Expected a share from 1/N to N/N, got {self.number}/{self.of}. For the second of "
                "eight machines: 2/8"
            )

    @classmethod
    def parse(cls, text: str) -> "Share":
        """From a text such as 2/8. Raises UsageError."""
        number, _, of = text.partition("/")
        if not (number.isascii() and number.isdigit() and of.isascii() and of.isdigit()):
            raise UsageError(f"Expected a share such as 2/8, the second of eight; got {text!r}.")
        return cls(int(number[:9]), int(of[:9]))


WHOLE = Share()


@dataclass(frozen=True, slots=True)
class Written:
    """A summary of a table. `photos`: rows written so far. `failures`: photos that cannot be used;
    `failed`: the first of them."""

    photos: int
    failures: int
    failed: tuple[Skipped, ...]


def fingerprint(photos: Iterable[Photo]) -> str:
    """sha256 of the names and places of all photos, in order; their files are not read."""
    digest = hashlib.sha256()
    for photo in photos:
        digest.update(f"{photo.name}\0{photo.source!r}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


class Parts:
    """The parts of a table about `photos` in `folder`. `job`: all that its rows depend on.

    Raises UsageError if the folder holds something else or another process writes to it, and
    OSError as writing does.
    """

    def __init__(
        self, folder: Path, photos: Sequence[Photo], job: Job, share: Share = WHOLE
    ) -> None:
        self.folder, self.photos, self.share = folder, photos, share
        self.rows = min(MOST_ROWS, max(FEWEST_ROWS, len(photos) // ABOUT_PARTS // 16 * 16))
        self.count = -(-len(photos) // self.rows)
        folder.mkdir(parents=True, exist_ok=True)
        with lock_folder(folder, None if share == WHOLE else f"{share.number}-of-{share.of}") as to:
            facts: Job = {"photos": len(photos), "list": fingerprint(photos), "rows": self.rows}
            claim_folder(folder, {**job, **facts})
            self._locks = to.pop_all()

    def __enter__(self) -> "Parts":
        return self

    def __exit__(self, *error: object) -> None:
        self._locks.close()

    # --- writing ---------------------------------------------------------------------------

    def file(self, part: int) -> Path:
        return self.folder / f"part-{part:05}.parquet"

    def size(self, part: int) -> int:
        """How many photos a part has; the last has fewer."""
        return min(self.rows, len(self.photos) - part * self.rows)

    def missing(self, share: Share = WHOLE) -> list[int]:
        """The parts of a share that are absent or damaged."""
        return [part for part in self._parts_of(share) if not self._is_complete(part)]

    def _parts_of(self, share: Share) -> range:
        return range(share.number - 1, self.count, share.of)

    def _is_complete(self, part: int) -> bool:
        import pyarrow as pa

        try:
            with open_parquet(self.file(part)) as file:
                return bool(file.metadata.num_rows == self.size(part))
        except (OSError, pa.ArrowException):
            return False

    def fill(
        self,
        work: Callable[[Iterator[Photo]], Iterable[tuple[int, Row]]],
        table: Callable[[list[tuple[Photo, Row]]], Any],
        progress: Work = lambda done, total: None,
    ) -> None:
        """Write the missing parts of the share.

        `work`: yields each photo's index in its input and its row, about in order. `table`: makes
        a pyarrow table from the photos and rows of a part.
        """
        missing = self.missing(self.share)
        total = sum(map(self.size, self._parts_of(self.share)))
        done = total - sum(map(self.size, missing))
        progress(done, total)
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
            progress(done, total)

    def _write(self, part: int, table: Any) -> None:
        import pyarrow.parquet as pq

        with atomic_writer(self.file(part)) as file:
            pq.write_table(table, file, row_group_size=ROW_GROUP, **_FORMAT)

    # --- reading ---------------------------------------------------------------------------

    def tables(self, columns: list[str] | None = None) -> Iterator[Any]:
        """The row groups of all existing parts, in order, as pyarrow tables."""
        for part in range(self.count):
            if self.file(part).exists():
                with open_parquet(self.file(part)) as file:
                    for group in range(file.num_row_groups):
                        yield file.read_row_group(group, columns=columns, use_threads=False)

    def written(self) -> Written:
        """The summary, from the columns `path` and `error`."""
        photos = failures = 0
        failed: list[Skipped] = []
        for table in self.tables(["path", "error"]):
            photos += table.num_rows
            rows = table.filter(table["error"].is_valid())
            failures += rows.num_rows
            first = rows.slice(0, FAILURES_LISTED - len(failed)).to_pylist()
            failed += [Skipped(row["path"], row["error"]) for row in first]
        return Written(photos, failures, tuple(failed))

    def join(self, path: Path) -> None:
        """Write all parts to one Parquet file, atomically; one row group is in memory."""
        import pyarrow.parquet as pq

        with open_parquet(self.file(0)) as first:
            schema = first.schema_arrow
        with atomic_writer(path) as file, pq.ParquetWriter(file, schema, **_FORMAT) as writer:
            for table in self.tables():
                writer.write_table(table)

    def remove(self) -> None:
        """Delete the parts, and the folder if nothing else is in it."""
        for path in [*map(self.file, range(self.count)), self.folder / MANIFEST]:
            path.unlink(missing_ok=True)
        for path in self.folder.glob(".*"):  # locks, and drafts that a kill left behind
            path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.folder.rmdir()
