"""Fine-tuning of a project's backbone: a long job with progress, started and stopped by the user.

The fine-tuned classifier predicts until the project changes, also after a restart.
"""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from eyespot.errors import EyespotError, Stopped, UsageError
from eyespot.features.backbone import DEFAULT
from eyespot.studio.project import Project
from eyespot.tasks.classification.classifier import Classifier
from eyespot.tasks.task import load_classifier

logger = logging.getLogger(__name__)


def stage_json(stage: str, done: int = 0, total: int = 0) -> dict[str, Any]:
    """Progress, as a page reads it."""
    return {"stage": stage, "done": done, "total": total}


class FineTuner:
    """Fine-tunes one project. `folder`: of the results; `changed`: called with each change."""

    def __init__(self, project: Project, folder: Path, changed: Callable[[], None]) -> None:
        self.project, self.folder, self.changed = project, folder, changed
        self._result: tuple[int, Classifier] | None = None
        self._busy: dict[str, Any] | None = None
        self._message = ""
        self._stopped = False
        version = project.version()
        try:
            if (path := self._path(version)).is_file():
                self._result = version, load_classifier(path)
        except EyespotError as error:
            self._message = f"The fine-tuned classifier cannot be read: {error}"

    @property
    def is_busy(self) -> bool:
        return self._busy is not None

    def start(self) -> None:
        """Start with the project as it is. Raises UsageError if it is running already."""
        if self.is_busy:
            raise UsageError("Fine-tuning is running already. Stop it first.")
        self._stopped, self._message = False, ""
        self._busy = stage_json("Starting")
        threading.Thread(target=self._run, name="eyespot-fine-tune", daemon=True).start()

    def stop(self) -> None:
        self._stopped = True

    def classifier(self) -> Classifier | None:
        """The result for the project's current version, or None."""
        result = self._result
        return result[1] if result and result[0] == self.project.version() else None

    def state(self) -> dict[str, Any]:
        """For a page: the progress, the last message, and whether the result predicts."""
        return {
            "busy": self._busy,
            "message": self._message,
            "active": self.classifier() is not None,
        }

    def _run(self) -> None:
        from eyespot.tasks.classification.teach import teach

        def progress(stage: str, done: int, total: int) -> None:
            if self._stopped:
                raise Stopped("Fine-tuning was stopped.")
            self._busy = stage_json(stage, done, total)
            self.changed()

        message = "Fine-tuning failed. The studio's terminal shows why."
        try:
            snapshot = self.project.snapshot()
            result = teach(
                self.project.dataset(),
                method="finetune",
                backbone=snapshot.backbone or DEFAULT,
                progress=progress,
            )
            self._save(snapshot.version, result.classifier)
            message = result.reason
        except EyespotError as error:
            message = str(error)
        except Exception:
            logger.exception("Fine-tuning failed")
        finally:
            self._busy, self._message = None, message
            self.changed()

    def _path(self, version: int) -> Path:
        return self.folder / f"{self.project.id}-{version}.eyespot"

    def _save(self, version: int, classifier: Classifier) -> None:
        self.folder.mkdir(exist_ok=True)
        path = self._path(version)
        classifier.save(path)
        self._result = version, classifier
        for other in self.folder.glob(f"{self.project.id}-*.eyespot"):
            if other != path:
                other.unlink(missing_ok=True)
