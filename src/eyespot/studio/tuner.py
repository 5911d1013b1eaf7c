"""Fine-tuning a project's network, as a long job: started by hand, told how far it is, stopped at
will. What it makes answers for as long as the project stays as it was, also after a restart."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from eyespot.errors import EyespotError, Stopped, UsageError
from eyespot.features.backbone import DEFAULT
from eyespot.studio.project import Project
from eyespot.tasks.classification.classifier import Classifier
from eyespot.tasks.task import load

logger = logging.getLogger(__name__)

UNEXPECTED = "Fine-tuning failed. Where the studio runs, it says why."


class Tuner:
    """Fine-tunes one project. `folder`: where what it makes is kept; `tell`: called at all news."""

    def __init__(self, project: Project, folder: Path, tell: Callable[[], None]) -> None:
        self.project, self.folder, self.tell = project, folder, tell
        self._made: tuple[int, Classifier] | None = None
        self._busy: dict[str, Any] | None = None
        self._told = ""
        self._stopped = False
        self._find()

    @property
    def is_busy(self) -> bool:
        return self._busy is not None

    def start(self) -> None:
        """Begin with the project as it is. Raises UsageError if it is at work already."""
        if self.is_busy:
            raise UsageError("Fine-tuning is at work already. Stop it first.")
        self._stopped, self._told = False, ""
        self._busy = {"stage": "Beginning", "done": 0, "total": 0}
        threading.Thread(target=self._run, name="eyespot-tune", daemon=True).start()

    def stop(self) -> None:
        self._stopped = True

    def classifier(self) -> Classifier | None:
        """What was made of the project as it is now; None if nothing."""
        made = self._made
        return made[1] if made and made[0] == self.project.version() else None

    def shown(self) -> dict[str, Any]:
        """For a page: how far it is, what it ended with, and whether what it made answers."""
        return {"busy": self._busy, "told": self._told, "answers": self.classifier() is not None}

    def _run(self) -> None:
        from eyespot.tasks.classification.teach import teach

        def progress(stage: str, done: int, total: int) -> None:
            if self._stopped:
                raise Stopped("Fine-tuning was stopped.")
            self._busy = {"stage": stage, "done": done, "total": total}
            self.tell()

        told = UNEXPECTED
        try:
            snapshot = self.project.snapshot()
            lesson = teach(
                self.project.dataset(),
                method="finetune",
                backbone=snapshot.backbone or DEFAULT,
                progress=progress,
            )
            self._keep(snapshot.version, lesson.classifier)
            told = lesson.reason
        except EyespotError as error:
            told = str(error)
        except Exception:
            logger.exception("Fine-tuning failed")
        finally:
            self._busy, self._told = None, told
            self.tell()

    # --- what was made, on disk ------------------------------------------------------------

    def _keep(self, version: int, classifier: Classifier) -> None:
        self.folder.mkdir(exist_ok=True)
        path = self.folder / f"{self.project.id}-{version}.eyespot"
        classifier.save(path)
        self._made = version, classifier
        for other in self.folder.glob(f"{self.project.id}-*.eyespot"):
            if other != path:
                other.unlink(missing_ok=True)

    def _find(self) -> None:
        version = self.project.version()
        path = self.folder / f"{self.project.id}-{version}.eyespot"
        if not path.is_file():
            return
        try:
            self._made = version, load(path)
        except EyespotError as error:
            self._told = f"The fine-tuned network cannot be read: {error}"
