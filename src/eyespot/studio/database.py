"""The database of the projects: SQLite, one transaction a change, every change can be undone.

Triggers record each row before a step changes it, so that undo is the same for every operation: it
restores the rows, the last change first.
"""

import contextlib
import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from eyespot.errors import ProjectError
from eyespot.features.database import is_damage, open_database, pragma

FORMAT_VERSION = 2
MAX_STEPS = 100
"""Steps of a project that can be undone; older ones are dropped."""

COMMON_TABLES = """
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
    seen REAL NOT NULL,
    seconds REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS thumbnails (sha256 TEXT PRIMARY KEY, jpeg BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS steps (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    project TEXT NOT NULL REFERENCES projects ON DELETE CASCADE,
    action TEXT NOT NULL,
    burst TEXT
);
CREATE INDEX IF NOT EXISTS steps_of_project ON steps (project);
CREATE TABLE IF NOT EXISTS changes (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    step INTEGER NOT NULL REFERENCES steps ON DELETE CASCADE,
    table_name TEXT NOT NULL,
    id NOT NULL,
    old TEXT
);
CREATE INDEX IF NOT EXISTS changes_of_step ON changes (step);
"""
"""Of every room: projects, their trash, and the steps to undo."""

TEACH_TABLES = """
CREATE TABLE IF NOT EXISTS classes (
    id TEXT PRIMARY KEY,
    project TEXT NOT NULL REFERENCES projects ON DELETE CASCADE,
    name TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    position INTEGER NOT NULL,
    UNIQUE (project, name)
);
CREATE TABLE IF NOT EXISTS photos (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project TEXT NOT NULL REFERENCES projects ON DELETE CASCADE,
    class TEXT NOT NULL REFERENCES classes,
    sha256 TEXT NOT NULL,
    burst TEXT,
    added INTEGER NOT NULL,
    name TEXT,
    UNIQUE (class, sha256)
);
CREATE INDEX IF NOT EXISTS photos_of_project ON photos (project);
CREATE INDEX IF NOT EXISTS photos_by_content ON photos (sha256);
CREATE TABLE IF NOT EXISTS imported_features (
    sha256 TEXT NOT NULL,
    extractor TEXT NOT NULL,
    dhash BLOB NOT NULL,
    features BLOB NOT NULL,
    PRIMARY KEY (sha256, extractor)
);
"""


@dataclass(frozen=True, slots=True)
class Schema:
    """The tables of a room beside COMMON_TABLES. `undoable`: columns by table, of those whose
    changes can be undone; each has `id` and `project`."""

    tables: str
    undoable: Mapping[str, tuple[str, ...]]

    @property
    def script(self) -> str:
        """SQL that creates what is missing."""
        version = f"PRAGMA user_version = {FORMAT_VERSION};"
        return "\n".join([version, COMMON_TABLES, self.tables, *_triggers(self.undoable)])


TEACH = Schema(
    TEACH_TABLES,
    {
        "classes": ("id", "project", "name", "enabled", "position"),
        "photos": ("id", "project", "class", "sha256", "burst", "added", "name"),
    },
)


