"""Open projects of Boxes: their state for pages, and their detectors."""

import threading
import time
from pathlib import Path
from typing import Any

from eyespot.studio.boxes.detector_trainer import DetectorTrainer
from eyespot.studio.boxes.project import BoxProject
from eyespot.studio.boxes.rows import BoxSnapshot
from eyespot.studio.boxes.store import BoxStore
from eyespot.studio.names import folder_names
from eyespot.studio.open_table import OpenTable

POLL = 1.0
"""Seconds between looks for another process's changes."""


class OpenBoxProject:
    """One project, and the training of its detector. `folder`: of its results."""

    def __init__(self, project: BoxProject, folder: Path) -> None:
        self.project = project
        self.last_used = time.monotonic()
        self._number = 0
        self._news = threading.Condition()
        self._closed = False
        self.trainer = DetectorTrainer(project, folder, self._tell)

    @property
    def is_busy(self) -> bool:
        """Whether it must stay open without a page."""
        return self.trainer.is_busy

    def close(self) -> None:
        """Stop training, and end all waiting requests."""
        self.trainer.close()
        self._closed = True
        self._tell()

    def changed(self) -> None:
        """Tell all pages and the trainer that the project changed."""
        self.trainer.look()
        self._tell()

    def wait(self, seen: int, version: int, seconds: float) -> dict[str, Any]:
        """Return the state once it differs from the page's, or after `seconds`.

        `seen`: number of the page's state. `version`: the page's version of the project, which is
        left out if it is the current one. Raises MissingError.
        """
        end = time.monotonic() + seconds
        with self._news:
            while (
                self._number == seen
                and self.project.version() == version
                and not self._closed
                and (left := end - time.monotonic()) > 0
            ):
                self._news.wait(min(left, POLL))
            number = self._number
        snapshot = self.project.snapshot()
        state = {"number": number, "training": self.trainer.state(snapshot)}
        return state if snapshot.version == version else state | _project_json(snapshot)

    def _tell(self) -> None:
        with self._news:
            self._number += 1
            self._news.notify_all()


def _project_json(snapshot: BoxSnapshot) -> dict[str, Any]:
    return {
        "name": snapshot.name,
        "file": folder_names([snapshot.name])[0],
        "version": snapshot.version,
        "undo": snapshot.undo,
        "classes": [
            {"id": of.id, "name": of.name, "position": of.position} for of in snapshot.classes
        ],
        "photos": [
            {
                "id": photo.id,
                "name": photo.name,
                "width": photo.width,
                "height": photo.height,
                "done": photo.done,
                "boxes": len(photo.boxes),
            }
            for photo in snapshot.photos
        ],
    }


class OpenBoxes(OpenTable[OpenBoxProject]):
    """The open projects of a store."""

    def __init__(self, store: BoxStore) -> None:
        super().__init__()
        self.store = store

    def get(self, id: str) -> OpenBoxProject:
        """Open a project. Raises MissingError if it does not exist, or after `close_all`."""
        project = self.store.open(id)
        return self._get(id, lambda: OpenBoxProject(project, self.store.trained(id)))
