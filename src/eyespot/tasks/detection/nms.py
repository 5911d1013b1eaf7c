"""Non-maximum suppression: of boxes that overlap, the one with the highest score. NumPy alone."""

import numpy as np

from eyespot.arrays import F32, I64


def nms(boxes: F32, scores: F32, labels: I64 | None = None, *, overlap: float = 0.5) -> I64:
    """Indices of the boxes that are kept, the highest score first; of equal scores, the first.

    `boxes` [n, 4] (xmin, ymin, xmax, ymax), `scores` [n] finite, `labels` [n]: boxes of different
    classes do not suppress each other (None: all are of one class). A box is dropped where its
    intersection over union with a kept one is above `overlap`.
    """
    order = np.argsort(-scores, kind="stable")
    corners = boxes[order].astype(np.float64)
    if labels is not None and len(boxes):
        # Classes apart from each other on one plane, so that one pass serves all.
        _, number = np.unique(labels[order], return_inverse=True)
        corners += (number * (np.ptp(corners) + 1))[:, None]
    left, top, right, bottom = corners.T
    areas = (right - left) * (bottom - top)
    kept = []
    rest = np.arange(len(order))
    while len(rest):
        first, rest = rest[0], rest[1:]
        kept.append(first)
        width = np.minimum(right[first], right[rest]) - np.maximum(left[first], left[rest])
        height = np.minimum(bottom[first], bottom[rest]) - np.maximum(top[first], top[rest])
        shared = width.clip(min=0) * height.clip(min=0)
        rest = rest[shared <= overlap * (areas[first] + areas[rest] - shared)]
    return order[np.array(kept, np.int64)]
