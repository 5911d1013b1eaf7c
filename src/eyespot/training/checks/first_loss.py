"""Check the loss of a network with random weights: it should equal that of uniform predictions."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch

from eyespot.training.checks.check import CheckResult, first_batch, plain_trainer
from eyespot.training.images import ImageSet
from eyespot.training.plan import Plan

IMAGES = 128
TOLERANCE = 0.2
"""Share of the expected loss; for ten classes, scores with a standard deviation of about 1."""

UNIFORM_LOSS: dict[str, Callable[[int], float]] = {
    "cross-entropy": math.log,
    "hinge": lambda classes: classes - 1.0,
    "squares": lambda classes: 0.5 * (1 - 1 / classes),
}
"""The losses for K classes with equal scores: -log(1/K); a margin of 1 for each wrong class; and
half of (1 - 1/K)^2 + (K - 1) / K^2."""


@dataclass(frozen=True, slots=True)
class FirstLoss(CheckResult):
    """`expected`: the loss of equal scores for all classes."""

    loss: float
    expected: float

    title = "First loss"

    @property
    def passed(self) -> bool:
        return abs(self.loss - self.expected) <= TOLERANCE * self.expected

    @property
    def summary(self) -> str:
        return f"{self.loss:.3f}; equal scores give {self.expected:.3f}"

    @property
    def advice(self) -> str:
        if self.loss < self.expected:
            return "Random weights cannot beat uniform predictions: check the labels and the loss."
        return (
            "The first steps will only shrink scores that are too large: try another "
            "--initialisation, or begin with --warmup 1."
        )


@torch.no_grad()
def first_loss(plan: Plan, data: ImageSet) -> FirstLoss:
    """The loss of a network with random weights on up to 128 images."""
    trainer = plain_trainer(plan, data, batch_size=IMAGES)
    x, targets = first_batch(trainer)
    expected = UNIFORM_LOSS[plan.loss](len(data.classes))
    return FirstLoss(float(trainer.loss(trainer.network(x), targets)), expected)
