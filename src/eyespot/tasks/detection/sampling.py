"""Which boxes a step trains on: match references to the truth, and draw a mini-batch.

Girshick, "Fast R-CNN", ICCV 2015, section 2.3; for anchors Ren et al., "Faster R-CNN", NIPS 2015,
section 3.1.2. References are proposals or anchors.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from eyespot.tasks.detection.box_coding import iou

FOREGROUND, BACKGROUND = 1, 0
UNUSED = -1
"""A reference that is neither: too near to an object for background, too far for foreground."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a mini-batch is drawn by. Overlaps are intersections over union.

    `foreground`: the least overlap of a foreground reference. `background`: the least, and the
    first overlap too large, of background. `count`: references of an image. `share`: the largest
    share of foreground. `force`: the references that overlap an object most are foreground,
    whatever their overlap.
    """

    foreground: float
    background: tuple[float, float]
    count: int
    share: float
    force: bool = False


FAST_RCNN = Rule(foreground=0.5, background=(0.1, 0.5), count=64, share=0.25)
"""64 RoIs from each of two images; the paper's program adds the objects' own boxes to proposals.
The lower bound leaves hard background alone, so none in photos without objects: with few proposals,
0 is the better bound."""
RPN = Rule(foreground=0.7, background=(0.0, 0.3), count=256, share=0.5, force=True)


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """Of each reference: `kind` int64 [n] (FOREGROUND, BACKGROUND, UNUSED), and `truth` int64 [n],
    the index of the object that it overlaps most (0 where there are no objects)."""

    kind: Tensor
    truth: Tensor


def match(references: Tensor, boxes: Tensor, ignored: Tensor, rule: Rule) -> Matches:
    """Match references [n, 4] to the objects' boxes [m, 4] of one image.

    `ignored`: bool [m], objects that are neither foreground nor background: a reference that
    overlaps one too much for background is unused, unless another object makes it foreground.
    """
    count = len(references)
    kind = references.new_full((count,), UNUSED, dtype=torch.int64)
    overlaps = iou(references, boxes).masked_fill(ignored, 0)
    best, truth = _best(overlaps)
    least, most = rule.background
    kind[(best >= least) & (best < most)] = BACKGROUND
    near_ignored, _ = _best(iou(references, boxes[ignored]))
    kind[near_ignored >= most] = UNUSED
    kind[best >= rule.foreground] = FOREGROUND
    if rule.force and count and len(boxes):
        nearest = overlaps.amax(0)
        reference, box = ((overlaps == nearest) & (nearest > 0)).nonzero(as_tuple=True)
        kind[reference] = FOREGROUND
        truth[reference] = box
    return Matches(kind, truth)


def _best(overlaps: Tensor) -> tuple[Tensor, Tensor]:
    """The largest of each row of [n, m], and its column; zeros where m is 0."""
    if not overlaps.shape[1]:
        zeros = overlaps.new_zeros(len(overlaps))
        return zeros, zeros.long()
    best, column = overlaps.max(1)
    return best, column


def draw(matches: Matches, rule: Rule, generator: torch.Generator) -> Tensor:
    """Indices of at most `rule.count` references, foreground first, without repetition.

    Where foreground is rare, background fills its places; where background is rare, there are
    fewer.
    """
    foreground = _some(matches.kind == FOREGROUND, round(rule.count * rule.share), generator)
    rest = rule.count - len(foreground)
    return torch.cat([foreground, _some(matches.kind == BACKGROUND, rest, generator)])


def _some(which: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """Indices of at most `most` true entries, uniformly drawn."""
    indices = which.nonzero()[:, 0]
    return indices[torch.randperm(len(indices), generator=generator)[:most]]
