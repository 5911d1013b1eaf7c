"""Rows of the database of Boxes, read and written within a transaction of the caller."""

import json
import math
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from eyespot.errors import MissingError, UsageError
from eyespot.shown import Brief
from eyespot.studio.names import base_name
from eyespot.studio.photo_files import StoredPhoto
from eyespot.studio.rows import new_id, project_row

PHOTOS = "SELECT id, sha256, name, width, height, done, boxes FROM photos"


@dataclass(frozen=True, slots=True)
class Box:
    """A box of the class `class_id`, in pixels of the upright photo. `ignored`: neither trained on
    nor counted."""

    class_id: str
    xmin: float
    ymin: float
    xmax: float
    ymax: float
    ignored: bool = False


@dataclass(frozen=True, slots=True)
class BoxClass:
    """`position`: grows from class to class and never changes, so that a class keeps its colour."""

    id: str
    name: str
    position: int


@dataclass(frozen=True, slots=True, repr=False)
class BoxPhoto(Brief):
    """A photo. `width`, `height`: upright, in pixels. `done`: whether all objects have boxes."""

    id: int
    sha256: str
    name: str
    width: int
    height: int
    done: bool
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True, repr=False)
class BoxSnapshot(Brief):
    """A project at one moment. `version`: grows with each change. `undo`: the step that `undo`
    reverts, None if there is none."""

    name: str
    version: int
    classes: tuple[BoxClass, ...]
    photos: tuple[BoxPhoto, ...]
    undo: str | None

    @property
    def names(self) -> dict[str, str]:
        """Class names by id."""
        return {of.id: of.name for of in self.classes}


@dataclass(frozen=True, slots=True, repr=False)
class Sized(Brief):
    """A stored photo and its upright size, in pixels."""

    name: str
    file: StoredPhoto
    width: int
    height: int


def take_box_snapshot(database: sqlite3.Connection, project: str) -> BoxSnapshot:
    """Raises MissingError if the project is missing or deleted."""
    name, version, _ = project_row(database, project)
    classes = database.execute(
        "SELECT id, name, position FROM classes WHERE project = ? ORDER BY position", [project]
    ).fetchall()
    photos = database.execute(f"{PHOTOS} WHERE project = ? ORDER BY id", [project]).fetchall()
    step = database.execute(
        "SELECT action FROM steps WHERE project = ? ORDER BY number DESC LIMIT 1", [project]
    ).fetchone()
    return BoxSnapshot(
        name,
        version,
        tuple(BoxClass(*row) for row in classes),
        tuple(photo_of(row) for row in photos),
        step and step[0],
    )


def insert_class(database: sqlite3.Connection, project: str, name: str) -> str:
    """Insert a class after the others; return its id."""
    id = new_id()
    database.execute(
        "INSERT INTO classes (id, project, name, position) SELECT ?1, ?2, ?3,"
        " coalesce(max(position) + 1, 0) FROM classes WHERE project = ?2",
        [id, project, name],
    )
    return id


def insert_box_photo(
    database: sqlite3.Connection,
    project: str,
    photo: Sized,
    boxes: Sequence[Box] = (),
    *,
    done: bool = False,
) -> int:
    """Insert a photo and its thumbnail; return its id."""
    database.execute(
        "INSERT OR IGNORE INTO thumbnails (sha256, jpeg) VALUES (?, ?)",
        [photo.file.sha256, photo.file.thumbnail],
    )
    added = database.execute(
        "INSERT INTO photos (project, sha256, name, width, height, done, boxes)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            *(project, photo.file.sha256, base_name(photo.name) or "photo"),
            *(photo.width, photo.height, done, _json(boxes)),
        ),
    )
    assert added.lastrowid is not None
    return added.lastrowid


def photo_of(row: tuple[int, str, str, int, int, int, str]) -> BoxPhoto:
    id, sha256, name, width, height, done, boxes = row
    drawn = tuple(
        Box(class_id, xmin, ymin, xmax, ymax, bool(ignored))
        for class_id, xmin, ymin, xmax, ymax, ignored in json.loads(boxes)
    )
    return BoxPhoto(id, sha256, name, width, height, bool(done), drawn)


def find_photo(database: sqlite3.Connection, project: str, id: int) -> BoxPhoto:
    row = database.execute(f"{PHOTOS} WHERE id = ? AND project = ?", [id, project]).fetchone()
    if row is None:
        project_row(database, project)
        raise MissingError("This photo no longer exists. Reload the project.")
    return photo_of(row)


def _json(boxes: Sequence[Box]) -> str:
    return json.dumps([[b.class_id, b.xmin, b.ymin, b.xmax, b.ymax, int(b.ignored)] for b in boxes])


def set_boxes(
    database: sqlite3.Connection, photo: int, boxes: Sequence[Box], *, done: bool
) -> None:
    database.execute(
        "UPDATE photos SET boxes = ?, done = ? WHERE id = ?", [_json(boxes), done, photo]
    )


def clipped_box(box: Box, photo: BoxPhoto) -> Box:
    """The part of a box inside its photo, to a hundredth of a pixel."""
    corners = box.xmin, box.ymin, box.xmax, box.ymax
    if not all(map(math.isfinite, corners)):
        raise UsageError("Expected a box of four finite numbers. Draw the box again.")
    limits = photo.width, photo.height, photo.width, photo.height
    xmin, ymin, xmax, ymax = (
        round(min(max(value, 0.0), float(limit)), 2)
        for value, limit in zip(corners, limits, strict=True)
    )
    if xmin >= xmax or ymin >= ymax:
        raise UsageError("Expected a box with an area inside the photo. Draw the box again.")
    return Box(box.class_id, xmin, ymin, xmax, ymax, box.ignored)
