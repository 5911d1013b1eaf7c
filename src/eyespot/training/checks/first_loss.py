"""Does a fresh network guess, as one that knows nothing should?"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch

from eyespot.training.checks.verdict import Verdict, chance_untouched, first_batch, fresh
from eyespot.training.pictures import Pictures
from eyespot.training.plan import Plan

PICTURES = 128
TOLERANCE = 0.2
"""Share of the expected loss; for ten classes, scores that differ by a deviation of about 1."""

OF_CHANCE: dict[str, Callable[[int], float]] = {
    "cross-entropy": math.log,
    "hinge": lambda classes: classes - 1.0,
    "squares": lambda classes: 0.5 * (1 - 1 / classes),
}
"""The losses for K classes with equal scores: -log(1/K); a margin of 1 for each wrong class; and
half of (1 - 1/K)^2 + (K - 1) / K^2."""


@dataclass(frozen=True, slots=True)
class FirstLoss(Verdict):
    """`expected`: of equal scores for all classes."""

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
            return "A fresh network cannot know more than chance: look at the labels and the loss."
        return (
            "The first steps will only shrink scores that are too large: try another "
            "--initialisation, or begin with --warmup 1."
        )


@chance_untouched()
@torch.no_grad()
def first_loss(plan: Plan, pictures: Pictures) -> FirstLoss:
    """The loss of a fresh network on up to 128 pictures."""
    trainer = fresh(plan, pictures, batch_size=PICTURES)
    x, targets = first_batch(trainer)
    expected = OF_CHANCE[plan.loss](len(pictures.classes))
    return FirstLoss(float(trainer.loss(trainer.network(x), targets)), expected)
