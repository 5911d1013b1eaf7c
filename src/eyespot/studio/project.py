"""One project of the studio: its classes, its photos, and the operations on them.

Each operation is one transaction: it happens as a whole or not at all.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eyespot.data.photos import Dataset, FileSource, MemorySource, Photo, Skipped, label_of
from eyespot.errors import MissingError, UsageError
from eyespot.features.cache import Record
from eyespot.limits import MAX_NAME_CHARACTERS, MAX_PROJECT_CLASSES
from eyespot.shown import Brief, counted
from eyespot.studio.database import Database, begin_step, mark_changed, undo_step
from eyespot.studio.names import base_name, checked_name
from eyespot.studio.photo_files import PhotoFiles, StoredPhoto
from eyespot.studio.rows import (
    PhotoDraft,
    Snapshot,
    class_name,
    count_rows,
    find_photos,
    insert_photo,
    new_id,
    photos_of_class,
    project_row,
    require_free_name,
    require_room,
    take_snapshot,
)

MAX_KEYS = 500
"""Keys in one query."""


@dataclass(frozen=True, slots=True, repr=False)
class Added(Brief):
    """Result of adding photos. `photos`: new ids. `existing`: photos that the class had already."""

    photos: tuple[int, ...]
    existing: int
    skipped: tuple[Skipped, ...]


class Project:
    """The project `id`, for any thread. Every operation raises MissingError if the project, class
    or photo no longer exists, and ProjectError if the disk fails."""

    def __init__(self, id: str, database: Database, files: PhotoFiles) -> None:
        self.id = id
        self._database = database
        self._files = files

    def version(self) -> int:
        """Grows with each change, also with those of other tabs and processes."""
        with self._database.reading() as database:
            return project_row(database, self.id)[1]

    def snapshot(self) -> Snapshot:
        with self._database.reading() as database:
            return take_snapshot(database, self.id)

    def dataset(self) -> Dataset:
        """The photos of the enabled classes that have files."""
        snapshot = self.snapshot()
        names = snapshot.enabled
        photos = [
            Photo(
                f"{names[p.class_id]}/{p.id}",
                FileSource(self.path(p.sha256)),
                names[p.class_id],
                group=p.burst,
            )
            for p in snapshot.photos
            if p.class_id in names and self.path(p.sha256).exists()
        ]
        return Dataset(tuple(photos))

    def photo(self, id: int) -> bytes:
        """A photo's file, or its thumbnail if the file was not imported. Raises PhotoError."""
        return self.file(self._sha256(id)) or self.thumbnail(id)

    def thumbnail(self, id: int) -> bytes:
        """A JPEG of at most 96 pixels."""
        sha256 = self._sha256(id)
        with self._database.reading() as database:
            row = database.execute(
                "SELECT jpeg FROM thumbnails WHERE sha256 = ?", [sha256]
            ).fetchone()
        if row is None:
            raise MissingError("This photo has no thumbnail.")
        return bytes(row[0])

    def file(self, sha256: str) -> bytes | None:
        """The file with this content, None if it was not imported. Raises PhotoError."""
        return self._files.read(sha256)

    def path(self, sha256: str) -> Path:
        """The path of the file with this content, whether or not it exists."""
        return self._files.path(sha256)

    def imported_features(self, sha256: Sequence[str], extractor: str) -> dict[str, Record]:
        """Features that were imported without photo files, by sha256; see Backbone.extractor."""
        found = {}
        with self._database.reading() as database:
            for start in range(0, len(sha256), MAX_KEYS):
                part = sha256[start : start + MAX_KEYS]
                rows = database.execute(
                    "SELECT sha256, features, dhash, jpeg FROM imported_features"
                    " JOIN thumbnails USING (sha256)"
                    f" WHERE extractor = ? AND sha256 IN ({','.join('?' * len(part))})",
                    [extractor, *part],
                )
                for key, features, dhash, jpeg in rows:
                    values = np.frombuffer(features, dtype=np.float16)
                    found[key] = Record(values, int.from_bytes(dhash, "big"), jpeg, 0, 0)
        return found

    def rename(self, name: str) -> None:
        """Rename the project; not undoable. Raises UsageError if the name is empty or too long."""
        self._set("name", checked_name(name, "A project"))

    def set_backbone(self, backbone: str | None) -> None:
        """Choose the backbone, None for the default; not undoable."""
        self._set("backbone", backbone)

    def add_class(self, name: str) -> str:
        """Return the new class's id. Raises UsageError if the name is empty, too long or taken."""
        name = checked_name(name, "A class")
        id = new_id()
        with self._writing() as database:
            if count_rows(database, "classes", self.id) >= MAX_PROJECT_CLASSES:
                raise UsageError(f"A project has at most {MAX_PROJECT_CLASSES} classes.")
            require_free_name(database, self.id, name)
            begin_step(database, self.id, f"adding the class {name}")
            database.execute(
                "INSERT INTO classes (id, project, name, enabled, position) SELECT ?1, ?2, ?3, 1,"
                " coalesce(max(position), 0) + 1 FROM classes WHERE project = ?2",
                [id, self.id, name],
            )
        return id

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

    def enable_class(self, id: str, enabled: bool) -> None:
        """Train on a class, or leave it out without deleting its photos."""
        with self._writing() as database:
            name = class_name(database, self.id, id)
            begin_step(database, self.id, f"{'enabling' if enabled else 'disabling'} {name}")
            database.execute("UPDATE classes SET enabled = ? WHERE id = ?", [enabled, id])

    def delete_class(self, id: str) -> None:
        """Delete a class and its photos."""
        with self._writing() as database:
            name = class_name(database, self.id, id)
            begin_step(database, self.id, f"deleting the class {name}")
            database.execute("DELETE FROM photos WHERE class = ?", [id])
            database.execute("DELETE FROM classes WHERE id = ?", [id])

    def add_photos(
        self, class_id: str, files: Sequence[tuple[str, bytes]], burst: str | None = None
    ) -> Added:
        """Add the photos that can be decoded, each once. `files`: (name, content).

        `burst`: of the frames of one recording. Raises UsageError if there are too many.
        """
        with self._database.reading() as database:
            class_name(database, self.id, class_id)
        burst = None if burst is None else label_of(burst)[:MAX_NAME_CHARACTERS]
        stored, skipped = self._files.add_all([Photo(n, MemorySource(data)) for n, data in files])
        with self._writing() as database:
            name = class_name(database, self.id, class_id)
            existing = photos_of_class(database, class_id)
            new: dict[str, tuple[Photo, StoredPhoto]] = {}
            for photo, file in stored:
                if file.sha256 not in existing:
                    new.setdefault(file.sha256, (photo, file))
            if new:
                require_room(count_rows(database, "photos", self.id) + len(new))
                begin_step(database, self.id, f"adding to {name}", burst)
            ids = []
            for sha256, (photo, file) in new.items():
                self._files.require(sha256)
                own = base_name(photo.name) if burst is None else None  # frames have no file name
                draft = PhotoDraft(sha256, file.thumbnail, own, burst)
                ids.append(insert_photo(database, self.id, class_id, draft))
        return Added(tuple(ids), len(stored) - len(new), skipped)

    def remove_photos(self, ids: Sequence[int]) -> None:
        with self._writing() as database:
            found = find_photos(database, self.id, ids)
            begin_step(database, self.id, f"removing {counted(len(found))}")
            database.executemany("DELETE FROM photos WHERE id = ?", [[id] for id in found])

    def move_photos(self, ids: Sequence[int], class_id: str) -> None:
        """Move photos into another class; duplicates of its photos are removed."""
        with self._writing() as database:
            name = class_name(database, self.id, class_id)
            found = find_photos(database, self.id, ids)
            begin_step(database, self.id, f"moving {counted(len(found))} to {name}")
            existing = photos_of_class(database, class_id)
            for id, (sha256, source) in found.items():
                if source == class_id:
                    continue
                if sha256 in existing:
                    database.execute("DELETE FROM photos WHERE id = ?", [id])
                else:
                    database.execute("UPDATE photos SET class = ? WHERE id = ?", [class_id, id])
                    existing.add(sha256)

    def undo(self) -> str | None:
        """Undo the last step; return its name, None if there is none."""
        with self._writing() as database:
            return undo_step(database, self.id)

    def _set(self, column: str, value: str | None) -> None:
        with self._writing() as database:
            database.execute(f"UPDATE projects SET {column} = ? WHERE id = ?", [value, self.id])
            mark_changed(database, self.id)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._database.writing() as database:
            project_row(database, self.id)
            yield database

    def _sha256(self, id: int) -> str:
        with self._database.reading() as database:
            return find_photos(database, self.id, [id])[id][0]
