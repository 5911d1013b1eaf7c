"""All projects of the studio: a folder with one database and the files of all photos."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eyespot.errors import UsageError
from eyespot.limits import MAX_NAME_CHARACTERS, MAX_PROJECT_CLASSES
from eyespot.studio.database import Database
from eyespot.studio.names import checked_name
from eyespot.studio.photo_files import PhotoFiles
from eyespot.studio.project import Project
from eyespot.studio.project_list import (
    ProjectInfo,
    delete_project,
    insert_project,
    list_projects,
    make_folder,
    purge_projects,
    restore_project,
)
from eyespot.studio.rows import PhotoDraft, insert_photo, new_id, require_room, take_snapshot


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
        make_folder(folder)
        self.folder = folder
        self.database = Database(folder / "projects.sqlite3")
        self.files = PhotoFiles(folder / "photos")

    def list(self, *, deleted: bool = False) -> list[ProjectInfo]:
        """The projects, or those in the trash, the last changed first."""
        return list_projects(self.database, deleted=deleted)

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
        delete_project(self.database, id)

    def restore(self, id: str) -> Project:
        """Restore a project from the trash. Raises MissingError."""
        restore_project(self.database, id)
        return self.open(id)

    def purge(self, older_than: float = 0.0) -> int:
        """Delete projects that were in the trash for `older_than` seconds, and all unused files;
        return the number of projects. See `purge_projects`."""
        return purge_projects(
            self.database, self.files, older_than, ("thumbnails", "imported_features")
        )

    def _create(
        self, database: sqlite3.Connection, name: str, classes: Sequence[ClassDraft]
    ) -> Project:
        if len(classes) > MAX_PROJECT_CLASSES:
            raise UsageError(
                f"A project has at most {MAX_PROJECT_CLASSES} classes, this one would have "
                f"{len(classes):,}."
            )
        require_room(sum(len(draft.photos) for draft in classes))
        id = insert_project(database, name)
        for position, draft in enumerate(classes):
            own = new_id()
            database.execute(
                "INSERT INTO classes (id, project, name, enabled, position) VALUES (?, ?, ?, ?, ?)",
                [own, id, checked_name(draft.name, "A class"), draft.enabled, position],
            )
            for photo in draft.photos:
                insert_photo(database, id, own, photo)
        return Project(id, self.database, self.files)
