"""All projects of Boxes: a folder with a database and the files of all photos."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np

from eyespot.data.boxes.dataset import AnnotatedPhoto
from eyespot.studio.boxes.project import BoxProject
from eyespot.studio.boxes.rows import Box, Sized, insert_box_photo, insert_class
from eyespot.studio.boxes.schema import BOXES
from eyespot.studio.database import Database
from eyespot.studio.photo_files import PhotoFiles
from eyespot.studio.project_list import (
    ProjectInfo,
    delete_project,
    insert_project,
    list_projects,
    make_folder,
    purge_projects,
    restore_project,
)

NO_CLASSES: Mapping[str, str] = MappingProxyType({})


class BoxStore:
    """The projects in `folder`, for any thread and several processes.

    Creates the folder. Every operation raises ProjectError if the disk fails.
    """

    def __init__(self, folder: Path) -> None:
        make_folder(folder)
        self.folder = folder
        self.database = Database(folder / "boxes.sqlite3", BOXES)
        self.files = PhotoFiles(folder / "photos")

    def list(self, *, deleted: bool = False) -> list[ProjectInfo]:
        """The projects, or those in the trash, the last changed first."""
        return list_projects(self.database, deleted=deleted)

    def open(self, id: str) -> BoxProject:
        """Raises MissingError if there is no such project."""
        project = BoxProject(id, self.database, self.files)
        project.version()
        return project

    def create(
        self,
        name: str,
        classes: Mapping[str, str] = NO_CLASSES,
        photos: Sequence[tuple[Sized, AnnotatedPhoto]] = (),
    ) -> BoxProject:
        """Create a project. Raises UsageError if a name is invalid or there are too many projects.

        `classes`: class names by label. `photos`: distinct, each with all its boxes.
        """
        with self.database.writing() as database:
            id = insert_project(database, name)
            ids = {label: insert_class(database, id, own) for label, own in classes.items()}
            for sized, annotated in photos:
                insert_box_photo(database, id, sized, _boxes(annotated, ids), done=True)
        return BoxProject(id, self.database, self.files)

    def delete(self, id: str) -> None:
        """Move a project into the trash. Raises MissingError."""
        delete_project(self.database, id)

    def restore(self, id: str) -> BoxProject:
        """Restore a project from the trash. Raises MissingError."""
        restore_project(self.database, id)
        return self.open(id)

    def purge(self, older_than: float = 0.0) -> int:
        """Delete projects that were in the trash for `older_than` seconds, their detectors and all
        unused files; return the number of projects. See `purge_projects`."""
        count = purge_projects(self.database, self.files, older_than, ("thumbnails",))
        kept = {one.id for deleted in (False, True) for one in self.list(deleted=deleted)}
        for folder in self.trained("").glob("*"):
            if folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)
        return count

    def trained(self, id: str) -> Path:
        """The folder of a project's detector."""
        return self.folder / "trained" / id


def _boxes(photo: AnnotatedPhoto, ids: Mapping[str, str]) -> list[Box]:
    """`ids`: of classes by label."""
    corners = np.round(photo.boxes.astype(np.float64), 2).tolist()
    return [
        Box(ids[label], xmin, ymin, xmax, ymax, ignored)
        for (xmin, ymin, xmax, ymax), label, ignored in zip(
            corners, photo.labels, photo.ignored.tolist(), strict=True
        )
        if xmin < xmax and ymin < ymax
    ]
