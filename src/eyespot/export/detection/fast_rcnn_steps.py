"""Fast R-CNN in the graph of a detector: `tasks.detection.fast_rcnn.detections`, line by line.

Anchors, proposals and their suppression, RoIAlign and the corrections of each class are arrays of
fixed sizes in torch, and part of the network.
"""

from typing import Any

import numpy as np

from eyespot.export.detection.steps import Steps
from eyespot.tasks.detection import fast_rcnn

CANDIDATES = """
    shares = Softmax <axis = 2> (logits)
    objects = Slice (shares, one, end, two_axis)
    shape = Shape (objects)
    classes = Gather (shape, two)

    every_box = Reshape (corrected, corners)
    lows, highs = Split <axis = 1, num_outputs = 2> (every_box)
    every_side = Sub (highs, lows)
    shorter = ReduceMin <keepdims = 0> (every_side, one)
    large = GreaterOrEqual (shorter, least_side)
    every_score = Reshape (objects, all)
    possible = Where (large, every_score, zero)

    total = Shape (possible)
    score, index = TopK (possible, total)
    box = Gather (every_box, index)
    label = Mod (index, classes)
    rest = Sub (certain, score)
    odds = Div (score, rest)
    logit = Log (odds)
"""


def _constants() -> dict[str, Any]:
    whole, real = np.int64, np.float32
    return {
        "end": np.array([np.iinfo(whole).max], whole),
        "least_side": np.array(fast_rcnn.LEAST_SIDE, real),
        "certain": np.array(1, real),
    }


FAST_RCNN = Steps(
    {"logits": "float[1, rois, outputs]", "corrected": "float[1, rois, classes, 4]"},
    CANDIDATES,
    "    placed = Identity (kept_box)\n",
    _constants,
)
