"""Cache of features in SQLite, keyed by content, network and preprocessing.

SQLite's write-ahead log makes it safe against kills and for several processes at once. A failing
cache never stops the work: if the disk is full or the file cannot be written, one warning is logged
and the cache is not used. Every record has a checksum of all its fields, so that a damaged record
is a miss and never a wrong feature; a damaged file is set aside.
"""

import contextlib
import logging
import math
import os
import sqlite3
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eyespot.errors import CacheError, UsageError
from eyespot.features.cache_folder import DATABASE, cache_folder, folder_path, warn_once
from eyespot.features.database import is_damage, open_database, pragma
from eyespot.features.usable import fault_of
from eyespot.forking import leave_behind, leaves_parent
from eyespot.shown import Brief, sentence

logger = logging.getLogger(__name__)

DEFAULT_LIMIT_MB = 5_000
DAY = 86_400
LOOKUP = 500
"""Keys in one query."""
# A table with row numbers reads records of 10 kB three times as fast as one kept in order of its
# key. The index on `used` spares eviction from reading every record.
SCHEMA = """
CREATE TABLE IF NOT EXISTS photos (
    extractor TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    used INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    dhash BLOB NOT NULL,
    thumbnail BLOB NOT NULL,
    features BLOB NOT NULL,
    PRIMARY KEY (extractor, sha256)
);
CREATE INDEX IF NOT EXISTS photos_by_use ON photos (used);
"""


@dataclass(frozen=True, slots=True, repr=False)
class Record(Brief):
    """The record of a photo. `features`: float16 or float32 [D], stored as float16. `dhash`: 64-bit
    perceptual hash. `thumbnail`: a JPEG file. `width`, `height`: of the original, in pixels.

    Half precision halves the file. Measured on 240 photos of four datasets against float32: vectors
    rotate by 1 - cos <= 5e-8, and the cosine of two photos changes by at most 5e-5 on the last
    layer and 2.3e-4 on the earliest stage; bfloat16 inference changes it more.
    """

    features: NDArray[np.floating]
    dhash: int
    thumbnail: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class CacheInfo:
    """Place and size of the cache. `bytes`: in use. `limit`: the most bytes. `by_extractor`: photos
    of each network and preprocessing."""

    path: Path
    photos: int
    bytes: int
    limit: int
    by_extractor: Mapping[str, int]


def _limit_from_environment() -> int:
    text = os.environ.get("EYESPOT_CACHE_LIMIT", "").strip() or str(DEFAULT_LIMIT_MB)
    try:
        megabytes = float(text)
    except ValueError:
        megabytes = math.nan
    if not 0 <= megabytes < math.inf:
        raise UsageError(
            f"EYESPOT_CACHE_LIMIT is the cache's size in MB, such as {DEFAULT_LIMIT_MB}; "
            f"{text!r} is not a valid size. Correct or unset it."
        )
    return int(megabytes * 1_000_000)


