"""Random baseline: the best of many linear classifiers with random weights.

"Random search" in Karpathy's notes for CS231n, "Optimization", which reach 15.5% on CIFAR-10 with a
thousand draws.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from eyespot.evaluation import percent
from eyespot.training.checks.check import CheckResult
from eyespot.training.images import ImageSet
from eyespot.training.losses import LOSSES, as_targets
from eyespot.training.plan import Plan

DRAWS, AT_ONCE = 1000, 20
DEVIATION = 1e-4
SIDE = 32
"""Larger images are averaged down to it."""
SCORES = 50_000_000
"""How many are computed: a thousand draws for ten classes use 5,000 images."""


@dataclass(frozen=True, slots=True)
class RandomSearch(CheckResult):
    """`loss`: the least, on training images. `accuracy`: of that draw, on held-out images; None
    without any. `classes`: their number."""

    draws: int
    loss: float
    accuracy: float | None
    classes: int

    title = "Random baseline"

    @property
    def summary(self) -> str:
        if self.accuracy is None:
            return "unknown: there are no held-out images"
        return (
            f"accuracy {percent(self.accuracy)} with the best of {self.draws:,} random linear "
            f"classifiers; uniform predictions reach {percent(1 / self.classes)}"
        )


@torch.no_grad()
def random_search(plan: Plan, train_set: ImageSet, held_out: ImageSet | None) -> RandomSearch:
    """Draw weights from N(0, 1) * 1e-4 a thousand times; keep those with the least loss.

    On pixels of 0..255 minus the mean image, with a 1 for the bias.
    """
    generator = torch.Generator().manual_seed(plan.seed)
    classes = len(train_set.classes)
    count = min(len(train_set), max(100, SCORES // (DRAWS * classes)))
    order = torch.randperm(len(train_set), generator=generator)[:count].numpy()
    pixels = _pixels(train_set.take(order))
    mean = pixels.mean(0)
    x = _with_one(pixels - mean)
    targets = as_targets(torch.from_numpy(train_set.labels[order]), classes, 0.0)
    least, best = float("inf"), torch.empty(0)
    for _ in range(DRAWS // AT_ONCE):
        weights = DEVIATION * torch.randn(AT_ONCE, classes, x.shape[1], generator=generator)
        scores = (x @ weights.flatten(0, 1).T).view(-1, AT_ONCE, classes)
        for draw in range(AT_ONCE):
            loss = float(LOSSES[plan.loss](scores[:, draw], targets))
            if loss < least:
                least, best = loss, weights[draw].clone()
    accuracy = None
    if held_out is not None:
        predicted = (_with_one(_pixels(held_out) - mean) @ best.T).argmax(1)
        accuracy = float((predicted == torch.from_numpy(held_out.labels)).double().mean())
    return RandomSearch(DRAWS, least, accuracy, classes)


def _pixels(data: ImageSet) -> Tensor:
    """float32 [N, D]."""
    images = torch.from_numpy(data.images).permute(0, 3, 1, 2).float()
    if images.shape[2] > SIDE:
        images = F.adaptive_avg_pool2d(images, SIDE)
    return images.flatten(1)


def _with_one(pixels: Tensor) -> Tensor:
    return torch.cat([pixels, torch.ones(len(pixels), 1)], 1)
