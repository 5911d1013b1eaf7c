"""The dense head in the graph of a detector: `tasks.detection.detect`, line by line."""

from typing import Any

import numpy as np

from eyespot.export.detection.steps import Steps
from eyespot.features.dense import STRIDES
from eyespot.tasks.detection import detect

CANDIDATES = """
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
"""
VOTING = """
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
    placed = Div (sum_of_boxes, total_votes)
"""


def _constants() -> dict[str, Any]:
    whole, real = np.int64, np.float32
    return {
        "sides": np.array([2, 1, 2, 1], whole),
        "three": np.array(3, whole),
        "before_nms": np.array([detect.BEFORE_NMS], whole),
        "vote": np.array(detect.VOTE, real),
        "half": np.array(0.5, real),
        "stride": np.array(STRIDES[0], real),
        "directions": np.array([-1, -1, 1, 1], real),
    }


DENSE = Steps(
    {
        "logits": "float[1, rows, columns, classes]",
        "distances": "float[1, rows, columns, 4]",
    },
    CANDIDATES,
    VOTING,
    _constants,
)
