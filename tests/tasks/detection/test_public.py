"""Detectors by the public names of eyespot."""

import numpy as np
import pytest

import eyespot
from eyespot.data.boxes.dataset import BoxDataset
from eyespot.errors import UsageError
from eyespot.tasks.detection.result import DetectionTeachResult
from tests.tasks.detection.shapes import shapes


def test_options_that_a_detector_does_not_have() -> None:
    photos = BoxDataset(tuple(shapes(3)))
    with pytest.raises(UsageError, match="A detector has no option budget"):
        eyespot.teach(photos, task="detect", budget=3)
    with pytest.raises(UsageError, match='task="detect"'):
        eyespot.teach(photos)
    with pytest.raises(UsageError, match="one of classification, detection, found 'find'"):
        eyespot.teach(photos, task="find")
    with pytest.raises(UsageError, match="Expected a method of detectors"):
        eyespot.teach(photos, task="detect", method="svm")
    with pytest.raises(UsageError, match="Expected a model"):
        eyespot.evaluate("cells.eyespot", photos)


def test_a_detector_is_evaluated(taught: DetectionTeachResult) -> None:
    (photo, *_) = photos = shapes(4, seed=5)
    pairs = [(np.asarray(one.photo.read()), one.boxes, one.labels) for one in photos]
    result = eyespot.evaluate(taught.detector, eyespot.open_boxes(pairs))
    assert result.evaluation.average_precision.ap50 > 0.5
    with pytest.raises(UsageError, match="A detector has no option labels"):
        eyespot.evaluate(taught.detector, [photo], ["disc"])
    found = taught.detector.predict(photo.photo)
    assert all(isinstance(box, eyespot.Box) for box in found.boxes)
