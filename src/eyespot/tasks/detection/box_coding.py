"""Boxes as regression targets, and back; overlap of boxes. In torch.

Boxes: float32 [..., 4], xmin, ymin, xmax, ymax in pixels. Corrections of reference boxes
(proposals, anchors) are those of Girshick et al., "Rich feature hierarchies for accurate object
detection and semantic segmentation", CVPR 2014, appendix C; distances from points to the sides
are those of Tian et al., "FCOS: Fully Convolutional One-Stage Object Detection", ICCV 2019.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

MAX_LOG_SCALE = math.log(1000 / 16)
"""A box grows or shrinks at most so far, so that exp stays finite with untrained weights."""


def encode(boxes: Tensor, references: Tensor) -> Tensor:
    """(tx, ty, tw, th) of `boxes` [..., 4] relative to `references` [..., 4].

    tx = (Gx - Px) / Pw and tw = log(Gw / Pw) for centres x and widths w; likewise for y and h.
    Both need sides above 0.
    """
    centre, size = _centre_and_size(boxes)
    reference_centre, reference_size = _centre_and_size(references)
    shift = (centre - reference_centre) / reference_size
    return torch.cat([shift, (size / reference_size).log()], dim=-1)


def decode(corrections: Tensor, references: Tensor) -> Tensor:
    """The boxes that `encode` would give these corrections for: both [..., 4]."""
    centre, size = _centre_and_size(references)
    shift, scale = corrections[..., :2], corrections[..., 2:]
    centre = centre + shift * size
    half = size * scale.clamp(-MAX_LOG_SCALE, MAX_LOG_SCALE).exp() / 2
    return torch.cat([centre - half, centre + half], dim=-1)


def encode_distances(boxes: Tensor, points: Tensor) -> Tensor:
    """Distances (left, top, right, bottom) from `points` [..., 2] (x, y) to the sides of `boxes`
    [..., 4]; a point outside its box has one below 0 (Tian et al. 2019, equation 1)."""
    return torch.cat([points - boxes[..., :2], boxes[..., 2:] - points], dim=-1)


def decode_distances(distances: Tensor, points: Tensor) -> Tensor:
    """The boxes [..., 4] whose sides are at these distances [..., 4] from points [..., 2]."""
    return torch.cat([points - distances[..., :2], points + distances[..., 2:]], dim=-1)


def centreness(distances: Tensor) -> Tensor:
    """1 at the centre of the box, 0 at its sides: [..., 4] -> [...] (Tian et al. 2019, equation 3).

    Needs points within their boxes.
    """
    horizontal, vertical = distances[..., 0::2], distances[..., 1::2]
    ratios = horizontal.amin(-1) / horizontal.amax(-1) * vertical.amin(-1) / vertical.amax(-1)
    return ratios.sqrt()


def clip(boxes: Tensor, height: float, width: float) -> Tensor:
    """Boxes [..., 4] cut off at the sides of an image, in pixels."""
    x, y = boxes[..., 0::2].clamp(0, width), boxes[..., 1::2].clamp(0, height)
    return torch.stack([x, y], dim=-1).flatten(-2)


def iou(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union, 0..1, of each pair: [n, 4] and [m, 4] -> [n, m]."""
    left, top, right, bottom = (one[:, None] for one in a.unbind(1))  # three times as fast as
    others = b.unbind(1)  # arrays [n, m, 2]
    width = torch.minimum(right, others[2]) - torch.maximum(left, others[0])
    height = torch.minimum(bottom, others[3]) - torch.maximum(top, others[1])
    shared = width.clamp(min=0) * height.clamp(min=0)
    return shared / (_area(a)[:, None] + _area(b) - shared).clamp(min=1e-9)


def iou_of_pairs(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union, 0..1, of each box with its own: [n, 4] and [n, 4] -> [n]."""
    low, high = torch.maximum(a[:, :2], b[:, :2]), torch.minimum(a[:, 2:], b[:, 2:])
    shared = (high - low).clamp(min=0).prod(-1)
    return shared / (_area(a) + _area(b) - shared).clamp(min=1e-9)


def _area(boxes: Tensor) -> Tensor:
    return (boxes[:, 2:] - boxes[:, :2]).prod(-1)


def _centre_and_size(boxes: Tensor) -> tuple[Tensor, Tensor]:
    low, high = boxes[..., :2], boxes[..., 2:]
    return (low + high) / 2, high - low


@dataclass(frozen=True, slots=True, eq=False)
class Normalisation:
    """Zero mean and unit variance of regression targets, each of the four alone (Girshick, "Fast
    R-CNN", ICCV 2015, section 2.3). `mean`, `deviation`: float32 [4]."""

    mean: Tensor
    deviation: Tensor

    @classmethod
    def of(cls, corrections: Tensor) -> "Normalisation":
        """Of the training set's corrections [n, 4]; unchanged targets where n is below 2."""
        if len(corrections) < 2:
            return cls(torch.zeros(4), torch.ones(4))
        deviation = corrections.std(0, correction=0)
        return cls(corrections.mean(0), torch.where(deviation > 1e-6, deviation, 1.0))

    def apply(self, corrections: Tensor) -> Tensor:
        """Targets [..., 4] for corrections [..., 4]."""
        return (corrections - self.mean) / self.deviation

    def invert(self, targets: Tensor) -> Tensor:
        """Corrections [..., 4] for targets [..., 4], or for a network's outputs."""
        return targets * self.deviation + self.mean
