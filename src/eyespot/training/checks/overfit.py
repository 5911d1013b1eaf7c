"""Can the network learn a few pictures by heart? One that cannot will learn nothing."""

import math
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import torch

from eyespot.errors import TrainingError
from eyespot.training.checks.verdict import Verdict, chance_untouched, fresh
from eyespot.training.pictures import Pictures
from eyespot.training.plan import Plan
from eyespot.training.trainer import Running

PICTURES = 20
STEPS = 200
RATE = 1e-3


@dataclass(frozen=True, slots=True)
class Overfit(Verdict):
    """`loss`: at the last of the `steps`. `unmoved`: weights that no step has changed."""

    pictures: int
    right: int
    steps: int
    loss: float
    unmoved: tuple[str, ...]

    title = "Learning a few by heart"

    @property
    def passed(self) -> bool:
        return self.right == self.pictures and not self.unmoved

    @property
    def summary(self) -> str:
        still = f", {len(self.unmoved)} weights unmoved" if self.unmoved else ""
        return (
            f"{self.right} of {self.pictures} pictures right after {self.steps} steps, "
            f"loss {self.loss:.3f}{still}"
        )

    @property
    def advice(self) -> str:
        if self.unmoved:
            return f"No gradient reaches {self.unmoved[0]}: look for frozen or dead layers."
        return "Look at the network and the pictures before training on more of them."


@chance_untouched()
def overfit(plan: Plan, pictures: Pictures) -> Overfit:
    """Train on 20 pictures without regularisation, until all are right, for at most 200 steps.

    By Adam at a rate of 0.001, which suits nearly every network: the plan's own rate is another
    check's matter.
    """
    few = np.random.default_rng(plan.seed).permutation(len(pictures))[:PICTURES]
    trainer = fresh(
        plan, pictures.take(few), batch_size=len(few), optimiser="adam", learning_rate=RATE
    )
    before = {name: p.detach().clone() for name, p in trainer.network.named_parameters()}
    loss = math.inf
    with suppress(TrainingError):  # no finite loss: those so far are not all right
        while trainer.running.right < len(few) and trainer.step < STEPS:
            trainer.running = Running()
            loss = trainer.train_step()
    return Overfit(
        pictures=len(few),
        right=trainer.running.right,
        steps=trainer.step,
        loss=loss,
        unmoved=tuple(
            name for name, p in trainer.network.named_parameters() if torch.equal(p, before[name])
        ),
    )
