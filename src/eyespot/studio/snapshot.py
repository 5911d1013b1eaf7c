"""A project as it is at one moment."""

import sqlite3
from dataclasses import dataclass

from eyespot.errors import MissingError
from eyespot.shown import Brief


@dataclass(frozen=True, slots=True)
class Class:
    """`enabled`: whether it is learnt."""

    id: str
    name: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """`class_id`: of its `Class`. `burst`: equal for frames that were recorded in one go, None for
    a file. `added`: milliseconds since 1970. `name`: of the file it was, None for a frame."""

    id: int
    class_id: str
    sha256: str
    burst: str | None
    added: int
    name: str | None


@dataclass(frozen=True, slots=True, repr=False)
class Snapshot(Brief):
    """A project at one moment. `version` grows with each change. `classes`, `pictures`: in their
    order. `undo`: what the next `undo` takes back, None for nothing. `backbone`: the network that
    looks at its pictures, None for the usual one."""

    id: str
    name: str
    version: int
    classes: tuple[Class, ...]
    pictures: tuple[Picture, ...]
    undo: str | None
    backbone: str | None


def about(database: sqlite3.Connection, project: str) -> tuple[str, int]:
    """The project's name and version. Raises MissingError if it is not there, or in the trash."""
    row = database.execute(
        "SELECT name, version FROM projects WHERE id = ? AND deleted IS NULL", [project]
    ).fetchone()
    if row is None:
        raise MissingError("This project is not there any more. Go back to the list.")
    return row[0], row[1]


def take_snapshot(database: sqlite3.Connection, project: str) -> Snapshot:
    """Within a transaction. Raises MissingError."""
    name, version = about(database, project)
    (backbone,) = database.execute(
        "SELECT backbone FROM projects WHERE id = ?", [project]
    ).fetchone()
    classes = database.execute(
        "SELECT id, name, enabled FROM classes WHERE project = ? ORDER BY place", [project]
    ).fetchall()
    pictures = database.execute(
        "SELECT id, class, sha256, burst, added, name FROM pictures WHERE project = ? ORDER BY id",
        [project],
    ).fetchall()
    step = database.execute(
        "SELECT what FROM steps WHERE project = ? ORDER BY number DESC LIMIT 1", [project]
    ).fetchone()
    return Snapshot(
        project,
        name,
        version,
        tuple(Class(id, name, bool(enabled)) for id, name, enabled in classes),
        tuple(Picture(*row) for row in pictures),
        step and step[0],
        backbone,
    )