class FeatureCache:
    """A cache for one thread. A forked child and an unpickled cache get their own connection.

    `limit_bytes`: the most bytes on disk; EYESPOT_CACHE_LIMIT (in MB) if None. Raises UsageError
    for an invalid limit; all other failures are warnings, and the cache then finds nothing.
    """

    _database: sqlite3.Connection | None = None

    def __init__(self, path: Path | None = None, limit_bytes: int | None = None) -> None:
        self.path = path or folder_path() / DATABASE
        self.limit = _limit_from_environment() if limit_bytes is None else limit_bytes
        with self._forgiving():
            if path is None:
                cache_folder()
            self._open()
        leaves_parent(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return FeatureCache, (self.path, self.limit)

    def leave_parent(self) -> None:
        """In a forked child: open another connection; two processes must not share one."""
        if self._database is not None:
            leave_behind(self._database)
            self._database = None
            with self._forgiving():
                self._open()

    def _open(self) -> None:
        self._file = self._stat()
        self._database = open_database(self.path, SCHEMA)
        self._file = self._stat()

    def _stat(self) -> os.stat_result | None:
        try:
            return self.path.stat()
        except OSError:
            return None

    @contextlib.contextmanager
    def _forgiving(self) -> Iterator[None]:
        """Set a damaged file aside; close the cache after other failures. Log one warning."""
        try:
            yield
        except (sqlite3.Error, OSError, CacheError) as error:
            self.close()
            if not is_damage(error):
                self._warn(error)
                return
            try:
                self._set_aside()
                self._open()
            except (sqlite3.Error, OSError) as second:
                self._warn(second)

    def _warn(self, error: Exception) -> None:
        if isinstance(error, CacheError):  # there is no folder
            return warn_once(str(error))
        logger.warning("The feature cache %s cannot be used: %s", self.path, sentence(error))

    def _set_aside(self) -> None:
        now = self._stat()
        if self._file is None or now is None or not os.path.samestat(self._file, now):
            return  # another process has replaced it
        logger.warning("The feature cache is damaged; it was renamed to %s.", self._damaged)
        self.path.replace(self._damaged)
        for suffix in ("-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)

    @property
    def _damaged(self) -> Path:
        return self.path.with_suffix(".damaged")

    def close(self) -> None:
        """Close the file. The cache then finds and keeps nothing."""
        if self._database is not None:
            with contextlib.suppress(sqlite3.Error):
                self._database.close()
            self._database = None

    def __del__(self) -> None:
        self.close()

    def get_many(self, keys: Sequence[str], extractor: str) -> dict[str, Record]:
        """The cached records, by the photo's sha256."""
        found: dict[str, Record] = {}
        if self._database is not None:
            with self._forgiving():
                for start in range(0, len(keys), LOOKUP):
                    found |= self._look_up(keys[start : start + LOOKUP], extractor)
        return found

    def _look_up(self, keys: Sequence[str], extractor: str) -> dict[str, Record]:
        assert self._database is not None
        found: dict[str, Record] = {}
        now, stale = int(time.time()), False
        where = f"extractor = ? AND sha256 IN ({','.join('?' * len(keys))})"
        rows = self._database.execute(
            "SELECT used, checksum, sha256, width, height, dhash, thumbnail, features "
            f"FROM photos WHERE {where}",
            [extractor, *keys],
        ).fetchall()
        for used, checksum, *row in rows:
            try:
                if _checksum(extractor, *row) != checksum:
                    continue
            except TypeError:  # damage can turn a blob into text or NULL
                continue
            sha256, width, height, dhash, thumbnail, features = row
            vector = np.frombuffer(features, dtype=np.float16)
            code = int.from_bytes(dhash, "big")
            found[sha256] = Record(vector, code, thumbnail, width, height)
            stale = stale or used not in range(now - DAY, now + DAY)
        if stale:  # to the day, which suffices to evict the oldest
            self._database.execute(
                f"UPDATE photos SET used = ? WHERE {where}", [now, extractor, *keys]
            )
        return found

    def put_many(self, extractor: str, records: Mapping[str, Record]) -> None:
        """Store records, by the photo's sha256, in one transaction; evict the least recently used.

        Records whose features exceed half precision are not stored.
        """
        if self._database is None:
            return
        now = int(time.time())
        rows = []
        for sha256, record in records.items():
            if fault_of(record.features):
                continue
            code, vector = record.dhash.to_bytes(8, "big"), record.features.astype(np.float16)
            row = sha256, record.width, record.height, code, record.thumbnail, vector.tobytes()
            rows.append((extractor, now, _checksum(extractor, *row), *row))
        with self._forgiving():
            with self._database as database:  # Ctrl-C rolls back
                database.execute("BEGIN IMMEDIATE")
                database.executemany(
                    "INSERT OR REPLACE INTO photos (extractor, used, checksum, sha256, width,"
                    " height, dhash, thumbnail, features) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    rows,
                )
            self._evict()

    def _evict(self) -> None:
        assert self._database is not None
        if self._bytes() <= self.limit:
            return
        # A tenth at a time, so that a full cache does not evict at every write, and other processes
        # can write in between.
        gone = 1
        while gone and self._bytes() > self.limit:
            gone = self._database.execute(
                "DELETE FROM photos WHERE rowid IN (SELECT rowid FROM photos ORDER BY used, rowid"
                " LIMIT (SELECT max(1, count(*) / 10) FROM photos))"
            ).rowcount
        # New records fill the free pages below the limit; pages above it are freed on disk.
        page = pragma(self._database, "page_size")
        over = pragma(self._database, "page_count") - self.limit // page
        if over > 0:
            self._database.execute(f"PRAGMA incremental_vacuum({over})").fetchall()

    def _bytes(self) -> int:
        """Bytes in use, without free pages."""
        assert self._database is not None
        pages = pragma(self._database, "page_count") - pragma(self._database, "freelist_count")
        return pages * pragma(self._database, "page_size")

    def info(self) -> CacheInfo:
        """Place and size. Raises CacheError if the cache cannot be read."""
        database = self._require()
        try:
            counts = database.execute("SELECT extractor, count(*) FROM photos GROUP BY extractor")
            by_extractor = dict(counts.fetchall())
            used = self._bytes()
        except sqlite3.Error as error:
            raise CacheError(f"The cache {self.path} cannot be read: {sentence(error)}") from error
        return CacheInfo(self.path, sum(by_extractor.values()), used, self.limit, by_extractor)

    def clear(self) -> None:
        """Delete all records and a file set aside. Raises CacheError if that is not possible."""
        database = self._require()
        try:
            database.execute("DELETE FROM photos")
            database.execute("VACUUM")
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            self._damaged.unlink(missing_ok=True)
        except (sqlite3.Error, OSError) as error:
            raise CacheError(
                f"The cache {self.path} cannot be cleared: {error}. "
                "Close other eyespots and try again, or delete that file."
            ) from error

    def _require(self) -> sqlite3.Connection:
        if self._database is None:
            raise CacheError(
                f"The cache {self.path} cannot be opened. Check that its folder can be written, "
                "or set EYESPOT_CACHE to one that can."
            )
        return self._database


def _checksum(
    extractor: str,
    sha256: str,
    width: int,
    height: int,
    dhash: bytes,
    thumbnail: bytes,
    features: bytes,
) -> int:
    """CRC-32 of a record and its key."""
    checksum = zlib.crc32(f"{extractor}\n{sha256}\n{width}\n{height}".encode())
    for part in (dhash, thumbnail, features):
        checksum = zlib.crc32(part, checksum)
    return checksum
