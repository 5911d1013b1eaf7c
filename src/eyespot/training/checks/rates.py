"""Learning rate range test.

Smith, "Cyclical Learning Rates for Training Neural Networks", WACV 2017, section 3.3: train with a
rising rate. Here it rises exponentially, so that every power of ten gets the same number of steps.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from eyespot.errors import TrainingError
from eyespot.training.checks.check import CheckResult
from eyespot.training.images import ImageSet
from eyespot.training.plan import Plan
from eyespot.training.trainer import Trainer

LOWEST, HIGHEST, STEPS = 1e-4, 10.0, 100
IMAGES = 64
"""In a batch at most; larger batches allow the same rates or higher."""
SMOOTHING = 0.8
"""Decay of the running mean of the losses."""
WORSE = 2.0
"""Times the best loss, at which the test ends."""
NEAR = 5
"""Rates to either side between which a slope is measured; more reduce noise."""
FALL = 0.02
"""Share by which the loss must fall at some rate."""
TOO_SMALL = 0.01
"""Times the suggested rate, below which training is too slow."""


@dataclass(frozen=True, slots=True)
class Rates(CheckResult):
    """`losses`: smoothed, one for each of `rates`."""

    planned: float
    rates: tuple[float, ...]
    losses: tuple[float, ...]

    title = "Learning rate"

    @property
    def suggested(self) -> float:
        """Where the loss falls fastest before its minimum (`steep` of `lr_find`: Howard and Gugger,
        "fastai: A Layered API for Deep Learning", 2020)."""
        turn = int(np.argmin(self.losses))
        # Rates near the minimum are left out, because the loss soon rises there.
        tried = range(max(1, turn - NEAR + 1))
        ends = [(max(0, n - NEAR), min(turn, n + NEAR)) for n in tried]
        slopes = [self.losses[right] - self.losses[left] for left, right in ends]
        return self.rates[int(np.argmin(slopes))]

    @property
    def limit(self) -> float:
        """The lowest rate beyond the minimum at which the loss is worse than at the start."""
        turn = int(np.argmin(self.losses))
        tried = zip(self.rates[turn:], self.losses[turn:], strict=True)
        return next((rate for rate, loss in tried if loss > self.losses[0]), self.rates[-1])

    @property
    def falls(self) -> bool:
        return min(self.losses) < (1 - FALL) * self.losses[0]

    @property
    def passed(self) -> bool:
        return self.falls and TOO_SMALL * self.suggested <= self.planned <= self.limit

    @property
    def summary(self) -> str:
        if not self.falls:
            return f"the loss falls at no rate up to {self.rates[-1]:.2g}"
        seen = self.rates[-1] < HIGHEST or max(self.losses) > self.losses[0]
        limit = f"{self.limit:.2g} is the limit" if seen else f"there is no limit up to {HIGHEST:g}"
        return (
            f"the plan has {self.planned:.2g}; the loss falls fastest at {self.suggested:.2g}, and "
            f"{limit}"
        )

    @property
    def advice(self) -> str:
        if not self.falls:
            return "The network does not train: fix the other checks first."
        return f"Try --learning-rate {self.suggested:.2g}."


def rates(plan: Plan, data: ImageSet) -> Rates:
    """Train by the plan for 100 steps at rates from 0.0001 to 10, or until the loss is twice the
    best."""
    size = min(plan.batch_size, IMAGES)
    steady = replace(
        plan, schedule="constant", warmup=0.0, average=0.0, batch_size=size, accumulate=1
    )
    trainer = Trainer(steady, data)
    tried: list[float] = []
    losses: list[float] = []
    mean = 0.0
    for rate in np.geomspace(LOWEST, HIGHEST, STEPS).tolist():
        trainer.plan = replace(trainer.plan, learning_rate=rate)
        try:
            loss = trainer.train_step()
        except TrainingError:  # the loss is NaN or Inf: the rate is far too high
            break
        mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
        tried.append(rate)
        # Corrects the bias of the first steps, as Adam does.
        losses.append(mean / (1 - SMOOTHING ** len(tried)))
        if losses[-1] > WORSE * min(losses):
            break
    if not tried:  # not even the first loss is finite
        tried, losses = [LOWEST], [math.inf]
    return Rates(plan.learning_rate, tuple(tried), tuple(losses))
