"""A detector that is trained while photos are annotated."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from eyespot.errors import DatasetError
from eyespot.studio.boxes.detector_trainer import DETECTOR, FIRST, REPORT, DetectorTrainer
from eyespot.studio.boxes.project import BoxProject
from eyespot.studio.boxes.rows import Box
from eyespot.studio.boxes.store import BoxStore
from eyespot.studio.photo_files import png
from eyespot.tasks.detection import dense, frame
from eyespot.tasks.detection.detector import Detector
from eyespot.tasks.detection.method import Plan
from tests.studio.boxes.test_box_projects import cells
from tests.tasks.detection.shapes import shapes


def wait_until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def annotated_shapes(store: BoxStore, count: int) -> BoxProject:
    """A project of `count` photos of shapes that are done, and one that is not."""
    project = store.create("Shapes")
    ids = {name: project.add_class(name) for name in ("disc", "square")}
    for photo in shapes(count + 1):
        pixels = photo.photo.read()
        assert isinstance(pixels, np.ndarray)
        (id,) = project.add_photos([(photo.photo.name, png(pixels))]).photos
        if len(project.snapshot().photos) <= count:
            boxes = [
                Box(ids[label], xmin, ymin, xmax, ymax)
                for (xmin, ymin, xmax, ymax), label in zip(
                    photo.boxes.tolist(), photo.labels, strict=True
                )
            ]
            project.annotate(id, boxes, done=True)
    return project


@pytest.mark.slow
def test_it_is_trained_proposes_boxes_and_is_there_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, session_cache: object
) -> None:
    monkeypatch.setattr(frame, "AREA", 96 * 96)
    monkeypatch.setattr(dense, "plan_for", lambda photos: Plan(16, 40))
    store = BoxStore(tmp_path)
    project = annotated_shapes(store, FIRST)
    trainer = DetectorTrainer(project, tmp_path / "trained", lambda: None)
    wait_until(lambda: trainer.state(project.snapshot())["current"] and not trainer.is_busy)
    summary = trainer.state(project.snapshot())["summary"]
    assert (summary["photos"], summary["evaluated_on"]) == (FIRST, "5-fold cross-validation")
    assert {one["name"] for one in summary["per_class"]} == {"disc", "square"}
    assert trainer.file(REPORT).read_text().startswith("<!doctype html>")
    assert Detector.load(trainer.file(DETECTOR)).classes == ("disc", "square")

    last = project.snapshot().photos[-1]
    found = trainer.proposals(last, project.content(last.id))
    assert {box["class_id"] for box in found} <= set(project.snapshot().names)
    trainer.close()

    monkeypatch.setattr(Detector, "teach", None)  # nothing is trained again
    again = DetectorTrainer(project, tmp_path / "trained", lambda: None)
    assert again.state(project.snapshot())["summary"] == summary
    assert again.proposals(last, project.content(last.id)) == found
    project.rename_class(next(iter(project.snapshot().names)), "ring")
    assert not again.state(project.snapshot())["current"]
    again.close()


def test_proposals_leave_out_what_is_drawn_and_deleted_classes(tmp_path: Path) -> None:
    project, rbc, (first, _) = cells(BoxStore(tmp_path))
    wbc = project.add_class("WBC")
    trainer = DetectorTrainer(project, tmp_path / "trained", lambda: None)
    trainer._summary = {"key": "", "classes": {"RBC": rbc, "WBC": wbc}}
    trainer.detector = Pretended()  # type: ignore[assignment]
    corners = [box["xmin"] for box in trainer.proposals(project.photo(first), b"")]
    assert corners == [0, 30]
    project.annotate(first, [Box(rbc, 1, 1, 20, 20)], done=False)
    assert [box["xmin"] for box in trainer.proposals(project.photo(first), b"")] == [30]
    project.delete_class(wbc)
    assert trainer.proposals(project.photo(first), b"") == []
    trainer.close()


class Pretended:
    """A detector with two boxes on any photo."""

    def predict(self, data: bytes | NDArray[np.uint8]) -> object:
        from eyespot.tasks.detection.prediction import Box, DetectionPrediction

        boxes = (Box("RBC", 0.9, 0, 0, 20, 20), Box("WBC", 0.8, 30, 0, 50, 20))
        return DetectionPrediction("photo", boxes, 60, 40)


def test_training_can_be_stopped_and_its_errors_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = threading.Event()

    def endless(photos: object, *, progress: Callable[[str, int, int], None]) -> None:
        started.set()
        while True:
            progress("Training", 1, 2)
            time.sleep(0.001)

    monkeypatch.setattr(Detector, "teach", endless)
    project, rbc, ids = cells(BoxStore(tmp_path), FIRST)
    trainer = DetectorTrainer(project, tmp_path / "trained", lambda: None)
    assert "0 photos of 5 done" in trainer.state(project.snapshot())["needed"]
    for id in ids:
        project.annotate(id, [], done=True)
    assert "Draw a box" in trainer.state(project.snapshot())["needed"]
    project.annotate(ids[0], [Box(rbc, 0, 0, 9, 9)], done=True)
    trainer.look()
    assert started.wait(60)
    trainer.stop()
    wait_until(lambda: not trainer.is_busy)
    assert trainer.state(project.snapshot())["message"] == "Training was stopped."

    def failing(photos: object, *, progress: object) -> None:
        raise DatasetError("No photo could be read.")

    monkeypatch.setattr(Detector, "teach", failing)
    trainer.start()
    wait_until(lambda: "could be read" in trainer.state(project.snapshot())["message"])
    trainer.close()
