"""One project of Boxes: its classes, its photos with their boxes, and the operations on them.

Each operation is one transaction: it happens as a whole or not at all.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from eyespot.data.boxes.dataset import AnnotatedPhoto, BoxDataset
from eyespot.data.boxes.frame import frame_of
from eyespot.data.photos import FileSource, MemorySource, Photo, Skipped
from eyespot.errors import MissingError, PhotoError, UsageError
from eyespot.limits import MAX_PHOTO_BOXES, MAX_PROJECT_CLASSES
from eyespot.shown import Brief, counted
from eyespot.studio.boxes.rows import (
    PHOTOS,
    Box,
    BoxPhoto,
    BoxSnapshot,
    Sized,
    clipped_box,
    find_photo,
    insert_box_photo,
    insert_class,
    photo_of,
    set_boxes,
    take_box_snapshot,
)
from eyespot.studio.boxes.schema import BOXES
from eyespot.studio.database import Database, begin_step, mark_changed, undo_step
from eyespot.studio.names import checked_name
from eyespot.studio.photo_files import PhotoFiles
from eyespot.studio.rows import (
    class_name,
    count_rows,
    project_row,
    require_free_name,
    require_room,
)


@dataclass(frozen=True, slots=True, repr=False)
class AddedPhotos(Brief):
    """Result of adding photos. `photos`: new ids. `existing`: photos that were there already."""

    photos: tuple[int, ...]
    existing: int
    skipped: tuple[Skipped, ...]


class BoxProject:
    """The project `id`, for any thread. Every operation raises MissingError if the project, class
    or photo no longer exists, and ProjectError if the disk fails."""

    def __init__(self, id: str, database: Database, files: PhotoFiles) -> None:
        self.id = id
        self._database = database
        self.files = files

    def version(self) -> int:
        """Grows with each change, also with those of other tabs and processes."""
        with self._database.reading() as database:
            return project_row(database, self.id)[1]

    def snapshot(self) -> BoxSnapshot:
        with self._database.reading() as database:
            return take_box_snapshot(database, self.id)

    def dataset(self) -> BoxDataset:
        """The photos that are done, each named by its file."""
        snapshot = self.snapshot()
        return BoxDataset(
            tuple(self.annotated(snapshot, one) for one in snapshot.photos if one.done)
        )

    def annotated(self, snapshot: BoxSnapshot, photo: BoxPhoto) -> AnnotatedPhoto:
        """A photo of a snapshot with its boxes."""
        names = snapshot.names
        corners = [(box.xmin, box.ymin, box.xmax, box.ymax) for box in photo.boxes]
        return AnnotatedPhoto(
            Photo(photo.name, FileSource(self.files.path(photo.sha256))),
            np.array(corners, np.float32).reshape(-1, 4),
            tuple(names[box.class_id] for box in photo.boxes),
            np.array([box.ignored for box in photo.boxes], bool),
        )

    def photo(self, id: int) -> BoxPhoto:
        with self._database.reading() as database:
            return find_photo(database, self.id, id)

    def content(self, id: int) -> bytes:
        """A photo's file. Raises PhotoError if it cannot be read."""
        data = self.files.read(self.photo(id).sha256)
        if data is None:
            raise PhotoError("the photo's file is missing")
        return data

    def thumbnail(self, id: int) -> bytes:
        """A JPEG of at most 96 pixels."""
        sha256 = self.photo(id).sha256
        with self._database.reading() as database:
            row = database.execute(
                "SELECT jpeg FROM thumbnails WHERE sha256 = ?", [sha256]
            ).fetchone()
        if row is None:
            raise MissingError("This photo has no thumbnail.")
        return bytes(row[0])

    def rename(self, name: str) -> None:
        """Rename the project; not undoable. Raises UsageError if the name is empty or too long."""
        name = checked_name(name, "A project")
        with self._writing() as database:
            database.execute("UPDATE projects SET name = ? WHERE id = ?", [name, self.id])
            mark_changed(database, self.id)

    def add_class(self, name: str) -> str:
        """Return the new class's id. Raises UsageError if the name is empty, too long or taken."""
        name = checked_name(name, "A class")
        with self._writing() as database:
            if count_rows(database, "classes", self.id) >= MAX_PROJECT_CLASSES:
                raise UsageError(f"A project has at most {MAX_PROJECT_CLASSES} classes.")
            require_free_name(database, self.id, name)
            begin_step(database, self.id, f"adding the class {name}")
            return insert_class(database, self.id, name)

    def rename_class(self, id: str, name: str) -> None:
        """Raises UsageError if the name is empty, too long or taken."""
        name = checked_name(name, "A class")
        with self._writing() as database:
            old = class_name(database, self.id, id)
            if name == old:
                return
            require_free_name(database, self.id, name)
            begin_step(database, self.id, f"renaming {old}")
            database.execute("UPDATE classes SET name = ? WHERE id = ?", [name, id])

    def delete_class(self, id: str) -> None:
        """Delete a class and its boxes."""
        with self._writing() as database:
            name = class_name(database, self.id, id)
            begin_step(database, self.id, f"deleting the class {name}")
            photos = database.execute(f"{PHOTOS} WHERE project = ?", [self.id]).fetchall()
            for photo in map(photo_of, photos):
                kept = [box for box in photo.boxes if box.class_id != id]
                if len(kept) < len(photo.boxes):
                    set_boxes(database, photo.id, kept, done=photo.done)
            database.execute("DELETE FROM classes WHERE id = ?", [id])

    def add_photos(self, files: Sequence[tuple[str, bytes]]) -> AddedPhotos:
        """Add the photos that can be decoded, each once. `files`: (name, content).

        Raises UsageError if there are too many.
        """
        sized, skipped = store_photos(
            self.files, [Photo(name, MemorySource(data)) for name, data in files]
        )
        with self._writing() as database:
            rows = database.execute("SELECT sha256 FROM photos WHERE project = ?", [self.id])
            existing = {sha256 for (sha256,) in rows}
            new = {one.file.sha256: one for one in sized if one.file.sha256 not in existing}
            if new:
                require_room(count_rows(database, "photos", self.id) + len(new))
                begin_step(database, self.id, f"adding {counted(len(new))}")
            ids = []
            for one in new.values():
                self.files.require(one.file.sha256)
                ids.append(insert_box_photo(database, self.id, one))
        return AddedPhotos(tuple(ids), len(sized) - len(new), skipped)

    def remove_photos(self, ids: Sequence[int]) -> None:
        with self._writing() as database:
            found = [find_photo(database, self.id, id) for id in dict.fromkeys(ids)]
            if not found:
                raise UsageError("Select at least one photo.")
            begin_step(database, self.id, f"removing {counted(len(found))}")
            database.executemany("DELETE FROM photos WHERE id = ?", [[one.id] for one in found])

    def annotate(self, id: int, boxes: Sequence[Box], *, done: bool) -> None:
        """Replace the boxes of a photo, clipped to it.

        Raises UsageError for too many boxes, or one without an area inside the photo.
        """
        if len(boxes) > MAX_PHOTO_BOXES:
            raise UsageError(
                f"A photo has at most {MAX_PHOTO_BOXES:,} boxes, this one would have "
                f"{len(boxes):,}."
            )
        with self._writing() as database:
            photo = find_photo(database, self.id, id)
            clipped = [clipped_box(box, photo) for box in boxes]
            for class_id in {box.class_id for box in clipped}:
                class_name(database, self.id, class_id)
            if (tuple(clipped), done) == (photo.boxes, photo.done):
                return
            begin_step(database, self.id, f"changing {photo.name}")
            set_boxes(database, id, clipped, done=done)

    def undo(self) -> str | None:
        """Undo the last step; return its name, None if there is none."""
        with self._writing() as database:
            return undo_step(database, self.id, BOXES)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._database.writing() as database:
            project_row(database, self.id)
            yield database


def store_photos(
    files: PhotoFiles, photos: Sequence[Photo]
) -> tuple[list[Sized], tuple[Skipped, ...]]:
    """Store the photos that can be decoded, with their upright sizes. Raises ProjectError."""
    stored, skipped = files.add_all(photos)
    sized = []
    for photo, file in stored:
        width, height = frame_of(Photo(photo.name, FileSource(files.path(file.sha256)))).upright
        sized.append(Sized(photo.name, file, width, height))
    return sized, skipped
