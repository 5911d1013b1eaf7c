"""Losses of detectors: of Fast R-CNN and its heads, of the RPN, and of dense heads such as FCOS."""

import torch
import torch.nn.functional as F
from torch import Tensor


def smooth_l1(difference: Tensor) -> Tensor:
    """0.5 x^2 within 1 and |x| - 0.5 beyond, of each element (Girshick, "Fast R-CNN", ICCV 2015,
    equation 3)."""
    return F.smooth_l1_loss(difference, torch.zeros_like(difference), reduction="none")


def multi_task(
    logits: Tensor, corrections: Tensor, classes: Tensor, targets: Tensor, weight: float = 1.0
) -> Tensor:
    """L_cls + weight [u >= 1] L_loc, the mean over RoIs (Girshick 2015, equation 1).

    `logits` [R, K + 1], class 0 the background; `corrections` [R, K, 4]; `classes` u, int64 [R];
    `targets` [R, 4], which background does not read. The paper sets `weight` to 1 for targets of
    unit variance.
    """
    foreground = (classes > 0).nonzero()[:, 0]
    own = corrections[foreground, classes[foreground] - 1]  # of the true class alone
    place = smooth_l1(own - targets[foreground]).sum() / max(len(classes), 1)
    return F.cross_entropy(logits, classes, reduction="sum") / max(len(classes), 1) + weight * place


def focal(logits: Tensor, targets: Tensor, alpha: float = 0.25, gamma: float = 2.0) -> Tensor:
    """Binary cross-entropy in which easy examples count little: the same shape as `logits`.

    -alpha_t (1 - p_t)^gamma log(p_t): Lin et al., "Focal Loss for Dense Object Detection", ICCV
    2017, equation 5. `targets`: 0 or 1. Divide the sum by the number of foreground positions.
    """
    entropy = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    wrong = torch.where(targets > 0.5, 1 - logits.sigmoid(), logits.sigmoid())
    return torch.where(targets > 0.5, alpha, 1 - alpha) * wrong**gamma * entropy


def generalised_iou(boxes: Tensor, targets: Tensor) -> Tensor:
    """1 - GIoU of pairs of boxes, 0..2: [n, 4] and [n, 4] -> [n].

    Rezatofighi et al., "Generalized Intersection over Union", CVPR 2019, algorithm 1: unlike the
    IoU, it has a gradient where boxes do not overlap.
    """
    shared = _area(torch.maximum(boxes, targets), torch.minimum(boxes, targets))
    hull = _area(torch.minimum(boxes, targets), torch.maximum(boxes, targets)).clamp(min=1e-7)
    union = (_area(boxes, boxes) + _area(targets, targets) - shared).clamp(min=1e-7)
    return 1 - shared / union + (hull - union) / hull


def _area(low: Tensor, high: Tensor) -> Tensor:
    """Between the first corners of `low` and the second of `high`; 0 where those cross."""
    return (high[:, 2:] - low[:, :2]).clamp(min=0).prod(-1)
