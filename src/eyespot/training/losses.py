"""Loss functions: from logits [N, K] and targets [N, K] to a scalar.

Targets are probabilities: one class, or several where labels are smoothed or images mixed.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

Loss = Callable[[Tensor, Tensor], Tensor]


def _precise(logits: Tensor) -> Tensor:
    """At least float32: sums of bfloat16 are too coarse, and the gradient check needs float64."""
    return logits.to(torch.promote_types(logits.dtype, torch.float32))


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """-sum(p log q), the mean over images. Random networks start near log(K)."""
    return F.cross_entropy(_precise(logits), targets)


def hinge(logits: Tensor, targets: Tensor) -> Tensor:
    """The multi-class SVM's: sum over wrong classes of max(0, s_j - s_y + 1), the mean over images
    (Weston and Watkins 1999). Several true classes count by their probabilities."""
    margins = (_precise(logits)[:, None, :] - _precise(logits)[:, :, None] + 1).clamp(min=0)
    wrong = margins.sum(2) - 1  # without the margin of the true class to itself
    return (targets * wrong).sum(1).mean()


def squares(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean squared error of the probabilities, half of the sum over classes."""
    return 0.5 * (torch.softmax(_precise(logits), 1) - targets).square().sum(1).mean()


LOSSES: dict[str, Loss] = {
    "cross-entropy": cross_entropy,
    "hinge": hinge,
    "squares": squares,
}


def as_targets(labels: Tensor, classes: int, smoothing: float) -> Tensor:
    """int64 [N] -> float32 [N, classes]. `smoothing`: probability that is spread over all classes
    (Szegedy et al., "Rethinking the Inception Architecture", CVPR 2016, section 7)."""
    return F.one_hot(labels, classes) * (1 - smoothing) + smoothing / classes
