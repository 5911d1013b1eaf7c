"""All projects of the studio: a folder with one database and the files of all photos."""

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eyespot.errors import MissingError, ProjectError, UsageError
from eyespot.limits import MAX_NAME_CHARACTERS, MAX_PROJECT_CLASSES, MAX_PROJECTS
from eyespot.studio.database import Database
from eyespot.studio.names import checked_name
from eyespot.studio.photo_files import PhotoFiles
from eyespot.studio.project import Project
from eyespot.studio.rows import PhotoDraft, insert_photo, new_id, require_room, take_snapshot
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


@dataclass(frozen=True, slots=True)
class ClassDraft:
    """A class to create."""

    name: str
    enabled: bool
    photos: Sequence[PhotoDraft]


class Store:
    """The projects in `folder`, for any thread and several processes.

    Creates the folder. Every operation raises ProjectError if the disk fails.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            why = cannot_be_made("project", folder, error)
            raise ProjectError(f"{why} Set EYESPOT_PROJECTS to a writable folder.") from error
        self.folder = folder
        self.database = Database(folder / "projects.sqlite3")
        self.files = PhotoFiles(folder / "photos")

    def list(self, *, deleted: bool = False) -> list[ProjectInfo]:
        """The projects, or those in the trash, the last changed first."""
        with self.database.reading() as database:
            rows = database.execute(
                "SELECT id, name, (SELECT count(*) FROM photos WHERE project = projects.id),"
                " (SELECT count(*) FROM classes WHERE project = projects.id), changed, deleted"
                " FROM projects WHERE (deleted IS NOT NULL) = ? ORDER BY changed DESC, id",
                [deleted],
            ).fetchall()
        return [ProjectInfo(*row) for row in rows]

    def open(self, id: str) -> Project:
        """Raises MissingError if there is no such project."""
        project = Project(id, self.database, self.files)
        project.version()
        return project

    def create(
        self,
        name: str,
        classes: Sequence[ClassDraft] = (),
        features: Sequence[tuple[str, str, bytes, bytes]] = (),
    ) -> Project:
        """Create a project. Raises UsageError if a name is invalid or a limit exceeded.

        `features`: of photos without files, as (sha256, extractor, hash of 8 bytes, float16 [D] as
        bytes).
        """
        with self.database.writing() as database:
            database.executemany(
                "INSERT OR IGNORE INTO imported_features (sha256, extractor, dhash, features)"
                " VALUES (?, ?, ?, ?)",
                features,
            )
            return self._create(database, name, classes)

    def duplicate(self, id: str) -> Project:
        """Duplicate a project without its undo steps. Raises MissingError."""
        with self.database.writing() as database:  # so that nothing is purged meanwhile
            snapshot = take_snapshot(database, id)
            photos: dict[str, list[PhotoDraft]] = {of.id: [] for of in snapshot.classes}
            for photo in snapshot.photos:
                draft = PhotoDraft(photo.sha256, None, photo.name, photo.burst)
                photos[photo.class_id].append(draft)
            classes = [ClassDraft(of.name, of.enabled, photos[of.id]) for of in snapshot.classes]
            name = f"{snapshot.name[: MAX_NAME_CHARACTERS - 7]} (copy)"
            copy = self._create(database, name, classes)
        if snapshot.backbone:
            copy.set_backbone(snapshot.backbone)
        return copy

    def delete(self, id: str) -> None:
        """Move a project into the trash. Raises MissingError."""
        with self.database.writing() as database:
            _mark_deleted(database, id, time.time(), "deleted IS NULL")

    def restore(self, id: str) -> Project:
        """Restore a project from the trash. Raises MissingError."""
        with self.database.writing() as database:
            _mark_deleted(database, id, None, "deleted IS NOT NULL")
            database.execute("DELETE FROM trash WHERE project = ?", [id])
        return self.open(id)

    def purge(self, older_than: float = 0.0) -> int:
        """Delete projects that were in the trash for `older_than` seconds, and all unused files.

        Returns the number of projects. The time in the trash adds up from call to call, at most
        `MAX_GAP` each: the clock may have been wrong at any of them.
        """
        with self.database.writing() as database:
            database.execute(
                "INSERT INTO trash (project, seen, seconds) SELECT id, ?1, 0 FROM projects"
                " WHERE deleted IS NOT NULL ON CONFLICT (project) DO UPDATE"
                " SET seconds = seconds + min(max(?1 - seen, 0), ?2), seen = ?1",
                [time.time(), MAX_GAP],
            )
            ids = database.execute(
                "SELECT project FROM trash WHERE seconds >= ?", [older_than]
            ).fetchall()
            for table in ("steps", "photos", "classes"):
                database.executemany(f"DELETE FROM {table} WHERE project = ?", ids)
            database.executemany("DELETE FROM projects WHERE id = ?", ids)
            # Photos that a project, the trash or an undo step needs.
            rows = database.execute(
                "SELECT sha256 FROM photos UNION SELECT json_extract(old, '$.sha256')"
                " FROM changes WHERE table_name = 'photos' AND old IS NOT NULL"
            )
            used = {sha256 for (sha256,) in rows}
            for table in ("thumbnails", "imported_features"):
                stored = database.execute(f"SELECT DISTINCT sha256 FROM {table}").fetchall()
                unused = [row for row in stored if row[0] not in used]
                database.executemany(f"DELETE FROM {table} WHERE sha256 = ?", unused)
            # In the transaction, so that nobody adds a photo while its old file is removed.
            self.files.remove_unused(used)
        return len(ids)

    def _create(
        self, database: sqlite3.Connection, name: str, classes: Sequence[ClassDraft]
    ) -> Project:
        name = checked_name(name, "A project")
        if len(classes) > MAX_PROJECT_CLASSES:
            raise UsageError(
                f"A project has at most {MAX_PROJECT_CLASSES} classes, this one would have "
                f"{len(classes):,}."
            )
        require_room(sum(len(draft.photos) for draft in classes))
        (count,) = database.execute("SELECT count(*) FROM projects").fetchone()
        if count >= MAX_PROJECTS:
            raise UsageError(
                f"The studio holds at most {MAX_PROJECTS:,} projects. Delete some, and empty the "
                "trash."
            )
        id = new_id()
        database.execute(
            "INSERT INTO projects (id, name, version, changed) VALUES (?, ?, 1, ?)",
            [id, name, time.time()],
        )
        for position, draft in enumerate(classes):
            own = new_id()
            database.execute(
                "INSERT INTO classes (id, project, name, enabled, position) VALUES (?, ?, ?, ?, ?)",
                [own, id, checked_name(draft.name, "A class"), draft.enabled, position],
            )
            for photo in draft.photos:
                insert_photo(database, id, own, photo)
        return Project(id, self.database, self.files)


def _mark_deleted(
    database: sqlite3.Connection, id: str, deleted: float | None, condition: str
) -> None:
    changed = database.execute(
        f"UPDATE projects SET deleted = ?, version = version + 1 WHERE id = ? AND {condition}",
        [deleted, id],
    ).rowcount
    if not changed:
        raise MissingError("This project no longer exists. Reload the list.")
