"""What chance gets: the best of many linear classifiers with random weights.

The floor under every network: "Random search" in Karpathy's notes for CS231n, "Optimization", which
reach 15.5 % on CIFAR-10 with a thousand draws.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from eyespot.evaluation import percent
from eyespot.training.checks.verdict import Verdict, chance_untouched
from eyespot.training.losses import LOSSES, as_targets
from eyespot.training.pictures import Pictures
from eyespot.training.plan import Plan

DRAWS, AT_ONCE = 1000, 20
DEVIATION = 1e-4
SIDE = 32
"""Larger pictures are averaged down to it."""
SCORES = 50_000_000
"""How many are computed: a thousand draws for ten classes leave 5,000 pictures."""


@dataclass(frozen=True, slots=True)
class RandomSearch(Verdict):
    """`loss`: the least, on the pictures that are learnt from. `accuracy`: of that draw, on others;
    None without any. `classes`: how many."""

    draws: int
    loss: float
    accuracy: float | None
    classes: int

    title = "Floor"

    @property
    def passed(self) -> bool:
        """Always: it is a figure to compare with."""
        return True

    @property
    def summary(self) -> str:
        if self.accuracy is None:
            return "unknown: there are no held-out pictures"
        return (
            f"{percent(self.accuracy)} right, with the best of {self.draws:,} random linear "
            f"classifiers; guessing gets {percent(1 / self.classes)}"
        )

    @property
    def advice(self) -> str:
        return ""


@chance_untouched()
@torch.no_grad()
def random_search(plan: Plan, learn: Pictures, held_out: Pictures | None) -> RandomSearch:
    """Draw weights from N(0, 1) * 1e-4 a thousand times; keep those with the least loss.

    On pixels of 0..255 less the mean picture, and a one for the bias.
    """
    generator = torch.Generator().manual_seed(plan.seed)
    classes = len(learn.classes)
    count = min(len(learn), max(100, SCORES // (DRAWS * classes)))
    order = torch.randperm(len(learn), generator=generator)[:count].numpy()
    pixels = _pixels(learn.take(order))
    mean = pixels.mean(0)
    x = _with_one(pixels - mean)
    targets = as_targets(torch.from_numpy(learn.labels[order]), classes, 0.0)
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
        answers = (_with_one(_pixels(held_out) - mean) @ best.T).argmax(1)
        accuracy = float((answers == torch.from_numpy(held_out.labels)).double().mean())
    return RandomSearch(DRAWS, least, accuracy, classes)


def _pixels(pictures: Pictures) -> Tensor:
    """float32 [N, D]."""
    images = torch.from_numpy(pictures.images).permute(0, 3, 1, 2).float()
    if images.shape[2] > SIDE:
        images = F.adaptive_avg_pool2d(images, SIDE)
    return images.flatten(1)


def _with_one(pixels: Tensor) -> Tensor:
    return torch.cat([pixels, torch.ones(len(pixels), 1)], 1)
