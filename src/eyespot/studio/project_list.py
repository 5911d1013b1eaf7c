"""The list of a room's projects, and its trash."""

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eyespot.errors import MissingError, ProjectError, UsageError
from eyespot.limits import MAX_PROJECTS
from eyespot.studio.database import Database
from eyespot.studio.names import checked_name
from eyespot.studio.photo_files import PhotoFiles
from eyespot.studio.rows import new_id
from eyespot.user_folders import cannot_be_made

MAX_GAP = 7 * 24 * 3600.0
"""Seconds of trash time that one start may add: a wrong clock must not purge a project early."""


@dataclass(frozen=True, slots=True)
class ProjectInfo:
    """A project in the list. `changed`, `deleted`: seconds since 1970, None if not deleted."""

    id: str
    name: str
    photos: int
    classes: int
    changed: float
    deleted: float | None


def make_folder(folder: Path) -> None:
    """Create the folder of a room's projects. Raises ProjectError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        why = cannot_be_made("project", folder, error)
        raise ProjectError(f"{why} Set EYESPOT_PROJECTS to a writable folder.") from error


def list_projects(database: Database, *, deleted: bool) -> list[ProjectInfo]:
    """The projects, or those in the trash, the last changed first."""
    with database.reading() as connection:
        rows = connection.execute(
            "SELECT id, name, (SELECT count(*) FROM photos WHERE project = projects.id),"
            " (SELECT count(*) FROM classes WHERE project = projects.id), changed, deleted"
            " FROM projects WHERE (deleted IS NOT NULL) = ? ORDER BY changed DESC, id",
            [deleted],
        ).fetchall()
    return [ProjectInfo(*row) for row in rows]


def insert_project(connection: sqlite3.Connection, name: str) -> str:
    """Insert a project; return its id. Raises UsageError if the name is invalid or there are too
    many projects."""
    name = checked_name(name, "A project")
    (count,) = connection.execute("SELECT count(*) FROM projects").fetchone()
    if count >= MAX_PROJECTS:
        raise UsageError(
            f"The studio holds at most {MAX_PROJECTS:,} projects. Delete some, and empty the trash."
        )
    id = new_id()
    connection.execute(
        "INSERT INTO projects (id, name, version, changed) VALUES (?, ?, 1, ?)",
        [id, name, time.time()],
    )
    return id


def delete_project(database: Database, id: str) -> None:
    """Move a project into the trash. Raises MissingError."""
    with database.writing() as connection:
        _mark_deleted(connection, id, time.time(), "deleted IS NULL")


def restore_project(database: Database, id: str) -> None:
    """Restore a project from the trash. Raises MissingError."""
    with database.writing() as connection:
        _mark_deleted(connection, id, None, "deleted IS NOT NULL")
        connection.execute("DELETE FROM trash WHERE project = ?", [id])


def purge_projects(
    database: Database, files: PhotoFiles, older_than: float, of_photos: Sequence[str]
) -> int:
    """Delete projects that were in the trash for `older_than` seconds, and all unused files.

    `of_photos`: tables with rows by sha256. Returns the number of projects. The time in the trash
    adds up from call to call, at most `MAX_GAP` each: the clock may have been wrong at any of them.
    """
    with database.writing() as connection:
        connection.execute(
            "INSERT INTO trash (project, seen, seconds) SELECT id, ?1, 0 FROM projects"
            " WHERE deleted IS NOT NULL ON CONFLICT (project) DO UPDATE"
            " SET seconds = seconds + min(max(?1 - seen, 0), ?2), seen = ?1",
            [time.time(), MAX_GAP],
        )
        ids = connection.execute(
            "SELECT project FROM trash WHERE seconds >= ?", [older_than]
        ).fetchall()
        for table in ("steps", "photos", "classes"):
            connection.executemany(f"DELETE FROM {table} WHERE project = ?", ids)
        connection.executemany("DELETE FROM projects WHERE id = ?", ids)
        # Photos that a project, the trash or an undo step needs.
        rows = connection.execute(
            "SELECT sha256 FROM photos UNION SELECT json_extract(old, '$.sha256')"
            " FROM changes WHERE table_name = 'photos' AND old IS NOT NULL"
        )
        used = {sha256 for (sha256,) in rows}
        for table in of_photos:
            stored = connection.execute(f"SELECT DISTINCT sha256 FROM {table}").fetchall()
            unused = [row for row in stored if row[0] not in used]
            connection.executemany(f"DELETE FROM {table} WHERE sha256 = ?", unused)
        # In the transaction, so that nobody adds a photo while its old file is removed.
        files.remove_unused(used)
    return len(ids)


def _mark_deleted(
    connection: sqlite3.Connection, id: str, deleted: float | None, condition: str
) -> None:
    changed = connection.execute(
        f"UPDATE projects SET deleted = ?, version = version + 1 WHERE id = ? AND {condition}",
        [deleted, id],
    ).rowcount
    if not changed:
        raise MissingError("This project no longer exists. Reload the list.")
