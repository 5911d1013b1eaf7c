"""A dense, anchor-free head on frozen maps: at each position, classes and distances to the sides.

Tian et al., "FCOS: Fully Convolutional One-Stage Object Detection", ICCV 2019, at one stride of 8
pixels, where the maps of three strides are added (Lin et al., "Feature Pyramid Networks for Object
Detection", CVPR 2017, section 3). In place of centreness, the class score itself is trained to be
the overlap of the box: the quality focal loss of Li et al., "Generalized Focal Loss", NeurIPS 2020,
section 3.1.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eyespot.features.dense import STRIDES
from eyespot.tasks.detection.box_coding import decode_distances, iou_of_pairs
from eyespot.tasks.detection.losses import generalised_iou
from eyespot.tasks.detection.trunk import Trunk, group_norm

STRIDE = STRIDES[0]
RADIUS = 1.5
"""Positions nearer to an object's centre than so many strides are its foreground (Tian et al.,
"FCOS: A Simple and Strong Anchor-Free Object Detector", TPAMI 2020, section 3.2)."""
LARGEST = 6.0
"""Logarithm of the largest distance, in strides, that the head gives: 3,227 pixels."""
PRIOR = 0.01
"""Score of every position and class before training (Lin et al., ICCV 2017, section 3.3)."""
SHARE = 0.2
"""Of a side: in large objects, positions so near to the centre are foreground, too."""
EQUAL = 9
"""Positions that each object counts for: those of a small one."""
BOX_WEIGHT = 1.0
"""Of the loss of boxes beside that of classes."""


class Block(nn.Module):
    """A depthwise convolution, which sees far at little cost, and a pointwise one, added to what
    comes in (Chollet, "Xception", CVPR 2017, section 3)."""

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(width, width, kernel, padding=kernel // 2, groups=width, bias=False),
            group_norm(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 1, bias=False),
            group_norm(width),
            nn.ReLU(),
        )

    def forward(self, values: Tensor) -> Tensor:
        added: Tensor = self.layers(values)
        return values + added


class DenseHead(nn.Module):
    """Maps [N, C, h, w] at STRIDES -> logits [N, h, w, K], distances [N, h, w, 4] in pixels.

    `mean`, `deviation`: of each channel over the training photos, one tensor [C] a map.
    """

    def __init__(
        self,
        channels: Sequence[int],
        classes: int,
        width: int,
        mean: Sequence[Tensor] | None = None,
        deviation: Sequence[Tensor] | None = None,
    ) -> None:
        super().__init__()
        self.trunk = Trunk(channels, width, mean, deviation)
        self.shared = Block(width, 5)
        self.class_tower = Block(width, 5)
        self.box_tower = nn.Sequential(Block(width, 5), Block(width, 7))
        self.classes = nn.Conv2d(width, classes, 1)
        self.distances = nn.Conv2d(width, 4, 1)
        for layer in (self.classes, self.distances):
            nn.init.normal_(layer.weight, std=0.01)
        assert self.classes.bias is not None
        assert self.distances.bias is not None
        nn.init.constant_(self.classes.bias, -torch.tensor((1 - PRIOR) / PRIOR).log().item())
        nn.init.constant_(self.distances.bias, 1.5)  # boxes of 70 pixels

    def forward(self, maps: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        x = self.shared(self.trunk(maps))
        logits = self.classes(self.class_tower(x)).permute(0, 2, 3, 1)
        steps = self.distances(self.box_tower(x)).clamp(max=LARGEST).exp()
        return logits, STRIDE * steps.permute(0, 2, 3, 1)


def points(height: int, width: int) -> Tensor:
    """The centres (x, y) in pixels of the positions of maps: float32 [height, width, 2]."""
    y = STRIDE * (torch.arange(height) + 0.5)
    x = STRIDE * (torch.arange(width) + 0.5)
    down, across = torch.meshgrid(y, x, indexing="ij")
    return torch.stack([across, down], dim=-1)


def assign(positions: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
    """The foreground of boxes [m, 4] among positions [P, 2]: their indices [f], and the box of each
    [f].

    Foreground are the positions within RADIUS strides, or SHARE of the sides, of a centre and
    within the box, and the one nearest to the centre of each box; of several boxes, the smallest
    counts.
    """
    centres, sides = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    steps = (positions[:, None] - centres).abs()
    reach = (SHARE * sides).clamp(min=RADIUS * STRIDE)
    near = (steps < torch.minimum(sides / 2, reach)).all(-1)
    near[steps.sum(-1).argmin(0), torch.arange(len(boxes))] = True
    areas = sides.prod(-1).expand(near.shape).masked_fill(~near, torch.inf)
    smallest, box = areas.min(1)
    index = smallest.isfinite().nonzero()[:, 0]
    return index, box[index]


def dense_loss(
    logits: Tensor, distances: Tensor, boxes: Tensor, labels: Tensor, ignored: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Of one photo: the sums of the losses of classes and of boxes, and what they are divided by.

    `logits` [h, w, K], `distances` [h, w, 4], `boxes` [m, 4] in pixels of the input, `labels`
    int64 [m], `ignored` bool [m]: positions within ignored boxes are no background.
    """
    positions = points(*logits.shape[:2]).reshape(-1, 2)
    logits, distances = logits.flatten(0, 1), distances.flatten(0, 1)
    counted = ~ignored
    low, high = boxes[ignored][:, :2], boxes[ignored][:, 2:]
    within = ((positions[:, None] > low) & (positions[:, None] < high)).all(-1)
    counts_for = (~within.any(1)).float()
    targets = torch.zeros_like(logits)
    place = quality = logits.new_zeros(())
    if counted.any():
        true, own = boxes[counted], labels[counted]
        index, box = assign(positions, true)
        found = decode_distances(distances[index], positions[index])
        overlap = iou_of_pairs(found.detach(), true[box])
        targets[index, own[box]] = overlap
        # Large objects have more foreground, and count no more than small ones.
        equal = EQUAL / torch.bincount(box, minlength=len(true))[box]
        counts_for[index] = equal
        weights = equal * overlap.clamp(min=0.05)
        place, quality = (generalised_iou(found, true[box]) * weights).sum(), weights.sum()
    # Quality focal loss: |target - p|^2 times the cross-entropy (equation 3).
    wrong = (targets - logits.sigmoid()).detach().abs() ** 2
    entropy = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    scores = ((wrong * entropy).sum(1) * counts_for).sum()
    return scores, place, quality
