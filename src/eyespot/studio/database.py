"""Where projects are kept: SQLite, one transaction a change, and every change can be taken back.

Triggers write down what each row was before a step changed it, so that taking back is the same for
all that can be done: the rows are put back, the last change first.
"""

import contextlib
import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from eyespot.errors import ProjectError
from eyespot.features.database import is_damage, open_database

MOST_STEPS = 100
"""Steps of a project that can be taken back; what older ones need is given up."""

COLUMNS = {
    "classes": ("id", "project", "name", "enabled", "place"),
    "pictures": ("id", "project", "class", "sha256", "burst", "added", "name"),
}
"""The tables whose changes can be taken back."""

TABLES = """
CREATE TABLE IF NOT EXISTS projects (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    changed REAL NOT NULL,
    deleted REAL,
    backbone TEXT
);
CREATE TABLE IF NOT EXISTS trash (
    project TEXT PRIMARY KEY REFERENCES projects ON DELETE CASCADE,
    seen REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS classes (
    id TEXT PRIMARY KEY,
    project TEXT NOT NULL REFERENCES projects ON DELETE CASCADE,
    name TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    place INTEGER NOT NULL,
    UNIQUE (project, name)
);
CREATE TABLE IF NOT EXISTS pictures (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project TEXT NOT NULL REFERENCES projects ON DELETE CASCADE,
    class TEXT NOT NULL REFERENCES classes,
    sha256 TEXT NOT NULL,
    burst TEXT,
    added INTEGER NOT NULL,
    name TEXT,
    UNIQUE (class, sha256)
);
CREATE INDEX IF NOT EXISTS pictures_of_project ON pictures (project);
CREATE INDEX IF NOT EXISTS pictures_by_content ON pictures (sha256);
CREATE TABLE IF NOT EXISTS thumbnails (sha256 TEXT PRIMARY KEY, jpeg BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS taught (
    sha256 TEXT NOT NULL,
    extractor TEXT NOT NULL,
    dhash BLOB NOT NULL,
    features BLOB NOT NULL,
    PRIMARY KEY (sha256, extractor)
);
CREATE TABLE IF NOT EXISTS steps (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    project TEXT NOT NULL REFERENCES projects ON DELETE CASCADE,
    what TEXT NOT NULL,
    burst TEXT
);
CREATE INDEX IF NOT EXISTS steps_of_project ON steps (project);
CREATE TABLE IF NOT EXISTS changes (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    step INTEGER NOT NULL REFERENCES steps ON DELETE CASCADE,
    kind TEXT NOT NULL,
    id NOT NULL,
    old TEXT
);
CREATE INDEX IF NOT EXISTS changes_of_step ON changes (step);
"""


def _triggers() -> list[str]:
    """Where a project has a step, its rows' former selves are added to the last one."""
    written = []
    for table, columns in COLUMNS.items():
        old = "json_object(" + ", ".join(f"'{name}', OLD.{name}" for name in columns) + ")"
        for event, row, kept in (
            ("INSERT", "NEW", "NULL"),
            ("UPDATE", "OLD", old),
            ("DELETE", "OLD", old),
        ):
            written.append(
                f"CREATE TRIGGER IF NOT EXISTS {table}_{event} AFTER {event} ON {table} BEGIN "
                f"INSERT INTO changes (step, kind, id, old) SELECT max(number), '{table}', "
                f"{row}.id, {kept} FROM steps WHERE project = {row}.project "
                "HAVING max(number) IS NOT NULL; END;"
            )
    return written


SCHEMA = "\n".join([TABLES, *_triggers()])


class Database:
    """The file `path`, for any number of threads and processes: each has its own connection."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._threads = threading.local()

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One state of everything, whatever others write meanwhile. Raises ProjectError."""
        with self._transaction("BEGIN") as database:
            yield database

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """All that is done in the block, or nothing. Raises ProjectError."""
        with self._transaction("BEGIN IMMEDIATE") as database:
            yield database

    @contextlib.contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        try:
            with self._connection() as database:
                database.execute(begin)
                yield database
        except sqlite3.Error as error:
            self._threads.__dict__.clear()  # whatever is wrong with it, the next one is new
            raise ProjectError(_reason(self.path, error)) from error

    def _connection(self) -> sqlite3.Connection:
        held: dict[str, _Held] = self._threads.__dict__
        if "held" not in held:
            held["held"] = _Held(self.path)
        return held["held"].database


