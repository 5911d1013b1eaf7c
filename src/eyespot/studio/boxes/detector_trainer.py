"""A project's detector, trained in the background on the photos that are done.

A training run takes minutes, so it is finished even if more photos are done meanwhile; the next one
then starts with the newest boxes. Results are kept on disk for the next visit.
"""

import contextlib
import hashlib
import json
import logging
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from eyespot.data.boxes.dataset import BoxDataset
from eyespot.data.photos import FileSource
from eyespot.errors import EyespotError, MissingError, Stopped
from eyespot.evaluation.boxes import iou
from eyespot.shown import counted
from eyespot.studio.boxes.project import BoxProject
from eyespot.studio.boxes.rows import BoxPhoto, BoxSnapshot
from eyespot.studio.fine_tuning import stage_json
from eyespot.tasks.detection.detector import Detector
from eyespot.tasks.detection.prediction import DetectionPrediction
from eyespot.tasks.detection.result import DetectionTeachResult

logger = logging.getLogger(__name__)

FIRST = 5
"""Photos that are done, from which on a detector is trained."""
KNOWN = 0.5
"""IoU with a drawn box from which on a detection is no proposal."""
DETECTOR, REPORT, SUMMARY = "detector.eyespot", "report.html", "summary.json"
POLL = 1.0
"""Seconds between looks for another process's changes."""


class DetectorTrainer:
    """Trains one project's detector. `folder`: of its results; `changed`: called with each change
    of the state."""

    def __init__(self, project: BoxProject, folder: Path, changed: Callable[[], None]) -> None:
        self.project, self.folder, self._changed = project, folder, changed
        self.detector: Detector | None = None
        self._summary: dict[str, Any] | None = None
        self._result: Path | None = None
        self._busy: dict[str, Any] | None = None
        self._message = ""
        self._tried = ""
        """The key of the last run: it is not repeated before a box changes."""
        self._paused = self._closed = False
        self._wake = threading.Event()
        self._load()
        threading.Thread(target=self._run, name="eyespot-detector", daemon=True).start()

    @property
    def is_busy(self) -> bool:
        return self._busy is not None

    def look(self) -> None:
        """Tell the thread that the project changed."""
        self._wake.set()

    def start(self) -> None:
        """Train again, after `stop` or a failure."""
        self._paused, self._tried = False, ""
        self._wake.set()

    def stop(self) -> None:
        """Stop training until `start`."""
        self._paused = True
        self._changed()

    def close(self) -> None:
        self._closed = True
        self._wake.set()

    def state(self, snapshot: BoxSnapshot) -> dict[str, Any]:
        """For a page: the progress, the last message, and the summary of the detector, which is
        `current` if it was trained on the boxes as they are."""
        summary = self._summary
        return {
            "busy": self._busy,
            "message": self._message,
            "needed": needed(snapshot),
            "summary": summary,
            "current": summary is not None and summary["key"] == training_key(snapshot),
        }

    def file(self, name: str) -> Path:
        """DETECTOR or REPORT of the last result. Raises MissingError if there is none."""
        if self._result is None:
            raise MissingError(
                f"This project has no detector yet. {needed(self.project.snapshot())}"
            )
        return self._result / name

    def proposals(self, photo: BoxPhoto, data: bytes) -> list[dict[str, Any]]:
        """The detector's boxes where none is drawn. Raises PhotoError."""
        detector = self.detector
        if detector is None:
            return []
        found = self.as_json(detector.predict(data))["boxes"]
        drawn = np.array([(b.xmin, b.ymin, b.xmax, b.ymax) for b in photo.boxes]).reshape(-1, 4)
        corners = [[box[key] for key in ("xmin", "ymin", "xmax", "ymax")] for box in found]
        overlap = iou(np.array(corners).reshape(-1, 4), drawn)
        return [
            box
            for box, overlaps in zip(found, overlap, strict=True)
            if not (overlaps >= KNOWN).any()
        ]

    def as_json(self, prediction: DetectionPrediction) -> dict[str, Any]:
        """A prediction for a page, with the ids of those classes that still exist."""
        trained = self._summary["classes"] if self._summary else {}
        existing = self.project.snapshot().names
        boxes = [
            {
                "class_id": trained[box.label],
                "probability": box.probability,
                **{key: round(getattr(box, key), 2) for key in ("xmin", "ymin", "xmax", "ymax")},
            }
            for box in prediction.boxes
            if trained.get(box.label) in existing
        ]
        return {"width": prediction.width, "height": prediction.height, "boxes": boxes}

    def _load(self) -> None:
        with contextlib.suppress(OSError, ValueError, EyespotError, KeyError):
            results = [path for path in self.folder.iterdir() if not path.name.startswith(".")]
            newest = max(results, key=lambda path: path.stat().st_mtime)
            summary = json.loads((newest / SUMMARY).read_text("utf-8"))
            self.detector = Detector.load(newest / DETECTOR)
            self._summary, self._result, self._tried = summary, newest, summary["key"]

    def _run(self) -> None:
        while not self._closed:
            self._wake.wait(POLL)
            self._wake.clear()
            message = ""
            try:
                snapshot = self.project.snapshot()
                key = training_key(snapshot)
                if self._paused or key == self._tried or needed(snapshot):
                    continue
                self._tried = key
                self._train(snapshot, key)
            except MissingError:
                return  # deleted
            except Stopped:
                message = "Training was stopped."
            except EyespotError as error:
                message = str(error)
            except Exception:
                logger.exception("Training failed")
                message = "Training failed. The studio's terminal shows why."
            self._busy, self._message = None, message
            self._changed()

    def _train(self, snapshot: BoxSnapshot, key: str) -> None:
        def progress(stage: str, done: int, total: int) -> None:
            if self._paused or self._closed:
                raise Stopped("Training was stopped.")
            self._busy = stage_json(stage, done, total)
            self._changed()

        progress("Starting", 0, 0)
        done = [photo for photo in snapshot.photos if photo.done]
        dataset = BoxDataset(tuple(self.project.annotated(snapshot, photo) for photo in done))
        result = Detector.teach(dataset, progress=progress)
        summary = summary_of(result, snapshot, key)
        self.folder.mkdir(parents=True, exist_ok=True)
        draft, final = self.folder / f".{os.urandom(6).hex()}", self.folder / key
        draft.mkdir()
        result.save(draft / DETECTOR)
        result.report(draft / REPORT)
        (draft / SUMMARY).write_text(json.dumps(summary), "utf-8")
        shutil.rmtree(final, ignore_errors=True)
        draft.rename(final)
        self._summary, self._result, self.detector = summary, final, result.detector
        for other in self.folder.iterdir():
            if other != final:
                shutil.rmtree(other, ignore_errors=True)


