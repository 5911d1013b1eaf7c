"""Fit a Fast R-CNN head: anchors and normalisation of the training set, then the optimiser."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from eyespot.tasks.detection.box_coding import Normalisation, encode
from eyespot.tasks.detection.embed import Example
from eyespot.tasks.detection.fast_rcnn_head import RULE, STRIDE, FastRCNNHead
from eyespot.tasks.detection.fast_rcnn_shapes import ANCHORS
from eyespot.tasks.detection.fit import RATE, optimise, statistics, tensors_by_size
from eyespot.tasks.detection.method import Plan
from eyespot.tasks.detection.rpn import RegionProposals, anchor_shapes
from eyespot.tasks.detection.sampling import FOREGROUND, match
from eyespot.tasks.detection.trunk import Trunk

MOST_ANCHORS = 20_000
"""Anchors of a training set whose corrections are averaged."""


def fit_fast_rcnn(
    photos: Sequence[Sequence[Example]],
    channels: Sequence[int],
    classes: int,
    plan: Plan,
    progress: Callable[[int], None],
) -> FastRCNNHead:
    """A head trained on the photos; see `method.Method.fit`."""
    torch.manual_seed(plan.seed)
    trunk = Trunk(channels, plan.width, *statistics(photos, len(channels)))
    shapes, normalisation = _references([views[0] for views in photos])
    head = FastRCNNHead(trunk, plan.width, classes, shapes, normalisation)
    generator = torch.Generator().manual_seed(plan.seed)

    def loss(batch: list[Example]) -> Tensor:
        losses = (
            head.loss(maps, truths, generator) * len(truths)
            for maps, truths in tensors_by_size(batch)
        )
        return sum(losses, torch.zeros(())) / len(batch)

    optimise([(head, RATE)], photos, plan, plan.steps, loss, progress)
    return head


def _references(examples: Sequence[Example]) -> tuple[Tensor, Normalisation]:
    """Shapes of the anchors [ANCHORS, 2], and the normalisation of the corrections of anchors that
    overlap objects as foreground does."""
    boxes = torch.from_numpy(np.concatenate([one.boxes[~one.ignored] for one in examples]))
    shapes = anchor_shapes(boxes, ANCHORS) if len(boxes) else torch.tensor([[64.0, 64.0]])
    shapes = shapes[torch.arange(ANCHORS) % len(shapes)]
    network = RegionProposals(1, shapes, STRIDE, hidden=1)
    corrections, count = [], 0
    for example in examples:
        truths, ignored = torch.from_numpy(example.boxes), torch.from_numpy(example.ignored)
        anchors = network.anchors(*example.size)
        matches = match(anchors, truths, ignored, RULE)
        near = matches.kind == FOREGROUND
        corrections.append(encode(truths[matches.truth[near]], anchors[near]))
        count += len(corrections[-1])
        if count > MOST_ANCHORS:
            break
    return shapes, Normalisation.of(torch.cat(corrections))
