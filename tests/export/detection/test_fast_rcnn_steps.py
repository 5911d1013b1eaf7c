"""From the outputs of a Fast R-CNN head to boxes: the graph gives those of eyespot."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import onnxruntime
import pytest

from eyespot.arrays import F32
from eyespot.evaluation.boxes import Detections
from eyespot.evaluation.detection_calibration import ScoreCalibration, calibrate
from eyespot.export.detection.graph import steps_of
from eyespot.features.conversion import exact_options, openvino_core
from eyespot.tasks.detection import detect, fast_rcnn
from eyespot.tasks.detection.detector import Detector
from eyespot.tasks.detection.result import DetectionTeachResult

Run = Callable[[F32, F32], list[Any]]


@pytest.fixture(scope="module")
def detector(taught_rcnn: DetectionTeachResult) -> Detector:
    """With a calibration that changes the order of boxes of different classes."""
    calibration = ScoreCalibration(np.array([0.6, 1.4]), np.array([-0.5, 0.8]))
    return replace(taught_rcnn.detector, calibration=calibration, thresholds=np.array([0.3, 0.6]))


@pytest.fixture(scope="module", params=["onnx", "openvino"])
def run(request: pytest.FixtureRequest, detector: Detector) -> Run:
    content = steps_of(detector).SerializeToString()
    if request.param == "onnx":
        session = onnxruntime.InferenceSession(content)
        return lambda *outputs: session.run(
            None, {"logits": outputs[0][None], "corrected": outputs[1][None]}
        )
    model = openvino_core().compile_model(
        openvino_core().read_model(content), "CPU", exact_options()
    )
    return lambda *outputs: list(model([one[None] for one in outputs]).values())


def outputs(rois: int, spread: float) -> tuple[F32, F32]:
    """Random logits [rois, 3] and boxes [rois, 2, 4] of a head, some narrower than a pixel."""
    random = np.random.default_rng(0)
    low = random.uniform(0, spread, (rois, 2, 2))
    sides = random.uniform(0, 40, (rois, 2, 2))
    boxes = np.concatenate([low, low + sides], axis=-1).astype(np.float32)
    return random.normal(0, 2, (rois, 3)).astype(np.float32), boxes


def same(detector: Detector, run: Run, logits: F32, boxes: F32) -> Detections:
    """The expected detections, after a comparison with those of the graph."""
    expected = calibrate(detector.calibration, fast_rcnn.detections(logits, boxes))
    order = np.argsort(-expected.scores, kind="stable")
    found_boxes, labels, scores, shown = run(logits, boxes)
    np.testing.assert_allclose(scores, expected.scores[order], atol=1e-5)
    np.testing.assert_allclose(found_boxes, expected.boxes[order], atol=1e-4)
    np.testing.assert_array_equal(labels, expected.labels[order])
    np.testing.assert_array_equal(shown, scores >= detector.thresholds[labels])
    return expected


def test_boxes_that_overlap(detector: Detector, run: Run) -> None:
    logits, boxes = outputs(200, spread=100)
    candidates = (fast_rcnn.detections(logits[[n]], boxes[[n]]) for n in range(200))
    found = same(detector, run, logits, boxes)
    assert 20 < len(found.scores) < sum(len(one.scores) for one in candidates)
    assert set(found.labels.tolist()) == {0, 1}


def test_more_boxes_than_are_kept(detector: Detector, run: Run) -> None:
    assert len(same(detector, run, *outputs(600, spread=10_000)).scores) == detect.MOST


def test_no_boxes(detector: Detector, run: Run) -> None:
    logits, boxes = outputs(200, spread=100)
    logits[:, 0] = 40  # all background
    assert not len(same(detector, run, logits, boxes).scores)
    sure = np.tile(np.array([0, 40, 0], np.float32), (200, 1))
    assert not len(same(detector, run, sure, np.zeros_like(boxes)).scores)  # no proposals


def test_a_score_of_1(detector: Detector, run: Run) -> None:
    logits, boxes = outputs(1, spread=100)
    logits[0] = 0, 0, 80
    boxes[0, 1] = 10, 10, 30, 30
    (score,) = same(detector, run, logits, boxes).scores
    assert score > 0.99
