"""One project of the studio: classes, their pictures, and what is done with them.

Every operation is one transaction: it is there as a whole or not at all, however it ends.
"""

import re
import secrets
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eyespot.data.photos import Dataset, FileSource, MemorySource, Photo, Skipped, label_of
from eyespot.errors import MissingError, UsageError
from eyespot.features.cache import Record
from eyespot.limits import MAX_NAME_CHARACTERS, MAX_PROJECT_CLASSES, MAX_PROJECT_PHOTOS
from eyespot.shown import Brief
from eyespot.studio.database import Database, begin_step, mark_changed, take_back
from eyespot.studio.pictures import Kept, Pictures
from eyespot.studio.snapshot import Snapshot, about, take_snapshot

LOOKUP = 500
"""Keys in one query."""


@dataclass(frozen=True, slots=True, repr=False)
class Added(Brief):
    """`pictures`: ids of those that are new. `known`: how many were in the class already.
    `skipped`: what is no picture, and why."""

    pictures: tuple[int, ...]
    known: int
    skipped: tuple[Skipped, ...]


class Project:
    """The project `id`; may be used by any thread. All that it does raises MissingError if the
    project, class or picture is not there (any more), and ProjectError if the disk refuses."""

    def __init__(self, id: str, database: Database, pictures: Pictures) -> None:
        self.id = id
        self._database = database
        self._pictures = pictures

    # --- looking ---------------------------------------------------------------------------

    def version(self) -> int:
        """Grows with each change, also with those of other tabs and processes."""
        with self._database.reading() as database:
            return about(database, self.id)[1]

    def snapshot(self) -> Snapshot:
        with self._database.reading() as database:
            return take_snapshot(database, self.id)

    def dataset(self) -> Dataset:
        """The pictures of the enabled classes that have files, for `learn` and its report."""
        snapshot = self.snapshot()
        names = {of.id: of.name for of in snapshot.classes if of.enabled}
        photos = [
            Photo(
                f"{names[p.class_id]}/{p.id}",
                FileSource(self.path(p.sha256)),
                names[p.class_id],
                group=p.burst,
            )
            for p in snapshot.pictures
            if p.class_id in names and self.path(p.sha256).exists()
        ]
        return Dataset(tuple(photos))

    def picture(self, picture: int) -> bytes:
        """The picture's file; if only its features were taught, its thumbnail.

        Raises PhotoError if it cannot be read.
        """
        return self.file(self._sha256(picture)) or self.thumbnail(picture)

    def thumbnail(self, picture: int) -> bytes:
        """A JPEG of at most 96 pixels."""
        sha256 = self._sha256(picture)
        with self._database.reading() as database:
            row = database.execute(
                "SELECT jpeg FROM thumbnails WHERE sha256 = ?", [sha256]
            ).fetchone()
        if row is None:
            raise MissingError("The thumbnail of this picture is not there.")
        return bytes(row[0])

    def file(self, sha256: str) -> bytes | None:
        """The file of that content, None if only its features were taught. Raises PhotoError."""
        return self._pictures.read(sha256)

    def path(self, sha256: str) -> Path:
        """Where the file of that content is, if it is there."""
        return self._pictures.path(sha256)

    def training_photos(self, sha256: Sequence[str], extractor: str) -> dict[str, Record]:
        """Features that came without their pictures, by sha256; see Backbone.extractor."""
        found = {}
        with self._database.reading() as database:
            for start in range(0, len(sha256), LOOKUP):
                part = sha256[start : start + LOOKUP]
                rows = database.execute(
                    "SELECT sha256, features, dhash, jpeg FROM taught JOIN thumbnails USING"
                    f" (sha256) WHERE extractor = ? AND sha256 IN ({','.join('?' * len(part))})",
                    [extractor, *part],
                )
                for key, features, dhash, jpeg in rows:
                    values = np.frombuffer(features, dtype=np.float16)
                    found[key] = Record(values, int.from_bytes(dhash, "big"), jpeg, 0, 0)
        return found

    # --- changing --------------------------------------------------------------------------

    def rename(self, name: str) -> None:
        """Raises UsageError if the name is empty or too long. Is no step to be undone."""
        name = checked_name(name, "A project")
        with self._database.writing() as database:
            about(database, self.id)
            database.execute("UPDATE projects SET name = ? WHERE id = ?", [name, self.id])
            mark_changed(database, self.id)

    def look_with(self, backbone: str | None) -> None:
        """Have another network look at the pictures, None for the usual one. Is no step to be
        undone."""
        with self._database.writing() as database:
            about(database, self.id)
            database.execute("UPDATE projects SET backbone = ? WHERE id = ?", [backbone, self.id])
            mark_changed(database, self.id)

    def add_class(self, name: str) -> str:
        """Its id. Raises UsageError if the name is empty, too long or taken."""
        name = checked_name(name, "A class")
        with self._database.writing() as database:
            about(database, self.id)
            classes = self._count(database, "classes")
            if classes >= MAX_PROJECT_CLASSES:
                raise UsageError(f"A project has at most {MAX_PROJECT_CLASSES} classes.")
            self._require_free(database, name)
            begin_step(database, self.id, f"adding the class {name}")
            id = new_id()
            database.execute(
                "INSERT INTO classes (id, project, name, enabled, place) SELECT ?1, ?2, ?3, 1,"
                " coalesce(max(place), 0) + 1 FROM classes WHERE project = ?2",
                [id, self.id, name],
            )
        return id

    def rename_class(self, id: str, name: str) -> None:
        """Raises UsageError if the name is empty, too long or taken."""
        name = checked_name(name, "A class")
        with self._database.writing() as database:
            old = self._class_name(database, id)
            if name == old:
                return
            self._require_free(database, name)
            begin_step(database, self.id, f"renaming {old}")
            database.execute("UPDATE classes SET name = ? WHERE id = ?", [name, id])

    def enable_class(self, id: str, enabled: bool) -> None:
        """Have a class learnt, or left out without losing its pictures."""
        with self._database.writing() as database:
            name = self._class_name(database, id)
            begin_step(database, self.id, f"turning {name} {'on' if enabled else 'off'}")
            database.execute("UPDATE classes SET enabled = ? WHERE id = ?", [enabled, id])

    def delete_class(self, id: str) -> None:
        """Also its pictures."""
        with self._database.writing() as database:
            name = self._class_name(database, id)
            begin_step(database, self.id, f"deleting the class {name}")
            database.execute("DELETE FROM pictures WHERE class = ?", [id])
            database.execute("DELETE FROM classes WHERE id = ?", [id])

    def add_pictures(
        self,
        class_id: str,
        pictures: Sequence[tuple[str, bytes]],
        burst: str | None = None,
    ) -> Added:
        """Add those that can be read, each once. `pictures`: (name of the file, its content).

        `burst`: of frames recorded in one go. Raises UsageError if there would be too many.
        """
        with self._database.reading() as database:
            self._class_name(database, class_id)
        burst = None if burst is None else label_of(burst)[:MAX_NAME_CHARACTERS]
        photos = [Photo(name, MemorySource(data)) for name, data in pictures]
        kept, skipped = self._pictures.keep_all(photos)
        with self._database.writing() as database:
            name = self._class_name(database, class_id)
            rows = database.execute("SELECT sha256 FROM pictures WHERE class = ?", [class_id])
            there = {sha256 for (sha256,) in rows}
            new: dict[str, tuple[Photo, Kept]] = {}
            for photo, picture in kept:
                if picture.sha256 not in there:
                    new.setdefault(picture.sha256, (photo, picture))
            if new:
                require_room(self._count(database, "pictures") + len(new))
                begin_step(database, self.id, f"adding to {name}", burst)
            ids = []
            for sha256, (photo, picture) in new.items():
                self._pictures.require(sha256)
                small = picture.thumbnail
                file = file_name(photo.name) if burst is None else None  # nobody named a frame
                ids.append(insert_picture(database, self.id, class_id, sha256, burst, small, file))
        return Added(tuple(ids), len(kept) - len(new), skipped)

    def remove_pictures(self, pictures: Sequence[int]) -> None:
        with self._database.writing() as database:
            chosen = self._chosen(database, pictures)
            begin_step(database, self.id, f"removing {_counted(len(chosen))}")
            database.executemany("DELETE FROM pictures WHERE id = ?", [[id] for id in chosen])

    def move_pictures(self, pictures: Sequence[int], class_id: str) -> None:
        """Into another class; one that is there already is removed from where it was."""
        with self._database.writing() as database:
            name = self._class_name(database, class_id)
            chosen = self._chosen(database, pictures)
            begin_step(database, self.id, f"moving {_counted(len(chosen))} to {name}")
            rows = database.execute("SELECT sha256 FROM pictures WHERE class = ?", [class_id])
            there = {sha256 for (sha256,) in rows}
            for id, (sha256, where) in chosen.items():
                if where == class_id:
                    continue
                if sha256 in there:
                    database.execute("DELETE FROM pictures WHERE id = ?", [id])
                else:
                    database.execute("UPDATE pictures SET class = ? WHERE id = ?", [class_id, id])
                    there.add(sha256)

    def undo(self) -> str | None:
        """Take the last step back; what it was, or None if there is none left."""
        with self._database.writing() as database:
            about(database, self.id)
            return take_back(database, self.id)

    # --- rows ------------------------------------------------------------------------------

    def _class_name(self, database: sqlite3.Connection, id: str) -> str:
        about(database, self.id)
        row = database.execute(
            "SELECT name FROM classes WHERE id = ? AND project = ?", [id, self.id]
        ).fetchone()
        if row is None:
            raise MissingError("This class is not there any more. Look at the project again.")
        return str(row[0])

    def _require_free(self, database: sqlite3.Connection, name: str) -> None:
        taken = database.execute(
            "SELECT 1 FROM classes WHERE project = ? AND name = ?", [self.id, name]
        ).fetchone()
        if taken:
            raise UsageError(f"There is a class {name!r} already. Choose another name.")

    def _count(self, database: sqlite3.Connection, table: str) -> int:
        return int(
            database.execute(
                f"SELECT count(*) FROM {table} WHERE project = ?", [self.id]
            ).fetchone()[0]
        )

    def _chosen(
        self, database: sqlite3.Connection, pictures: Sequence[int]
    ) -> dict[int, tuple[str, str]]:
        """(sha256, class) of each picture. Raises MissingError if one is not of this project."""
        about(database, self.id)
        chosen = {}
        for id in pictures:
            row = database.execute(
                "SELECT sha256, class FROM pictures WHERE id = ? AND project = ?", [id, self.id]
            ).fetchone()
            if row is None:
                raise MissingError("One of the pictures is not there any more. Look again.")
            chosen[id] = (row[0], row[1])
        if not chosen:
            raise UsageError("Choose at least one picture.")
        return chosen

    def _sha256(self, picture: int) -> str:
        with self._database.reading() as database:
            return self._chosen(database, [picture])[picture][0]


