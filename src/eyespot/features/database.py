"""Open a SQLite file that several processes share and that may be damaged."""

import sqlite3
import time
from pathlib import Path

PATIENCE = 60.0
"""Seconds to wait for a process that is writing."""
DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def open_database(path: Path, schema: str) -> sqlite3.Connection:
    """A connection in autocommit mode, with a write-ahead log and `schema` in place.

    For the thread that opened it. Raises sqlite3.Error.
    """
    database = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
    try:
        # A damaged text that is not UTF-8 must not prevent reading the other rows.
        database.text_factory = lambda raw: raw.decode(errors="replace")
        database.execute("PRAGMA auto_vacuum=INCREMENTAL")
        _use_write_ahead_log(database)
        database.execute("PRAGMA synchronous=NORMAL")
        database.executescript(schema)
    except BaseException:
        database.close()
        raise
    return database


def is_damage(error: Exception) -> bool:
    """Whether the file itself is damaged, rather than locked, protected or on a full disk."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGE


def pragma(database: sqlite3.Connection, name: str) -> int:
    """An integer pragma of the file."""
    return int(database.execute(f"PRAGMA {name}").fetchone()[0])


def _use_write_ahead_log(database: sqlite3.Connection) -> None:
    """Turn on the write-ahead log; where several processes do so at once, SQLite does not wait."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            database.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(0.02)
        else:
            return
