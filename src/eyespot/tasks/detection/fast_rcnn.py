"""The method "fast-rcnn": proposals, RoIs, fully connected layers; see `fast_rcnn_head`."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from eyespot.arrays import F32
from eyespot.evaluation.boxes import Detections
from eyespot.tasks.detection.detect import LEAST_SCORE, MOST, OVERLAP
from eyespot.tasks.detection.fast_rcnn_shapes import ANCHORS, shapes
from eyespot.tasks.detection.method import Plan, Trained, photos_seen, with_arrays
from eyespot.tasks.detection.nms import nms

if TYPE_CHECKING:
    from torch import nn

    from eyespot.features.backbone import Backbone
    from eyespot.tasks.detection.embed import Embedded

__all__ = ["EXACT", "WORDS", "build", "detections", "fit", "plan_for", "shapes"]

WORDS = "Fast R-CNN with an RPN on frozen maps"
EXACT = True
WIDTH = 64
BATCH = 2
"""Photos of a step, as in the paper."""
LEAST_SIDE = 1.0
"""Pixels of the shorter side of a detection."""


def plan_for(photos: int) -> Plan:
    """See `method.Method`."""
    return Plan(WIDTH, -(-photos_seen(photos) // BATCH), BATCH)


def fit(
    photos: "Sequence[Embedded]",
    backbone: "Backbone",
    classes: int,
    plan: Plan,
    progress: Callable[[int], None] = lambda done: None,
) -> Trained:
    """See `method.Method`."""
    from eyespot.tasks.detection.fast_rcnn_fit import fit_fast_rcnn

    views = [one.views for one in photos]
    return Trained(fit_fast_rcnn(views, views[0][0].channels, classes, plan, progress))


def build(
    channels: Sequence[int], classes: int, width: int, arrays: Mapping[str, F32]
) -> "nn.Module":
    """See `method.Method`."""
    import torch

    from eyespot.tasks.detection.box_coding import Normalisation
    from eyespot.tasks.detection.fast_rcnn_head import FastRCNNHead
    from eyespot.tasks.detection.trunk import Trunk

    normalisation = Normalisation(torch.zeros(4), torch.ones(4))
    anchors = torch.ones(ANCHORS, 2)
    head = FastRCNNHead(Trunk(channels, width), width, classes, anchors, normalisation)
    return with_arrays(head, arrays)


def detections(*outputs: F32) -> Detections:
    """See `method.Method`."""
    logits, boxes = outputs
    scores = np.exp(logits - logits.max(1, keepdims=True))
    scores = (scores / scores.sum(1, keepdims=True))[:, 1:]
    large = (boxes[..., 2:] - boxes[..., :2] >= LEAST_SIDE).all(-1)
    roi, label = np.nonzero((scores > LEAST_SCORE) & large)
    found = scores[roi, label]
    kept = nms(boxes[roi, label], found, label, overlap=OVERLAP)[:MOST]
    return Detections(boxes[roi, label][kept], label[kept], found[kept])
