"""Open projects: each is trained again in the background whenever it changes."""

import logging
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from eyespot.errors import EyespotError, MissingError, Stopped
from eyespot.features.backbone import DEFAULT, load_backbone
from eyespot.studio.fine_tuning import FineTuner, stage_json
from eyespot.studio.names import folder_names
from eyespot.studio.open_table import OpenTable
from eyespot.studio.project import Project
from eyespot.studio.projects import Store
from eyespot.studio.rows import Snapshot
from eyespot.studio.trainer import ProjectTrainer, Trained

logger = logging.getLogger(__name__)

POLL = 1.0
"""Seconds between looks for another process's changes."""


class OpenProject:
    """One project and its latest training result. `tuned`: folder of fine-tuned classifiers.

    A thread trains on the newest version, then waits for the next. It always finishes a head, so
    that a stream of photos does not keep it from predicting; it drops the evaluation of an old
    version.
    """

    def __init__(self, project: Project, tuned: Path) -> None:
        self.project = project
        self.fine_tuner = FineTuner(project, tuned, self.changed)
        self.trained: Trained | None = None
        self._number = 0
        self._busy: dict[str, Any] | None = stage_json("Opening the backbone")
        self._error = ""
        self._news = threading.Condition()
        self._wake = threading.Event()
        self._closed = False
        self.last_used = time.monotonic()
        threading.Thread(target=self._run, name="eyespot-train", daemon=True).start()

    @property
    def is_busy(self) -> bool:
        """Whether it must stay open without a page."""
        return self.fine_tuner.is_busy

    def close(self) -> None:
        """Stop training."""
        self.fine_tuner.stop()
        with self._news:
            self._closed = True
            self._news.notify_all()
        self._wake.set()

    def changed(self) -> None:
        """Tell the thread and all pages that the project or its fine-tuning changed."""
        with self._news:
            self._number += 1
            self._news.notify_all()
        self._wake.set()

    def wait(self, seen: int, version: int, seconds: float) -> dict[str, Any]:
        """Return the state once it differs from the page's, or after `seconds`.

        `seen`: number of the page's state. `version`: the page's version of the project; the
        project is left out if it is the current one. Raises MissingError.
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
            state = {
                "number": self._number,
                "busy": self._busy,
                "error": self._error,
                "trained": self.trained and _trained_json(self.trained),
                "fine_tuning": self.fine_tuner.state(),
            }
        if self.project.version() == version:
            return state
        return state | _project_json(self.project.snapshot())

    def _run(self) -> None:
        trainer: ProjectTrainer | None = None
        latest = -1
        while not self._closed:
            try:
                version = self.project.version()
                if version != latest:
                    latest = version
                    trainer = self._with_current_backbone(trainer)
                    self._train(trainer)
            except MissingError:
                self.close()  # deleted
            except EyespotError as error:  # a full disk, say: the next change tries again
                self._publish(busy=None, error=str(error))
            except Exception:
                logger.exception("Training failed")
                self._publish(busy=None, error="Training failed. The studio's terminal shows why.")
            self._wake.wait(POLL)
            self._wake.clear()

    def _with_current_backbone(self, trainer: ProjectTrainer | None) -> ProjectTrainer:
        backbone = self.project.snapshot().backbone or DEFAULT
        if trainer is not None and trainer.backbone.name == backbone:
            return trainer
        return ProjectTrainer(load_backbone(backbone, fetch=False))

    def _train(self, trainer: ProjectTrainer) -> None:
        heads: list[Trained] = []

        def on_head(trained: Trained) -> None:
            heads.append(trained)
            self._publish(trained=trained, busy=stage_json("Evaluating"))

        def stopped() -> bool:
            outdated = bool(heads) and self.project.version() != heads[0].version
            return self._closed or outdated

        def progress(stage: str, done: int, total: int) -> None:
            self._publish(busy=stage_json(stage, done, total))

        self._publish(busy=stage_json("Training"))
        try:
            trained = trainer.update(self.project, on_head, progress, stopped)
        except Stopped:
            return
        self._publish(trained=trained, busy=None)

    def _publish(
        self, *, busy: dict[str, Any] | None, trained: Trained | None = None, error: str = ""
    ) -> None:
        with self._news:
            self._number += 1
            self._busy, self._error = busy, error
            self.trained = trained or self.trained
            self._news.notify_all()


def _trained_json(trained: Trained) -> dict[str, Any]:
    return {
        "version": trained.version,
        "classes": trained.classifier.classes if trained.classifier else None,
        "needed": trained.needed,
        "photos": len(trained.photos),
        "evaluation": trained.evaluation and asdict(trained.evaluation),
        "left_out": [{"name": one.path, "reason": one.reason} for one in trained.left_out],
    }


def _project_json(snapshot: Snapshot) -> dict[str, Any]:
    photos: dict[str, list[int]] = {of.id: [] for of in snapshot.classes}
    for photo in snapshot.photos:
        photos[photo.class_id].append(photo.id)
    return {
        "name": snapshot.name,
        "file": folder_names([snapshot.name])[0],
        "version": snapshot.version,
        "undo": snapshot.undo,
        "backbone": snapshot.backbone or DEFAULT,
        "classes": [
            {"id": of.id, "name": of.name, "enabled": of.enabled, "photos": photos[of.id]}
            for of in snapshot.classes
        ],
    }


class OpenProjects(OpenTable[OpenProject]):
    """The open projects of a store."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store

    def get(self, id: str) -> OpenProject:
        """Open a project. Raises MissingError if it does not exist, or after `close_all`."""
        project = self.store.open(id)
        return self._get(id, lambda: OpenProject(project, self.store.folder / "tuned"))