def _triggers(undoable: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Record each changed row under the last step of its project, if it has one."""
    triggers = []
    for table, columns in undoable.items():
        old = "json_object(" + ", ".join(f"'{name}', OLD.{name}" for name in columns) + ")"
        events = (("INSERT", "NEW", "NULL"), ("UPDATE", "OLD", old), ("DELETE", "OLD", old))
        for event, row, value in events:
            triggers.append(
                f"CREATE TRIGGER IF NOT EXISTS {table}_{event} AFTER {event} ON {table} BEGIN "
                f"INSERT INTO changes (step, table_name, id, old) SELECT max(number), '{table}', "
                f"{row}.id, {value} FROM steps WHERE project = {row}.project "
                "HAVING max(number) IS NOT NULL; END;"
            )
    return triggers


class Database:
    """The file `path`, for any number of threads and processes, each with its own connection."""

    def __init__(self, path: Path, schema: Schema = TEACH) -> None:
        self.path = path
        self.schema = schema
        self._threads = threading.local()

    def reading(self) -> AbstractContextManager[sqlite3.Connection]:
        """Read one consistent state. Raises ProjectError."""
        return self._transaction("BEGIN")

    def writing(self) -> AbstractContextManager[sqlite3.Connection]:
        """Commit the whole block or nothing. Raises ProjectError."""
        return self._transaction("BEGIN IMMEDIATE")

    @contextlib.contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        held: dict[str, _Held] = self._threads.__dict__
        try:
            if "held" not in held:
                held["held"] = _Held(self.path, self.schema)
            with held["held"].database as database:
                database.execute(begin)
                yield database
        except sqlite3.Error as error:
            held.clear()  # the next transaction opens a new connection
            raise ProjectError(_reason(self.path, error)) from error


class _Held:
    """A connection that closes when its thread ends."""

    def __init__(self, path: Path, schema: Schema) -> None:
        _check_version(path)
        self.database = open_database(path, schema.script)
        self.database.execute("PRAGMA foreign_keys=ON")
        # A user's work, unlike a cache, must also survive a power cut.
        self.database.execute("PRAGMA synchronous=FULL")

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError, sqlite3.Error):
            self.database.close()


def _check_version(path: Path) -> None:
    """Raise ProjectError if another version of eyespot wrote the file."""
    if not path.exists():
        return
    with contextlib.closing(sqlite3.connect(path)) as database:
        # In this order, since another process may be creating the file: the version comes first.
        (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
        version = pragma(database, "user_version")
    if tables and version != FORMAT_VERSION:
        raise ProjectError(
            f"{path} has format version {version}, expected {FORMAT_VERSION}: another version of "
            "eyespot wrote it. Move it away to start with an empty list of projects."
        )


def _reason(path: Path, error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return f"The disk of {path.parent} is full. Nothing was changed; free some space."
    if code == sqlite3.SQLITE_BUSY:
        return "Another eyespot process is writing to the projects. Try again."
    if is_damage(error):
        return (
            f"{path} is damaged ({error}). Restore it from a backup, or move it away to start "
            "without projects."
        )
    return (
        f"The projects in {path.parent} cannot be read or written ({error}). Nothing was changed; "
        "check the folder's permissions and free space, and try again."
    )


def begin_step(
    database: sqlite3.Connection, project: str, action: str, burst: str | None = None
) -> None:
    """Make the rest of this transaction one undo step; frames of one burst share a step."""
    last = database.execute(
        "SELECT burst FROM steps WHERE project = ? ORDER BY number DESC LIMIT 1", [project]
    ).fetchone()
    if burst is None or last is None or last[0] != burst:
        database.execute(
            "INSERT INTO steps (project, action, burst) VALUES (?, ?, ?)", [project, action, burst]
        )
        database.execute(
            "DELETE FROM steps WHERE project = ?1 AND number NOT IN (SELECT number FROM steps"
            " WHERE project = ?1 ORDER BY number DESC LIMIT ?2)",
            [project, MAX_STEPS],
        )
    mark_changed(database, project)


def undo_step(database: sqlite3.Connection, project: str, schema: Schema = TEACH) -> str | None:
    """Undo the project's last step; return its action, None if there is none."""
    step = database.execute(
        "SELECT number, action FROM steps WHERE project = ? ORDER BY number DESC LIMIT 1", [project]
    ).fetchone()
    if step is None:
        return None
    number, action = step
    changes = database.execute(
        "SELECT table_name, id, old FROM changes WHERE step = ? ORDER BY number DESC", [number]
    ).fetchall()
    for table, row, old in changes:
        columns = schema.undoable[table]
        if old is None:
            database.execute(f"DELETE FROM {table} WHERE id = ?", [row])
            continue
        values = json.loads(old)
        update = ", ".join(f"{name} = excluded.{name}" for name in columns)
        database.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
            f" ON CONFLICT (id) DO UPDATE SET {update}",
            [values[name] for name in columns],
        )
    # The changes recorded by undoing are deleted with the step.
    database.execute("DELETE FROM steps WHERE number = ?", [number])
    mark_changed(database, project)
    return str(action)


def mark_changed(database: sqlite3.Connection, project: str) -> None:
    """Increase the version, which other tabs and processes watch."""
    database.execute(
        "UPDATE projects SET version = version + 1, changed = ? WHERE id = ?",
        [time.time(), project],
    )
