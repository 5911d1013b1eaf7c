"""Learning rate schedules.

Each schedule returns a factor of the plan's learning rate. `t`: the completed share of the run,
0..1. `epoch`: the number of completed epochs.
"""

import math
from collections.abc import Callable

from eyespot.training.plan import choose

Schedule = Callable[[float, int], float]

ONE_CYCLE_PEAK = 0.3
"""Share of the run after which `one-cycle` reaches its peak."""


def one_cycle(t: float, epoch: int) -> float:
    """Linearly up from 1/25, then linearly down to 0 (Smith, "A Disciplined
    Approach to Neural Network Hyper-Parameters", 2018, section 4)."""
    if t < ONE_CYCLE_PEAK:
        return 0.04 + 0.96 * t / ONE_CYCLE_PEAK
    return max(0.0, (1 - t) / (1 - ONE_CYCLE_PEAK))


SCHEDULES: dict[str, Schedule] = {
    "constant": lambda t, epoch: 1.0,
    "step": lambda t, epoch: 0.1 ** ((t >= 0.5) + (t >= 0.75)),
    "epoch": lambda t, epoch: 0.97**epoch,
    "root": lambda t, epoch: math.sqrt(max(0.0, 1 - t)),
    "inverse": lambda t, epoch: 1 / (1 + epoch),
    "exponential": lambda t, epoch: math.exp(-5 * t),
    "cosine": lambda t, epoch: 0.5 * (1 + math.cos(math.pi * min(1.0, t))),
    "one-cycle": one_cycle,
}
"""`step`: a tenth after half of the run, a hundredth after three quarters (He et al. 2016, section
4.2). `exponential` ends at 0.7%. `cosine`: half a wave from 1 to 0 (Loshchilov and Hutter, "SGDR",
ICLR 2017, equation 5)."""


def factor(name: str, done: int, steps: int, steps_per_epoch: int, warmup: float) -> float:
    """Factor of the learning rate for the step after `done` of `steps`.

    `warmup`: epochs of a linear rise from 0 (Goyal et al., "Accurate, Large Minibatch SGD", 2017,
    section 2.2). Raises UsageError for an unknown name.
    """
    share = choose("schedule", name, SCHEDULES)(done / steps, done // steps_per_epoch)
    rising = warmup * steps_per_epoch
    return share * min(1.0, (done + 1) / rising) if rising else share
