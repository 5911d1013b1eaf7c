"""The state of a project at one moment."""

import sqlite3
from dataclasses import dataclass

from eyespot.shown import Brief
from eyespot.studio.rows import project_row


@dataclass(frozen=True, slots=True)
class Class:
    """`enabled`: whether the classifier is trained on it."""

    id: str
    name: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class ProjectPhoto:
    """A photo of the class `class_id`.

    `burst`: shared by the frames of one recording, None for a file. `added`: milliseconds since
    1970. `name`: of the file, None for a frame.
    """

    id: int
    class_id: str
    sha256: str
    burst: str | None
    added: int
    name: str | None


@dataclass(frozen=True, slots=True, repr=False)
class Snapshot(Brief):
    """A project at one moment.

    `version`: grows with each change. `undo`: the change that `undo` reverts, None if there is
    none. `backbone`: None for the default.
    """

    id: str
    name: str
    version: int
    classes: tuple[Class, ...]
    photos: tuple[ProjectPhoto, ...]
    undo: str | None
    backbone: str | None

    @property
    def enabled(self) -> dict[str, str]:
        """Names of the enabled classes by id."""
        return {of.id: of.name for of in self.classes if of.enabled}


def take_snapshot(database: sqlite3.Connection, project: str) -> Snapshot:
    """Read a project within a transaction. Raises MissingError."""
    name, version, backbone = project_row(database, project)
    classes = database.execute(
        "SELECT id, name, enabled FROM classes WHERE project = ? ORDER BY position", [project]
    ).fetchall()
    photos = database.execute(
        "SELECT id, class, sha256, burst, added, name FROM photos WHERE project = ? ORDER BY id",
        [project],
    ).fetchall()
    step = database.execute(
        "SELECT action FROM steps WHERE project = ? ORDER BY number DESC LIMIT 1", [project]
    ).fetchone()
    return Snapshot(
        project,
        name,
        version,
        tuple(Class(id, name, bool(enabled)) for id, name, enabled in classes),
        tuple(ProjectPhoto(*row) for row in photos),
        step and step[0],
        backbone,
    )
