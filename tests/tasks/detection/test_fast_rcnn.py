"""Fast R-CNN on frozen maps: taught, saved, loaded, compared with the dense head."""

from pathlib import Path

import numpy as np
import pytest
import torch

import eyespot
from eyespot.errors import UsageError
from eyespot.tasks.detection import dense, fast_rcnn, finetune, select
from eyespot.tasks.detection.engine import detector_module
from eyespot.tasks.detection.frame import frame_of
from eyespot.tasks.detection.method import Plan
from eyespot.tasks.detection.options import TeachOptions
from eyespot.tasks.detection.result import DetectionTeachResult
from eyespot.tasks.detection.teach import teach
from tests.tasks.detection.shapes import shapes, split


def test_it_finds_shapes(taught_rcnn: DetectionTeachResult) -> None:
    assert taught_rcnn.detector.method == "fast-rcnn"
    assert taught_rcnn.evaluation.average_precision.ap50 > 0.6
    assert "Fast R-CNN" in repr(taught_rcnn.detector)


def test_its_file_gives_the_same_boxes(taught_rcnn: DetectionTeachResult, tmp_path: Path) -> None:
    path = tmp_path / "shapes.eyespot"
    taught_rcnn.save(path)
    (photo,) = shapes(1, seed=9)
    expected = taught_rcnn.detector.predict(photo.photo)
    assert eyespot.load(path).predict(photo.photo) == expected
    assert expected.boxes


def test_the_engine_computes_as_torch_does(taught_rcnn: DetectionTeachResult) -> None:
    detector = taught_rcnn.detector
    (photo,) = shapes(1, seed=3)
    frame = frame_of(photo.photo.read())
    found = fast_rcnn.detections(*detector.engine.run(frame.pixels))
    assert detector.engine._module is None, "OpenVINO runs it"
    with torch.inference_mode():
        outputs = detector_module(detector)(torch.from_numpy(frame.pixels.copy()[None]))
    expected = fast_rcnn.detections(*(one[0].numpy() for one in outputs))
    sure, exact = found.scores > 0.3, expected.scores > 0.3
    assert sure.sum() == exact.sum() > 0
    np.testing.assert_allclose(found.scores[sure], expected.scores[exact], atol=1e-3)
    np.testing.assert_allclose(found.boxes[sure], expected.boxes[exact], atol=0.02)


def test_its_arrays_have_the_shapes_that_files_must_have(taught_rcnn: DetectionTeachResult) -> None:
    detector = taught_rcnn.detector
    expected = fast_rcnn.shapes(detector.channels, len(detector.classes), detector.width)
    assert {name: array.shape for name, array in detector.head.items()} == expected


def test_proposals_that_are_missing_give_no_detections() -> None:
    boxes = np.zeros((3, 2, 4), np.float32)
    boxes[0, 1] = 10, 10, 20, 20
    found = fast_rcnn.detections(np.array([[0, 0, 5.0]] * 3, np.float32), boxes)
    assert found.boxes.tolist() == [[10, 10, 20, 20]]
    assert found.labels.tolist() == [1]


@pytest.mark.usefixtures("small")
def test_methods_are_compared_on_training_photos_alone(
    session_cache: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    for method in (dense, fast_rcnn):
        monkeypatch.setattr(method, "plan_for", lambda photos: Plan(16, 6, batch=2))
    photos = split(shapes(10), 4)
    result = teach(photos, TeachOptions(method="auto"))
    assert {one.method for one in result.candidates} == {"dense", "fast-rcnn"}
    assert result.detector.method == result.candidates[0].method
    assert result.trained == 6
    assert len(result.photos) == 4
    (words,) = (text for label, text in result.figures(Path("photos")).rows if label == "Method")
    assert "selected by AP in" in words
    monkeypatch.setattr(select, "TUNED_BOXES", 2)
    monkeypatch.setattr(finetune, "plan_for", lambda photos: Plan(16, 4, batch=2, tuned=1))
    result = teach(photos, TeachOptions(method="auto"))
    assert {one.method for one in result.candidates} == {"dense", "fast-rcnn", "finetune"}
    with pytest.raises(UsageError, match="one of dense, fast-rcnn, finetune, auto, found 'knn'"):
        teach(photos, TeachOptions(method="knn"))