def needed(snapshot: BoxSnapshot) -> str:
    """What is missing before a detector can be trained; empty if nothing is."""
    done = [photo for photo in snapshot.photos if photo.done]
    if len(done) < FIRST:
        return (
            f"{counted(len(done))} of {FIRST} done. From {FIRST} on, a detector is trained, and "
            "proposes boxes on the other photos."
        )
    if not any(photo.boxes for photo in done):
        return "Draw a box on at least one photo, to train a detector."
    return ""


def training_key(snapshot: BoxSnapshot) -> str:
    """A hash of everything that a detector is trained on."""
    names = snapshot.names
    facts = [
        [
            p.sha256,
            [[names[b.class_id], b.xmin, b.ymin, b.xmax, b.ymax, b.ignored] for b in p.boxes],
        ]
        for p in snapshot.photos
        if p.done
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]


def summary_of(result: DetectionTeachResult, snapshot: BoxSnapshot, key: str) -> dict[str, Any]:
    """The figures of a training run for a page. `classes`: ids by name, as they were."""
    metrics = result.detector.metrics
    ids = {photo.sha256: photo.id for photo in snapshot.photos}
    kept = ("ap50", "ap50_interval", "count_mae", "count_mae_interval", "count_mean", "per_class")
    issues = []
    for issue in result.issues:
        source = result.photos[issue.photo].source
        assert isinstance(source, FileSource)
        box = [round(float(value), 1) for value in issue.box]
        issues.append({"photo": ids[source.path.name], "kind": issue.kind, "box": box})
    return {
        "key": key,
        "classes": {name: id for id, name in snapshot.names.items()},
        "photos": result.trained,
        "boxes": sum(len(photo.boxes) for photo in snapshot.photos if photo.done),
        "evaluated_on": result.evaluated_on,
        "evaluated": result.evaluation.count,
        **{name: metrics[name] for name in kept},
        "issues": issues,
    }
