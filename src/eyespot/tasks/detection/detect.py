"""From the outputs of a head to detections: best scores, boxes, non-maximum suppression."""

import numpy as np

from eyespot.arrays import F32, I64
from eyespot.evaluation.boxes import Detections, iou
from eyespot.features.dense import STRIDES
from eyespot.tasks.detection.nms import nms

LEAST_SCORE = 0.02
"""Of a detection, before calibration."""
BEFORE_NMS = 1000
MOST = 300
"""Detections of a photo."""
OVERLAP = 0.5
"""Intersection over union above which a detection of lower score is dropped."""
VOTE = 0.8
"""Intersection over union from which dropped detections of the class move the kept box."""


def detections_of(logits: F32, distances: F32) -> Detections:
    """Detections in pixels of the input, the highest score first: the `candidates_of` that
    non-maximum suppression keeps, moved by box voting."""
    found = candidates_of(logits, distances)
    kept = nms(found.boxes, found.scores, found.labels, overlap=OVERLAP)[:MOST]
    voted = _voted(found.boxes, found.scores, found.labels, kept)
    return Detections(voted, found.labels[kept], found.scores[kept])


def candidates_of(logits: F32, distances: F32) -> Detections:
    """The boxes of all positions and classes above LEAST_SCORE, at most BEFORE_NMS, in pixels of
    the input, the highest score first.

    `logits` [h, w, K] and `distances` [h, w, 4] as of `DenseHead`.
    """
    height, width, classes = logits.shape
    scores = 1 / (1 + np.exp(-logits.reshape(-1).astype(np.float64)))
    candidates = np.flatnonzero(scores > LEAST_SCORE)
    candidates = candidates[np.argsort(-scores[candidates], kind="stable")[:BEFORE_NMS]]
    position, label = np.divmod(candidates, classes)
    stride = STRIDES[0]
    row, column = np.divmod(position, width)
    x, y = stride * (column + 0.5), stride * (row + 0.5)
    left, top, right, bottom = distances.reshape(-1, 4)[position].T
    boxes = np.stack([x - left, y - top, x + right, y + bottom], axis=1)
    limit = np.array([width, height, width, height]) * stride
    boxes = np.clip(boxes, 0, limit).astype(np.float32)
    return Detections(boxes, label.astype(np.int64), scores[candidates].astype(np.float32))


def _voted(boxes: F32, scores: F32, labels: I64, kept: I64) -> F32:
    """The kept boxes, each the mean of those of its class that overlap it, weighted by score and
    overlap (Gidaris and Komodakis, "Object detection via a multi-region and semantic
    segmentation-aware CNN model", ICCV 2015, section 4.3)."""
    overlap = iou(boxes[kept], boxes)
    near = (overlap >= VOTE) & (labels[kept][:, None] == labels)
    weights = np.where(near, overlap * scores, 0)
    return np.asarray((weights @ boxes) / weights.sum(1, keepdims=True), np.float32)
