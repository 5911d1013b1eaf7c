"""All projects of the studio: a folder with one database and the files of all pictures."""

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eyespot.errors import MissingError, ProjectError, UsageError
from eyespot.limits import MAX_NAME_CHARACTERS, MAX_PROJECT_CLASSES, MAX_PROJECTS
from eyespot.studio.database import Database
from eyespot.studio.pictures import Pictures
from eyespot.studio.project import Project, checked_name, insert_picture, new_id, require_room
from eyespot.studio.snapshot import take_snapshot
from eyespot.user_folders import cannot_be_made


@dataclass(frozen=True, slots=True)
class About:
    """A project in the list. `changed`: seconds since 1970; `deleted`: too, None if it is not."""

    id: str
    name: str
    pictures: int
    classes: int
    changed: float
    deleted: float | None


@dataclass(frozen=True, slots=True)
class Draft:
    """A class to create. `pictures`: (sha256, burst, thumbnail or None if there is one, name of
    the file or None)."""

    name: str
    enabled: bool
    pictures: Sequence[tuple[str, str | None, bytes | None, str | None]]


class Store:
    """The projects in `folder`, which is made if missing. May be used by any thread, and by
    several processes. All that it does raises ProjectError if the disk refuses."""

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            why = cannot_be_made("project", folder, error)
            raise ProjectError(
                f"{why} Set EYESPOT_PROJECTS to a folder that can be written."
            ) from error
        self.folder = folder
        self.database = Database(folder / "projects.sqlite3")
        self.pictures = Pictures(folder / "pictures")

    def list(self, *, deleted: bool = False) -> list[About]:
        """The projects, or those in the trash; what was changed last comes first."""
        with self.database.reading() as database:
            rows = database.execute(
                "SELECT id, name, (SELECT count(*) FROM pictures WHERE project = projects.id),"
                " (SELECT count(*) FROM classes WHERE project = projects.id), changed, deleted"
                " FROM projects WHERE (deleted IS NOT NULL) = ? ORDER BY changed DESC, id",
                [deleted],
            ).fetchall()
        return [About(*row) for row in rows]

    def open(self, id: str) -> Project:
        """Raises MissingError if there is no such project."""
        project = Project(id, self.database, self.pictures)
        project.version()
        return project

    def create(
        self,
        name: str,
        classes: Sequence[Draft] = (),
        taught: Sequence[tuple[str, str, bytes, bytes]] = (),
    ) -> Project:
        """A new project. `taught`: features without their pictures, as (sha256, extractor, hash of
        8 bytes, float16 [D] as bytes). Raises UsageError if a name is empty or too long, or if it
        is too much."""
        with self.database.writing() as database:
            database.executemany(
                "INSERT OR IGNORE INTO taught (sha256, extractor, dhash, features)"
                " VALUES (?, ?, ?, ?)",
                taught,
            )
            return self._create(database, name, classes)

    def duplicate(self, id: str) -> Project:
        """A copy, without what could be undone in the original. Raises MissingError."""
        with self.database.writing() as database:  # so that nothing is purged meanwhile
            snapshot = take_snapshot(database, id)
            drafts = [
                Draft(
                    of.name,
                    of.enabled,
                    [
                        (p.sha256, p.burst, None, p.name)
                        for p in snapshot.pictures
                        if p.class_id == of.id
                    ],
                )
                for of in snapshot.classes
            ]
            copy = self._create(
                database, f"{snapshot.name[: MAX_NAME_CHARACTERS - 7]} (copy)", drafts
            )
        if snapshot.backbone:
            copy.look_with(snapshot.backbone)
        return copy

    def delete(self, id: str) -> None:
        """Into the trash. Raises MissingError."""
        with self.database.writing() as database:
            self._mark(database, id, time.time(), "deleted IS NULL")

    def restore(self, id: str) -> Project:
        """Out of the trash. Raises MissingError."""
        with self.database.writing() as database:
            self._mark(database, id, None, "deleted IS NOT NULL")
            database.execute("DELETE FROM trash WHERE project = ?", [id])
        return self.open(id)

    def purge(self, older_than: float = 0.0) -> int:
        """Empty the trash of what was first seen in it so many seconds ago, and remove files that
        nothing needs any more, neither project nor trash nor undo. How many projects went.

        Seen here, that is, not deleted: the clock may have been wrong then, and right now. What the
        clock has not reached yet counts as seen now.
        """
        now = time.time()
        with self.database.writing() as database:
            database.execute(
                "INSERT INTO trash (project, seen) SELECT id, ?1 FROM projects"
                " WHERE deleted IS NOT NULL"
                " ON CONFLICT (project) DO UPDATE SET seen = min(seen, ?1)",
                [now],
            )
            ids = database.execute(
                "SELECT project FROM trash WHERE seen <= ?", [now - older_than]
            ).fetchall()
            for table in ("steps", "pictures", "classes"):
                database.executemany(f"DELETE FROM {table} WHERE project = ?", ids)
            database.executemany("DELETE FROM projects WHERE id = ?", ids)
            rows = database.execute(
                "SELECT sha256 FROM pictures UNION SELECT json_extract(old, '$.sha256')"
                " FROM changes WHERE kind = 'pictures' AND old IS NOT NULL"
            )
            needed = {sha256 for (sha256,) in rows}
            for table in ("thumbnails", "taught"):
                there = database.execute(f"SELECT DISTINCT sha256 FROM {table}").fetchall()
                gone = [[sha256] for (sha256,) in there if sha256 not in needed]
                database.executemany(f"DELETE FROM {table} WHERE sha256 = ?", gone)
            # In here, so that nobody adds a picture while its old file is being removed.
            self.pictures.sweep(needed)
        return len(ids)

    def _create(self, database: sqlite3.Connection, name: str, classes: Sequence[Draft]) -> Project:
        name = checked_name(name, "A project")
        if len(classes) > MAX_PROJECT_CLASSES:
            raise UsageError(
                f"A project has at most {MAX_PROJECT_CLASSES} classes, not {len(classes)}."
            )
        require_room(sum(len(draft.pictures) for draft in classes))
        (count,) = database.execute("SELECT count(*) FROM projects").fetchone()
        if count >= MAX_PROJECTS:
            raise UsageError(
                f"There are {count:,} projects, as many as can be. Delete some, and empty the "
                "trash."
            )
        id = new_id()
        database.execute(
            "INSERT INTO projects (id, name, version, changed) VALUES (?, ?, 1, ?)",
            [id, name, time.time()],
        )
        for place, draft in enumerate(classes):
            own = new_id()
            database.execute(
                "INSERT INTO classes (id, project, name, enabled, place) VALUES (?, ?, ?, ?, ?)",
                [own, id, checked_name(draft.name, "A class"), draft.enabled, place],
            )
            for sha256, burst, thumbnail, file in draft.pictures:
                insert_picture(database, id, own, sha256, burst, thumbnail, file)
        return Project(id, self.database, self.pictures)

    def _mark(
        self, database: sqlite3.Connection, id: str, deleted: float | None, where: str
    ) -> None:
        changed = database.execute(
            f"UPDATE projects SET deleted = ?, version = version + 1 WHERE id = ? AND {where}",
            [deleted, id],
        ).rowcount
        if not changed:
            raise MissingError("This project is not there any more. Look at the list again.")
