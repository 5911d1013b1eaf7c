"""Projects that are open: each is learnt anew in the background whenever it changes."""

import logging
import threading
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any

from eyespot.errors import EyespotError, MissingError, Stopped
from eyespot.features.backbone import DEFAULT, load_backbone
from eyespot.studio.archive import folder_names
from eyespot.studio.learner import Learner, Learnt
from eyespot.studio.project import Project
from eyespot.studio.projects import Store
from eyespot.studio.tuner import Tuner

logger = logging.getLogger(__name__)

MOST_OPEN = 4
"""Projects whose features are kept in memory, and all that pages show."""
SHOWN = 60.0
"""Seconds for which a project that was asked for counts as shown."""
LOOK_AGAIN = 1.0
"""Seconds after which another process's changes are seen."""


class Classroom:
    """One project, and what was learnt of it last. `tuned`: folder of fine-tuned networks.

    Its thread learns the newest state, then waits for the next. A head that was begun is always
    finished, so that pictures which come faster than it learns do not keep it from answering;
    figures of an old state are not.
    """

    def __init__(self, project: Project, tuned: Path) -> None:
        self.project = project
        self.tuner = Tuner(project, tuned, self.changed)
        self.learnt: Learnt | None = None
        self._number = 0
        self._busy: dict[str, Any] | None = {"stage": "Opening the network", "done": 0, "total": 0}
        self._error = ""
        self._news = threading.Condition()
        self._wake = threading.Event()
        self._closed = False
        self.asked = time.monotonic()
        threading.Thread(target=self._run, name="eyespot-learn", daemon=True).start()

    def close(self) -> None:
        """Learn no more."""
        self.tuner.stop()
        with self._news:
            self._closed = True
            self._news.notify_all()
        self._wake.set()

    def changed(self) -> None:
        """The project, or what is made of it, is not what it was."""
        with self._news:
            self._number += 1
            self._news.notify_all()
        self._wake.set()

    def wait(self, seen: int, version: int, seconds: float) -> dict[str, Any]:
        """How things stand, as soon as it is not what the page knows, at the latest after so many
        seconds.

        `seen`: number of the state that the page knows; `version`: of the project there. Of the
        project itself there is nothing if the page has that version. Raises MissingError.
        """
        end = time.monotonic() + seconds
        with self._news:
            while (
                self._number == seen
                and self.project.version() == version
                and not self._closed
                and (left := end - time.monotonic()) > 0
            ):
                self._news.wait(min(left, LOOK_AGAIN))
            state = {
                "number": self._number,
                "busy": self._busy,
                "error": self._error,
                "learnt": self.learnt and _shown(self.learnt),
                "tuning": self.tuner.shown(),
            }
        if self.project.version() == version:
            return state
        snapshot = self.project.snapshot()
        pictures: dict[str, list[int]] = {of.id: [] for of in snapshot.classes}
        for picture in snapshot.pictures:
            pictures[picture.class_id].append(picture.id)
        return state | {
            "name": snapshot.name,
            "file": folder_names([snapshot.name])[0],
            "version": snapshot.version,
            "undo": snapshot.undo,
            "backbone": snapshot.backbone or DEFAULT,
            "classes": [
                {"id": of.id, "name": of.name, "enabled": of.enabled, "pictures": pictures[of.id]}
                for of in snapshot.classes
            ],
        }

    # --- the thread --------------------------------------------------------------------------

    def _run(self) -> None:
        learner: Learner | None = None
        tried = -1
        while not self._closed:
            try:
                version = self.project.version()
                if version != tried:
                    tried = version
                    learner = self._with_its_network(learner)
                    self._learn(learner)
            except MissingError:
                self.close()  # deleted
            except EyespotError as error:  # a full disk, say: the next change tries again
                self._tell(busy=None, error=str(error))
            except Exception:
                logger.exception("Learning failed")
                self._tell(busy=None, error="Learning failed. Where the studio runs, it says why.")
            self._wake.wait(LOOK_AGAIN)
            self._wake.clear()

    def _with_its_network(self, learner: Learner | None) -> Learner:
        """A learner with the network that the project asks for, which may be another one now."""
        backbone = self.project.snapshot().backbone or DEFAULT
        if learner is not None and learner.backbone.name == backbone:
            return learner
        return Learner(load_backbone(backbone, fetch=False))

    def _learn(self, learner: Learner) -> None:
        answers: list[Learnt] = []

        def on_head(learnt: Learnt) -> None:
            answers.append(learnt)
            self._tell(learnt=learnt, busy={"stage": "Evaluating", "done": 0, "total": 0})

        def stopped() -> bool:
            outdated = bool(answers) and self.project.version() != answers[0].version
            return self._closed or outdated

        def progress(stage: str, done: int, total: int) -> None:
            self._tell(busy={"stage": stage, "done": done, "total": total})

        self._tell(busy={"stage": "Learning", "done": 0, "total": 0})
        try:
            learnt = learner.update(self.project, on_head, progress, stopped)
        except Stopped:
            return
        self._tell(learnt=learnt, busy=None)

    def _tell(
        self, *, busy: dict[str, Any] | None, learnt: Learnt | None = None, error: str = ""
    ) -> None:
        with self._news:
            self._number += 1
            self._busy, self._error = busy, error
            self.learnt = learnt or self.learnt
            self._news.notify_all()


def _shown(learnt: Learnt) -> dict[str, Any]:
    """What a page shows of it."""
    return {
        "version": learnt.version,
        "classes": learnt.classifier.classes if learnt.classifier else None,
        "needed": learnt.needed,
        "pictures": len(learnt.pictures),
        "figures": learnt.figures and learnt.figures.to_dict(),
        "left_out": [{"name": one.path, "reason": one.reason} for one in learnt.left_out],
    }


class Classrooms:
    """The projects of a store that are open; the one not asked for longest is closed first, but
    none that a page shows or that is being fine-tuned."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._open: OrderedDict[str, Classroom] = OrderedDict()
        self._lock = threading.Lock()
        self._closed = False

    def of(self, id: str) -> Classroom:
        """Raises MissingError if there is no such project, or after `close`."""
        project = self.store.open(id)
        with self._lock:
            if self._closed:
                raise MissingError("The studio is being closed.")
            room = self._open.get(id)
            if room is None:
                room = self._open[id] = Classroom(project, self.store.folder / "tuned")
            self._open.move_to_end(id)
            now = room.asked = time.monotonic()
            idle = [
                key
                for key, one in self._open.items()
                if now - one.asked > SHOWN and not one.tuner.is_busy
            ]
            for key in idle[: max(0, len(self._open) - MOST_OPEN)]:
                self._open.pop(key).close()
        return room

    def forget(self, id: str) -> None:
        """Learn a project no more, until it is asked for again."""
        with self._lock:
            room = self._open.pop(id, None)
        if room is not None:
            room.close()

    def close(self) -> None:
        """Learn nothing more, and have nobody wait."""
        with self._lock:
            self._closed = True
            rooms = list(self._open.values())
        for room in rooms:
            room.close()
