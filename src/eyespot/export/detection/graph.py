"""A detector as one ONNX graph, from the network's input to boxes.

torch exports backbone and head; the steps of the method's `detections` follow as ONNX operations,
among them NonMaxSuppression, which ONNX Runtime, its build for browsers and OpenVINO all run.
"""

import io
import warnings
from typing import Any

import numpy as np

from eyespot.evaluation.detection_calibration import TINY
from eyespot.export.detection.dense_steps import DENSE
from eyespot.export.detection.fast_rcnn_steps import FAST_RCNN
from eyespot.tasks.detection import detect
from eyespot.tasks.detection.detector import Detector
from eyespot.tasks.detection.engine import detector_module

OPSET = 18
INPUT = "image"
OUTPUTS = ("boxes", "labels", "scores", "shown")
STEPS = {"dense": DENSE, "fast-rcnn": FAST_RCNN, "finetune": DENSE}
"""By method."""

HEADER = """
<ir_version: 8, opset_import: ["" : 18]>
boxes ({inputs}) =>
    (float[count, 4] boxes, int64[count] labels, float[count] scores, bool[count] shown)
"""
SUPPRESSION = """
    numbers = Range (number_zero, classes, number_one)
    column_of_numbers = Unsqueeze (numbers, one)
    own_class = Equal (column_of_numbers, label)
    score_by_class = Where (own_class, score, zero)
    one_photo_scores = Unsqueeze (score_by_class, none)
    one_photo_boxes = Unsqueeze (box, none)
    picked = NonMaxSuppression (one_photo_boxes, one_photo_scores, most, overlap, least_score)
    unordered = Gather <axis = 1> (picked, two)
    found = Shape (unordered)
    count = Min (most, found)
    kept, kept_order = TopK <largest = 0> (unordered, count)

    kept_box = Gather (box, kept)
    kept_label = Gather (label, kept)
    kept_logit = Gather (logit, kept)
"""
"""NonMaxSuppression works by class, so the scores of other classes are zero; its choices are put
back in the candidates' order."""
CALIBRATION = """
    log_odds = Clip (kept_logit, least_logit, most_logit)
    slope = Gather (slopes, kept_label)
    offset = Gather (offsets, kept_label)
    threshold = Gather (thresholds, kept_label)
    scaled = Mul (log_odds, slope)
    moved = Add (scaled, offset)
    probability = Sigmoid (moved)

    scores, order = TopK (probability, count)
    boxes = Gather (placed, order)
    labels = Gather (kept_label, order)
    ordered_threshold = Gather (threshold, order)
    shown = GreaterOrEqual (scores, ordered_threshold)
"""


def graph_of(detector: Detector) -> Any:
    """The onnx.ModelProto. Input: `image`, uint8 RGB [1, height, width, 3], whose sides are
    multiples of 32. Outputs, the highest score first, at most 300 boxes: `boxes` float32 [n, 4],
    xmin, ymin, xmax and ymax in pixels of the input; `labels` int64 [n]; `scores` float32 [n],
    calibrated; `shown` bool [n], whether the score reaches the threshold of its class."""
    from onnx import compose

    network, steps = _network(detector), steps_of(detector)
    names = [output.name for output in network.graph.output]
    return compose.merge_models(network, steps, list(zip(names, names, strict=True)))


def steps_of(detector: Detector) -> Any:
    """The onnx.ModelProto from the outputs of the head for one photo to those of `graph_of`."""
    from onnx import numpy_helper, parser

    own = STEPS[detector.method]
    inputs = ", ".join(f"{kind} {name}" for name, kind in own.outputs.items())
    body = (own.candidates, SUPPRESSION, own.placed, CALIBRATION)
    steps = parser.parse_model("".join((HEADER.format(inputs=inputs), "{", *body, "}")))
    for name, values in (_constants(detector) | own.constants()).items():
        steps.graph.initializer.append(numpy_helper.from_array(values, name))
    return steps


def _network(detector: Detector) -> Any:
    import onnx
    import torch

    content = io.BytesIO()
    with warnings.catch_warnings():
        # The other exporter of torch fixes height and width; this one traces, as to_openvino does.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            detector_module(detector),
            (torch.zeros(1, 64, 96, 3, dtype=torch.uint8),),
            content,  # type: ignore[arg-type]  # this exporter takes an open file
            dynamo=False,
            input_names=[INPUT],
            output_names=list(STEPS[detector.method].outputs),
            opset_version=OPSET,
            dynamic_axes={INPUT: {1: "height", 2: "width"}},
        )
    return onnx.load_from_string(content.getvalue())


def _constants(detector: Detector) -> dict[str, Any]:
    whole, real = np.int64, np.float32
    largest_logit = np.log((1 - TINY) / TINY)
    return {
        "none": np.array([0], whole),
        "one": np.array([1], whole),
        "two_axis": np.array([2], whole),
        "all": np.array([-1], whole),
        "corners": np.array([-1, 4], whole),
        "two": np.array(2, whole),
        "number_zero": np.array(0, whole),
        "number_one": np.array(1, whole),
        "most": np.array([detect.MOST], whole),
        "overlap": np.array([detect.OVERLAP], real),
        "least_score": np.array([detect.LEAST_SCORE], real),
        "zero": np.array(0, real),
        "least_logit": np.array(-largest_logit, real),
        "most_logit": np.array(largest_logit, real),
        "slopes": detector.calibration.slopes.astype(real),
        "offsets": detector.calibration.offsets.astype(real),
        "thresholds": detector.thresholds.astype(real),
    }