def new_id() -> str:
    """Made by us, so that it may be part of an address."""
    return secrets.token_hex(8)


def checked_name(name: str, what: str) -> str:
    """A name as it is kept. Raises UsageError if it is empty or too long."""
    name = label_of(name.strip())
    if not name:
        raise UsageError(f"{what} needs a name.")
    if len(name) > MAX_NAME_CHARACTERS:
        raise UsageError(
            f"{what}'s name has at most {MAX_NAME_CHARACTERS} characters, "
            f"this one has {len(name)}. "
            "Choose a shorter one."
        )
    return name


def file_name(path: str) -> str | None:
    """The last part of a photo's path, whatever system wrote it; None if it has no name."""
    return label_of(re.split(r"[/\\]", path)[-1]) or None


def require_room(pictures: int) -> None:
    """Raises UsageError if a project cannot hold so many."""
    if pictures > MAX_PROJECT_PHOTOS:
        raise UsageError(
            f"A project holds at most {MAX_PROJECT_PHOTOS:,} pictures; "
            f"these would be {pictures:,}. "
            "Teach with the command line instead: eyespot teach PHOTOS"
        )


def insert_picture(
    database: sqlite3.Connection,
    project: str,
    class_id: str,
    sha256: str,
    burst: str | None,
    thumbnail: bytes | None = None,
    name: str | None = None,
) -> int:
    """Its id. `thumbnail`: None if it is there already. `name`: of the file."""
    if thumbnail is not None:
        database.execute(
            "INSERT OR IGNORE INTO thumbnails (sha256, jpeg) VALUES (?, ?)", [sha256, thumbnail]
        )
    row = (project, class_id, sha256, burst, int(1000 * time.time()), name)
    added = database.execute(
        "INSERT INTO pictures (project, class, sha256, burst, added, name)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        row,
    )
    assert added.lastrowid is not None
    return added.lastrowid


def _counted(pictures: int) -> str:
    return "a picture" if pictures == 1 else f"{pictures:,} pictures"
