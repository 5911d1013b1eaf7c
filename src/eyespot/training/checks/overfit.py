"""Check that the network can overfit a few images; one that cannot will not train on many."""

import math
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import torch

from eyespot.errors import TrainingError
from eyespot.training.checks.check import CheckResult, plain_trainer
from eyespot.training.images import ImageSet
from eyespot.training.plan import Plan
from eyespot.training.trainer import Running

IMAGES = 20
STEPS = 200
RATE = 1e-3


@dataclass(frozen=True, slots=True)
class Overfit(CheckResult):
    """`loss`: after the last of the `steps`. `unmoved`: weights that no step has changed."""

    images: int
    correct: int
    steps: int
    loss: float
    unmoved: tuple[str, ...]

    title = "Overfitting a few images"

    @property
    def passed(self) -> bool:
        return self.correct == self.images and not self.unmoved

    @property
    def summary(self) -> str:
        still = f", {len(self.unmoved)} weights unchanged" if self.unmoved else ""
        return (
            f"{self.correct} of {self.images} images correct after {self.steps} steps, "
            f"loss {self.loss:.3f}{still}"
        )

    @property
    def advice(self) -> str:
        if self.unmoved:
            return f"No gradient reaches {self.unmoved[0]}: look for frozen or dead layers."
        return "Check the network and the images before training on more of them."


def overfit(plan: Plan, data: ImageSet) -> Overfit:
    """Train on 20 images without regularisation until all are correct, at most 200 steps.

    With Adam at a learning rate of 0.001, which suits nearly every network: another check tests
    the plan's own rate.
    """
    few = np.random.default_rng(plan.seed).permutation(len(data))[:IMAGES]
    trainer = plain_trainer(
        plan, data.take(few), batch_size=len(few), optimiser="adam", learning_rate=RATE
    )
    before = {name: p.detach().clone() for name, p in trainer.network.named_parameters()}
    loss = math.inf
    with suppress(TrainingError):  # the loss is NaN or Inf: the result so far counts
        while trainer.running.correct < len(few) and trainer.step < STEPS:
            trainer.running = Running()
            loss = trainer.train_step()
    return Overfit(
        images=len(few),
        correct=trainer.running.correct,
        steps=trainer.step,
        loss=loss,
        unmoved=tuple(
            name for name, p in trainer.network.named_parameters() if torch.equal(p, before[name])
        ),
    )
