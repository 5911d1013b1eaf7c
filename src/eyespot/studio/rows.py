"""Rows of the projects' database, read and inserted within a transaction of the caller."""

import secrets
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass

from eyespot.errors import MissingError, UsageError
from eyespot.limits import MAX_PROJECT_PHOTOS
from eyespot.shown import Brief


@dataclass(frozen=True, slots=True, repr=False)
class PhotoDraft(Brief):
    """A photo to insert. `thumbnail`: None if it is stored already. `name`: of its file."""

    sha256: str
    thumbnail: bytes | None = None
    name: str | None = None
    burst: str | None = None


@dataclass(frozen=True, slots=True)
class Class:
    """`enabled`: whether the classifier is trained on it."""

    id: str
    name: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class ProjectPhoto:
    """A photo of the class `class_id`. `burst`: shared by the frames of one recording, None for a
    file. `name`: of the file, None for a frame."""

    id: int
    class_id: str
    sha256: str
    burst: str | None
    name: str | None


@dataclass(frozen=True, slots=True, repr=False)
class Snapshot(Brief):
    """A project at one moment. `version`: grows with each change. `undo`: the change that `undo`
    reverts, None if there is none. `backbone`: None for the default."""

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


def new_id() -> str:
    """A random id that can be part of a URL."""
    return secrets.token_hex(8)


def project_row(database: sqlite3.Connection, project: str) -> tuple[str, int, str | None]:
    """Name, version and backbone. Raises MissingError if the project is missing or deleted."""
    row = database.execute(
        "SELECT name, version, backbone FROM projects WHERE id = ? AND deleted IS NULL", [project]
    ).fetchone()
    if row is None:
        raise MissingError("This project no longer exists. Go back to the list of projects.")
    return row[0], row[1], row[2]


def take_snapshot(database: sqlite3.Connection, project: str) -> Snapshot:
    """Read a project within a transaction. Raises MissingError."""
    name, version, backbone = project_row(database, project)
    classes = database.execute(
        "SELECT id, name, enabled FROM classes WHERE project = ? ORDER BY position", [project]
    ).fetchall()
    photos = database.execute(
        "SELECT id, class, sha256, burst, name FROM photos WHERE project = ? ORDER BY id",
        [project],
    ).fetchall()
    step = database.execute(
        "SELECT action FROM steps WHERE project = ? ORDER BY number DESC LIMIT 1", [project]
    ).fetchone()
    return Snapshot(
        name,
        version,
        tuple(Class(id, name, bool(enabled)) for id, name, enabled in classes),
        tuple(ProjectPhoto(*row) for row in photos),
        step and step[0],
        backbone,
    )


def class_name(database: sqlite3.Connection, project: str, id: str) -> str:
    """The name of a class. Raises MissingError if the project has no such class."""
    project_row(database, project)
    row = database.execute(
        "SELECT name FROM classes WHERE id = ? AND project = ?", [id, project]
    ).fetchone()
    if row is None:
        raise MissingError("This class no longer exists. Reload the project.")
    return str(row[0])


def require_free_name(database: sqlite3.Connection, project: str, name: str) -> None:
    """Raises UsageError if a class of the project has this name."""
    taken = database.execute(
        "SELECT 1 FROM classes WHERE project = ? AND name = ?", [project, name]
    ).fetchone()
    if taken:
        raise UsageError(f"A class named {name!r} already exists. Choose another name.")


def require_room(photos: int) -> None:
    """Raises UsageError if a project cannot hold so many photos."""
    if photos > MAX_PROJECT_PHOTOS:
        raise UsageError(
            f"A project holds at most {MAX_PROJECT_PHOTOS:,} photos, this one would hold "
            f"{photos:,}. Use the command line instead: eyespot teach PHOTOS"
        )


def count_rows(database: sqlite3.Connection, table: str, project: str) -> int:
    """The number of classes or photos of a project."""
    query = f"SELECT count(*) FROM {table} WHERE project = ?"
    return int(database.execute(query, [project]).fetchone()[0])


def photos_of_class(database: sqlite3.Connection, class_id: str) -> set[str]:
    """The sha256 of each photo of a class."""
    rows = database.execute("SELECT sha256 FROM photos WHERE class = ?", [class_id])
    return {sha256 for (sha256,) in rows}


def find_photos(
    database: sqlite3.Connection, project: str, ids: Sequence[int]
) -> dict[int, tuple[str, str]]:
    """(sha256, class) by id. Raises MissingError if one is not of this project."""
    project_row(database, project)
    found = {}
    for id in ids:
        row = database.execute(
            "SELECT sha256, class FROM photos WHERE id = ? AND project = ?", [id, project]
        ).fetchone()
        if row is None:
            raise MissingError("One of these photos no longer exists. Reload the project.")
        found[id] = (row[0], row[1])
    if not found:
        raise UsageError("Select at least one photo.")
    return found


def insert_photo(
    database: sqlite3.Connection, project: str, class_id: str, photo: PhotoDraft
) -> int:
    """Insert a photo and its thumbnail; return its id."""
    if photo.thumbnail is not None:
        database.execute(
            "INSERT OR IGNORE INTO thumbnails (sha256, jpeg) VALUES (?, ?)",
            [photo.sha256, photo.thumbnail],
        )
    added = database.execute(
        "INSERT INTO photos (project, class, sha256, burst, added, name) VALUES (?, ?, ?, ?, ?, ?)",
        (project, class_id, photo.sha256, photo.burst, int(1000 * time.time()), photo.name),
    )
    assert added.lastrowid is not None
    return added.lastrowid
