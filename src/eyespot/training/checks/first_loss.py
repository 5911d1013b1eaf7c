"""Check the loss of a network with random weights: it should equal that of uniform predictions."""

from dataclasses import dataclass

import torch

from eyespot.training.checks.check import CheckResult, first_batch, plain_trainer
from eyespot.training.images import ImageSet
from eyespot.training.plan import Plan

IMAGES = 128
TOLERANCE = 0.2
"""Share of the expected loss; for ten classes, scores with a standard deviation of about 1."""


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
    scores = trainer.network(x)
    expected = float(trainer.loss(torch.zeros_like(scores), targets))
    return FirstLoss(float(trainer.loss(scores, targets)), expected)
