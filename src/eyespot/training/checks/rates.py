"""The learning rate range test: which rates does this network take?

Smith, "Cyclical Learning Rates for Training Neural Networks", WACV 2017, section 3.3: train for a
while as the rate rises. Here it rises exponentially, so that every power of ten gets as many steps.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from eyespot.errors import TrainingError
from eyespot.training.checks.verdict import Verdict, chance_untouched
from eyespot.training.pictures import Pictures
from eyespot.training.plan import Plan
from eyespot.training.trainer import Trainer

LOWEST, HIGHEST, STEPS = 1e-4, 10.0, 100
PICTURES = 64
"""In a batch at most; larger ones take rates as high or higher."""
SMOOTHING = 0.8
"""What the running mean of the losses keeps at each step."""
WORSE = 2.0
"""Times the best loss, at which the test has seen enough."""
NEAR = 5
"""Rates to either side between which a slope is taken: noise is less over a longer way."""
FALL = 0.02
"""Share of the loss that must be gained at some rate."""
TOO_SMALL = 0.01
"""Times the suggested rate, below which training takes needlessly long."""


@dataclass(frozen=True, slots=True)
class Rates(Verdict):
    """`losses`: smoothed, one for each of `rates`."""

    planned: float
    rates: tuple[float, ...]
    losses: tuple[float, ...]

    title = "Learning rate"

    @property
    def turning(self) -> float:
        """The rate at which the loss is least."""
        return self.rates[int(np.argmin(self.losses))]

    @property
    def suggested(self) -> float:
        """Where the loss falls fastest, on the way to its least (as `steep` of `lr_find`: Howard
        and Gugger, "fastai: A Layered API for Deep Learning", 2020)."""
        turn = int(np.argmin(self.losses))
        # Up to a little before the least: there it is already about to rise.
        tried = range(max(1, turn - NEAR + 1))
        ends = [(max(0, n - NEAR), min(turn, n + NEAR)) for n in tried]
        slopes = [self.losses[right] - self.losses[left] for left, right in ends]
        return self.rates[int(np.argmin(slopes))]

    @property
    def limit(self) -> float:
        """The rate at which the loss is worse than at the start: what was learnt is lost."""
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
        limit = f"{self.limit:.2g} is the limit" if seen else f"no limit shows up to {HIGHEST:g}"
        return (
            f"{self.planned:.2g} is planned; the loss falls fastest at {self.suggested:.2g}, and "
            f"{limit}"
        )

    @property
    def advice(self) -> str:
        if not self.falls:
            return "Nothing is learnt: look at the other checks first."
        return f"Try --learning-rate {self.suggested:.2g}."


@chance_untouched()
def rates(plan: Plan, pictures: Pictures) -> Rates:
    """Train as the plan says, but for 100 steps at rates from 0.0001 to 10, or until the loss is
    twice what it was at best."""
    size = min(plan.batch_size, PICTURES)
    steady = replace(
        plan, schedule="constant", warmup=0.0, average=0.0, batch_size=size, accumulate=1
    )
    trainer = Trainer(steady, pictures)
    tried: list[float] = []
    losses: list[float] = []
    mean = 0.0
    for rate in np.geomspace(LOWEST, HIGHEST, STEPS).tolist():
        trainer.plan = replace(trainer.plan, learning_rate=rate)
        try:
            loss = trainer.train_step()
        except TrainingError:  # no finite loss: the rate is far beyond
            break
        mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
        tried.append(rate)
        # What the mean has not seen yet is not zero: as Adam's means are corrected.
        losses.append(mean / (1 - SMOOTHING ** len(tried)))
        if losses[-1] > WORSE * min(losses):
            break
    if not tried:  # not even the first loss is finite
        tried, losses = [LOWEST], [math.inf]
    return Rates(plan.learning_rate, tuple(tried), tuple(losses))