class _Held:
    """A connection that is closed when its thread ends."""

    def __init__(self, path: Path) -> None:
        self.database = open_database(path, SCHEMA)
        _add_names(self.database)
        self.database.execute("PRAGMA foreign_keys=ON")
        # A person's work, unlike a cache, must also outlive a power cut.
        self.database.execute("PRAGMA synchronous=FULL")

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError, sqlite3.Error):
            self.database.close()


def _add_names(database: sqlite3.Connection) -> None:
    """Let pictures have a name where an older eyespot made the file."""

    def lacks_names() -> bool:
        rows = database.execute("PRAGMA table_info(pictures)").fetchall()
        return "name" not in [row[1] for row in rows]

    if not lacks_names():
        return
    with database:
        database.execute("BEGIN IMMEDIATE")
        if lacks_names():  # no other process has done it meanwhile
            database.execute("ALTER TABLE pictures ADD COLUMN name TEXT")
            for event in ("INSERT", "UPDATE", "DELETE"):
                database.execute(f"DROP TRIGGER pictures_{event}")
            for trigger in _triggers():
                database.execute(trigger)


def _reason(path: Path, error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return f"The disk of {path.parent} is full. Nothing was changed; make room and try again."
    if code == sqlite3.SQLITE_BUSY:
        return "Another eyespot is writing to the projects for a long time. Try again."
    if is_damage(error):
        return (
            f"{path} is damaged ({error}). Restore it from a copy, or move it away to begin anew."
        )
    return (
        f"The projects in {path.parent} cannot be read or written ({error}). Nothing was changed; "
        "see that the folder can be written and has room, and try again."
    )


def begin_step(
    database: sqlite3.Connection, project: str, what: str, burst: str | None = None
) -> None:
    """What follows in this transaction is one step. Frames of one burst are one step together."""
    last = database.execute(
        "SELECT burst FROM steps WHERE project = ? ORDER BY number DESC LIMIT 1", [project]
    ).fetchone()
    if burst is None or last is None or last[0] != burst:
        database.execute(
            "INSERT INTO steps (project, what, burst) VALUES (?, ?, ?)", [project, what, burst]
        )
        database.execute(
            "DELETE FROM steps WHERE project = ?1 AND number NOT IN (SELECT number FROM steps"
            " WHERE project = ?1 ORDER BY number DESC LIMIT ?2)",
            [project, MOST_STEPS],
        )
    mark_changed(database, project)


def take_back(database: sqlite3.Connection, project: str) -> str | None:
    """Undo the project's last step; what it was, or None if there is none."""
    step = database.execute(
        "SELECT number, what FROM steps WHERE project = ? ORDER BY number DESC LIMIT 1", [project]
    ).fetchone()
    if step is None:
        return None
    number, what = step
    changes = database.execute(
        "SELECT kind, id, old FROM changes WHERE step = ? ORDER BY number DESC", [number]
    ).fetchall()
    for kind, row, old in changes:
        columns = COLUMNS[kind]
        if old is None:
            database.execute(f"DELETE FROM {kind} WHERE id = ?", [row])
            continue
        before = json.loads(old)
        again = ", ".join(f"{name} = excluded.{name}" for name in columns)
        database.execute(
            f"INSERT INTO {kind} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
            f" ON CONFLICT (id) DO UPDATE SET {again}",
            [before.get(name) for name in columns],  # of older steps no name is known
        )
    database.execute("DELETE FROM steps WHERE number = ?", [number])  # and the changes of undoing
    mark_changed(database, project)
    return str(what)


def mark_changed(database: sqlite3.Connection, project: str) -> None:
    """Let other pages and tabs know."""
    database.execute(
        "UPDATE projects SET version = version + 1, changed = ? WHERE id = ?",
        [time.time(), project],
    )
