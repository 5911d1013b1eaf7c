"""Features once computed are kept: SQLite on disk, keyed by content, network and preprocessing.

SQLite's write-ahead log makes it safe against kills at any moment and against several processes
at once. A cache may never stop the work: if the disk is full or the file cannot be written, one
warning is logged and the work goes on without it. Every record carries a checksum, so that a
damaged one is a miss and never a wrong feature.
"""

import contextlib
import logging
import os
import sqlite3
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray

from eyespot.errors import CacheError

logger = logging.getLogger(__name__)

DEFAULT_LIMIT_MB = 5_000
PATIENCE = 60.0
"""Seconds to wait for another process that is writing."""
SCHEMA = """
CREATE TABLE IF NOT EXISTS photos (
    extractor TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    features BLOB NOT NULL,
    dhash BLOB NOT NULL,
    thumbnail BLOB NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    used INTEGER NOT NULL,
    PRIMARY KEY (extractor, sha256)
) WITHOUT ROWID
"""


@dataclass(frozen=True, slots=True)
class Record:
    """What is kept of a photo. `features`: float16 or float32 [D]; float16 is what is stored.

    Half precision costs at most 1e-6 of cosine similarity and halves the file. `dhash`: 64-bit
    perceptual hash. `thumbnail`: a JPEG file. `width`, `height`: of the original, in pixels.
    """

    features: NDArray[np.floating]
    dhash: int
    thumbnail: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class CacheInfo:
    """Where the cache is, and what it holds. `limit`: bytes it may take."""

    path: Path
    photos: int
    bytes: int
    limit: int


def cache_folder() -> Path:
    """The folder for everything that can be computed again; made if missing.

    EYESPOT_CACHE overrides the platform's cache folder. Raises CacheError if it cannot be made.
    """
    named = os.environ.get("EYESPOT_CACHE")
    folder = Path(named) if named else Path(platformdirs.user_cache_dir("eyespot"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CacheError(
            f"The cache folder {folder} cannot be made ({error}). "
            "Set EYESPOT_CACHE to a folder that can be written."
        ) from error
    return folder


class FeatureCache:
    """Use from one thread; open one per thread or process for more."""

    def __init__(self, path: Path | None = None, limit_bytes: int | None = None) -> None:
        self.path = path or cache_folder() / "features.sqlite3"
        megabytes = int(os.environ.get("EYESPOT_CACHE_LIMIT", DEFAULT_LIMIT_MB))
        self.limit = limit_bytes if limit_bytes is not None else megabytes * 1_000_000
        self._database: sqlite3.Connection | None = None
        with self._forgiving():
            self._open()

    def _open(self) -> None:
        try:
            self._database = self._connect()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise  # locked, read-only, full: not the file's fault
            damaged = self.path.with_suffix(".damaged")
            logger.warning("The feature cache is damaged; it is kept as %s.", damaged)
            self.path.replace(damaged)
            for suffix in ("-wal", "-shm"):
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
            self._database = self._connect()

    def _connect(self) -> sqlite3.Connection:
        database = sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None)
        try:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=NORMAL")
            database.execute(SCHEMA)
        except BaseException:
            database.close()
            raise
        return database

    @contextlib.contextmanager
    def _forgiving(self) -> Iterator[None]:
        """A cache that fails is given up, with one warning; the work goes on."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            logger.warning("The feature cache %s is out of use: %s.", self.path, error)
            self.close()

    def close(self) -> None:
        if self._database is not None:
            with contextlib.suppress(sqlite3.Error):
                self._database.close()
            self._database = None

    def get_many(self, keys: Sequence[str], extractor: str) -> dict[str, Record]:
        """The records that are there, by the photo's sha256."""
        found: dict[str, Record] = {}
        if self._database is None:
            return found
        with self._forgiving():
            now = int(time.time())
            for start in range(0, len(keys), 500):
                part = list(keys[start : start + 500])
                marks = ",".join("?" * len(part))
                where = f"extractor = ? AND sha256 IN ({marks})"
                rows = self._database.execute(
                    "SELECT sha256, features, dhash, thumbnail, width, height, checksum, used "
                    f"FROM photos WHERE {where}",
                    [extractor, *part],
                ).fetchall()
                stale = False
                for sha256, features, dhash, thumbnail, width, height, checksum, used in rows:
                    if _checksum(features, dhash, thumbnail) != checksum:
                        continue
                    vector = np.frombuffer(features, dtype=np.float16)
                    code = int.from_bytes(dhash, "big")
                    found[sha256] = Record(vector, code, thumbnail, width, height)
                    stale = stale or now - used > 86_400
                if stale:  # a day is fine enough to know what was used last
                    self._database.execute(
                        f"UPDATE photos SET used = ? WHERE {where}", [now, extractor, *part]
                    )
        return found

    def put_many(self, extractor: str, records: Mapping[str, Record]) -> None:
        """Keep records, by the photo's sha256, in one transaction; evict what was used least."""
        if self._database is None or not records:
            return
        now = int(time.time())
        rows = []
        for sha256, record in records.items():
            features = record.features.astype(np.float16).tobytes()
            dhash = record.dhash.to_bytes(8, "big")
            checksum = _checksum(features, dhash, record.thumbnail)
            rows.append(
                (
                    *(extractor, sha256, features, dhash, record.thumbnail),
                    *(record.width, record.height, checksum, now),
                )
            )
        with self._forgiving():
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany(
                f"INSERT OR REPLACE INTO photos VALUES ({','.join('?' * 9)})", rows
            )
            self._database.execute("COMMIT")
            self._evict()

    def _evict(self) -> None:
        assert self._database is not None
        if self._bytes() <= self.limit:
            return
        # A tenth at a time, so that a full cache does not evict at every write.
        self._database.execute(
            "DELETE FROM photos WHERE (extractor, sha256) IN (SELECT extractor, sha256 FROM photos"
            " ORDER BY used LIMIT (SELECT max(1, count(*) / 10) FROM photos))"
        )

    def _bytes(self) -> int:
        """Bytes in use: pages that eviction freed are there to be written again."""
        assert self._database is not None
        pages, free, size = (
            self._database.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    def info(self) -> CacheInfo:
        """Raises CacheError if the cache cannot be read."""
        if self._database is None:
            raise CacheError(f"The cache {self.path} cannot be opened. Check its permissions.")
        photos = self._database.execute("SELECT count(*) FROM photos").fetchone()[0]
        return CacheInfo(self.path, photos, self._bytes(), self.limit)

    def clear(self) -> None:
        """Forget everything. Raises CacheError if another process holds the cache."""
        if self._database is None:
            raise CacheError(f"The cache {self.path} cannot be opened. Check its permissions.")
        try:
            self._database.execute("DELETE FROM photos")
            self._database.execute("VACUUM")
        except sqlite3.Error as error:
            raise CacheError(f"The cache {self.path} cannot be cleared: {error}.") from error


def _checksum(*parts: bytes) -> int:
    checksum = 0
    for part in parts:
        checksum = zlib.crc32(part, checksum)
    return checksum
