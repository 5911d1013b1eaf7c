"""A detector as one ONNX graph, from the network's input to boxes.

torch exports backbone and head; the steps of `tasks.detection.detect` follow as ONNX operations,
among them NonMaxSuppression, which ONNX Runtime, its build for browsers and OpenVINO all run.
"""

import io
import warnings
from typing import Any

import numpy as np

from eyespot.evaluation.detection_calibration import TINY
from eyespot.features.dense import STRIDES
from eyespot.tasks.detection import detect
from eyespot.tasks.detection.detector import Detector
from eyespot.tasks.detection.engine import detector_module

OPSET = 18
INPUT = "image"
OUTPUTS = ("boxes", "labels", "scores", "shown")

STEPS = """
<ir_version: 8, opset_import: ["" : 18]>
boxes (float[1, rows, columns, classes] logits, float[1, rows, columns, 4] distances) =>
    (float[count, 4] boxes, int64[count] labels, float[count] scores, bool[count] shown)
{
    shape = Shape (logits)
    width = Gather (shape, two)
    classes = Gather (shape, three)

    flat = Reshape (logits, all)
    total = Shape (flat)
    candidates = Min (before_nms, total)
    logit, index = TopK (flat, candidates)
    score = Sigmoid (logit)
    position = Div (index, classes)
    label = Mod (index, classes)

    row = Div (position, width)
    column = Mod (position, width)
    across = Cast <to = 1> (column)
    down = Cast <to = 1> (row)
    x = Unsqueeze (across, one)
    y = Unsqueeze (down, one)
    cell = Concat <axis = 1> (x, y, x, y)
    middle = Add (cell, half)
    centre = Mul (middle, stride)
    every_distance = Reshape (distances, corners)
    distance = Gather (every_distance, position)
    signed = Mul (distance, directions)
    unbounded = Add (centre, signed)
    cells = Gather (shape, sides)
    cells_float = Cast <to = 1> (cells)
    limit = Mul (cells_float, stride)
    bounded = Max (unbounded, zero)
    box = Min (bounded, limit)

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

    kept_low, kept_high = Split <axis = 1, num_outputs = 2> (kept_box)
    low, high = Split <axis = 1, num_outputs = 2> (box)
    kept_low_rows = Unsqueeze (kept_low, one)
    kept_high_rows = Unsqueeze (kept_high, one)
    shared_low = Max (kept_low_rows, low)
    shared_high = Min (kept_high_rows, high)
    shared_difference = Sub (shared_high, shared_low)
    shared_sides = Max (shared_difference, zero)
    shared = ReduceProd <keepdims = 0> (shared_sides, two_axis)
    kept_sides = Sub (kept_high, kept_low)
    kept_area = ReduceProd <keepdims = 1> (kept_sides, one)
    box_sides = Sub (high, low)
    area = ReduceProd <keepdims = 0> (box_sides, one)
    areas = Add (kept_area, area)
    union = Sub (areas, shared)
    iou = Div (shared, union)

    far_enough = GreaterOrEqual (iou, vote)
    kept_label_rows = Unsqueeze (kept_label, one)
    same_class = Equal (kept_label_rows, label)
    sure = Greater (score, least_score)
    near_and_same = And (far_enough, same_class)
    near = And (near_and_same, sure)
    weight = Mul (iou, score)
    votes = Where (near, weight, zero)
    total_votes = ReduceSum <keepdims = 1> (votes, one)
    sum_of_boxes = MatMul (votes, box)
    voted = Div (sum_of_boxes, total_votes)

    log_odds = Clip (kept_logit, least_logit, most_logit)
    slope = Gather (slopes, kept_label)
    offset = Gather (offsets, kept_label)
    threshold = Gather (thresholds, kept_label)
    scaled = Mul (log_odds, slope)
    moved = Add (scaled, offset)
    probability = Sigmoid (moved)

    scores, order = TopK (probability, count)
    boxes = Gather (voted, order)
    labels = Gather (kept_label, order)
    ordered_threshold = Gather (threshold, order)
    shown = GreaterOrEqual (scores, ordered_threshold)
}
"""
"""`detect.detections_of`, the calibration and the thresholds, line by line. NonMaxSuppression works
by class, so the scores of other classes are zero; its choices are put back in the candidates'
order."""


def graph_of(detector: Detector) -> Any:
    """The onnx.ModelProto. Input: `image`, uint8 RGB [1, height, width, 3], whose sides are
    multiples of 32. Outputs, the highest score first, at most 300 boxes: `boxes` float32 [n, 4],
    xmin, ymin, xmax and ymax in pixels of the input; `labels` int64 [n]; `scores` float32 [n],
    calibrated; `shown` bool [n], whether the score reaches the threshold of its class."""
    from onnx import compose, numpy_helper, parser

    steps = parser.parse_model(STEPS)
    for name, values in _constants(detector).items():
        steps.graph.initializer.append(numpy_helper.from_array(values, name))
    network = _network(detector)
    names = [output.name for output in network.graph.output]
    return compose.merge_models(network, steps, list(zip(names, names, strict=True)))


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
            output_names=["logits", "distances"],
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
        "sides": np.array([2, 1, 2, 1], whole),
        "two": np.array(2, whole),
        "three": np.array(3, whole),
        "number_zero": np.array(0, whole),
        "number_one": np.array(1, whole),
        "before_nms": np.array([detect.BEFORE_NMS], whole),
        "most": np.array([detect.MOST], whole),
        "overlap": np.array([detect.OVERLAP], real),
        "least_score": np.array([detect.LEAST_SCORE], real),
        "vote": np.array(detect.VOTE, real),
        "zero": np.array(0, real),
        "half": np.array(0.5, real),
        "stride": np.array(STRIDES[0], real),
        "directions": np.array([-1, -1, 1, 1], real),
        "least_logit": np.array(-largest_logit, real),
        "most_logit": np.array(largest_logit, real),
        "slopes": detector.calibration.slopes.astype(real),
        "offsets": detector.calibration.offsets.astype(real),
        "thresholds": detector.thresholds.astype(real),
    }
