"""Fast R-CNN on frozen maps, with proposals of an RPN that is trained beside it.

Girshick, "Fast R-CNN", ICCV 2015: RoIs pooled to one size, fully connected layers, softmax and a
box regression for each class, with the paper's sampling, losses and normalised targets. The
proposals are those of Ren et al., "Faster R-CNN", NIPS 2015; both are trained together (section
3.2, approximate joint training). RoIAlign (He et al., ICCV 2017) replaces RoI max pooling.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eyespot.features.dense import STRIDES
from eyespot.models.roi import roi_align
from eyespot.tasks.detection.box_coding import Normalisation, decode, encode
from eyespot.tasks.detection.fast_rcnn_shapes import ANCHORS, HIDDEN, POOLED
from eyespot.tasks.detection.losses import multi_task
from eyespot.tasks.detection.rpn import RegionProposals, proposals, rpn_loss
from eyespot.tasks.detection.sampling import FAST_RCNN, FOREGROUND, draw, match
from eyespot.tasks.detection.trunk import Trunk

STRIDE = STRIDES[0]
PROPOSALS = 200
"""RoIs of a photo."""
RULE = replace(FAST_RCNN, background=(0.0, 0.5))
"""Of the paper, but with easy background, too: there are few proposals of other kinds."""


class FastRCNNHead(nn.Module):
    """Maps [N, C, h, w] at STRIDES -> logits [N, R, K + 1], boxes [N, R, K, 4] in pixels.

    R is `proposals`; class 0 is the background. Proposals that are missing have empty boxes.
    `shapes`: of the anchors, [ANCHORS, 2]. `normalisation`: of the regression targets.
    """

    target_mean: Tensor
    target_deviation: Tensor

    def __init__(
        self, trunk: Trunk, width: int, classes: int, shapes: Tensor, normalisation: Normalisation
    ) -> None:
        super().__init__()
        self.proposals = PROPOSALS
        self.trunk = trunk
        self.rpn = RegionProposals(width, shapes, STRIDE, hidden=width)
        self.fc6 = nn.Linear(width * POOLED**2, HIDDEN)
        self.fc7 = nn.Linear(HIDDEN, HIDDEN)
        self.classes = nn.Linear(HIDDEN, classes + 1)
        self.corrections = nn.Linear(HIDDEN, 4 * classes)
        for layer, deviation in ((self.classes, 0.01), (self.corrections, 0.001)):  # section 2.3
            nn.init.normal_(layer.weight, std=deviation)
            nn.init.zeros_(layer.bias)
        self.register_buffer("target_mean", normalisation.mean)
        self.register_buffer("target_deviation", normalisation.deviation)

    @property
    def normalisation(self) -> Normalisation:
        """Of the regression targets."""
        return Normalisation(self.target_mean, self.target_deviation)

    def forward(self, maps: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        trunk = self.trunk(maps)
        logits, boxes = [], []
        for number, rois in enumerate(self.propose(trunk)):
            features = self.features(trunk[number : number + 1], rois)
            logits.append(self.classes(features))
            boxes.append(self.boxes(features, rois))
        return torch.stack(logits), torch.stack(boxes)

    def propose(self, trunk: Tensor) -> list[Tensor]:
        """The proposals [R, 4] of each image."""
        return [boxes for boxes, _ in self.ranked(trunk)]

    def ranked(self, trunk: Tensor) -> list[tuple[Tensor, Tensor]]:
        """The proposals [R, 4] of each image, and their objectness [R], 0 for missing ones."""
        height, width = trunk.shape[-2:]
        anchors = self.rpn.anchors(height, width)
        grid = height, width, ANCHORS
        return [
            proposals(logits, corrections, anchors, grid, STRIDE, self.proposals)
            for logits, corrections in zip(*self.rpn(trunk), strict=True)
        ]

    def features(self, trunk: Tensor, rois: Tensor, images: Tensor | None = None) -> Tensor:
        """The outputs of fc7 [R, HIDDEN] for RoIs [R, 4]."""
        pooled = roi_align(trunk, rois, images, stride=STRIDE, size=POOLED)
        features: Tensor = F.relu(self.fc7(F.relu(self.fc6(pooled.flatten(1)))))
        return features

    def boxes(self, features: Tensor, rois: Tensor) -> Tensor:
        """RoIs [R, 4] corrected for each class: [R, K, 4]."""
        targets = self.corrections(features).unflatten(1, (-1, 4))
        return decode(self.normalisation.invert(targets), rois[:, None])

    def loss(
        self,
        maps: Sequence[Tensor],
        truths: Sequence[tuple[Tensor, Tensor, Tensor]],
        generator: torch.Generator,
    ) -> Tensor:
        """Of a batch: that of the RPN and that of the sampled RoIs, each the mean over its samples.

        `truths`: boxes [m, 4] in pixels of the input, labels int64 [m] and ignored bool [m].
        """
        trunk: Tensor = self.trunk(maps)
        height, width = trunk.shape[-2:]
        anchors, size = self.rpn.anchors(height, width), (STRIDE * height, STRIDE * width)
        grid = height, width, ANCHORS
        proposing = trunk.new_zeros(())
        rois, images, kinds, targets = [], [], [], []
        each = enumerate(zip(*self.rpn(trunk), truths, strict=True))
        for number, (logits, corrections, (boxes, labels, ignored)) in each:
            proposing = proposing + rpn_loss(
                logits, corrections, anchors, boxes, ignored, size, generator
            )
            with torch.no_grad():
                found, scores = proposals(
                    logits, corrections, anchors, grid, STRIDE, self.proposals
                )
                # The paper's program adds the objects' own boxes.
                found = torch.cat([found[scores > 0], boxes[~ignored]])
                matches = match(found, boxes, ignored, RULE)
                chosen = draw(matches, RULE, generator)
                own, kind = matches.truth[chosen], matches.kind[chosen]
                some = found[chosen]
                target = some.new_zeros(len(some), 4)
                is_object = kind == FOREGROUND
                target[is_object] = self.normalisation.apply(
                    encode(boxes[own[is_object]], some[is_object])
                )
                classes = torch.zeros_like(kind)
                classes[is_object] = labels[own[is_object]] + 1
            rois.append(some)
            images.append(torch.full_like(kind, number))
            kinds.append(classes)
            targets.append(target)
        features = self.features(trunk, torch.cat(rois), torch.cat(images))
        found = self.corrections(features).unflatten(1, (-1, 4))
        classifying = multi_task(
            self.classes(features), found, torch.cat(kinds), torch.cat(targets)
        )
        return proposing / len(truths) + classifying
