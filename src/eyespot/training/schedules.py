"""Learning rate schedules.

Each schedule returns a factor of the plan's learning rate. `t`: the completed share of the run,
0..1. `epoch`: the number of completed epochs.
"""

import math
from collections.abc import Callable

from eyespot.errors import UsageError

Schedule = Callable[[float, int], float]

ONE_CYCLE_PEAK = 0.3
"""Share of the run after which `one-cycle` reaches its peak."""


def constant(t: float, epoch: int) -> float:
    return 1.0


def step(t: float, epoch: int) -> float:
    """A tenth after half of the run, a hundredth after three quarters (He et al. 2016, 4.2)."""
    return 0.1 ** ((t >= 0.5) + (t >= 0.75))


def epoch(t: float, epoch: int) -> float:
    """3% less with every epoch."""
    return float(0.97**epoch)


def root(t: float, epoch: int) -> float:
    """sqrt(1 - t)."""
    return math.sqrt(max(0.0, 1 - t))


def inverse(t: float, epoch: int) -> float:
    """1, 1/2, 1/3 ... with every epoch."""
    return 1 / (1 + epoch)


def exponential(t: float, epoch: int) -> float:
    """exp(-5 t), which ends at 0.7%."""
    return math.exp(-5 * t)


def cosine(t: float, epoch: int) -> float:
    """Half a wave from 1 to 0 (Loshchilov and Hutter, "SGDR", ICLR 2017, equation 5)."""
    return 0.5 * (1 + math.cos(math.pi * min(1.0, t)))


def one_cycle(t: float, epoch: int) -> float:
    """Linearly up from 1/25, then linearly down to 0 (Smith, "A Disciplined
    Approach to Neural Network Hyper-Parameters", 2018, section 4)."""
    if t < ONE_CYCLE_PEAK:
        return 0.04 + 0.96 * t / ONE_CYCLE_PEAK
    return max(0.0, (1 - t) / (1 - ONE_CYCLE_PEAK))


SCHEDULES: dict[str, Schedule] = {
    "constant": constant,
    "step": step,
    "epoch": epoch,
    "root": root,
    "inverse": inverse,
    "exponential": exponential,
    "cosine": cosine,
    "one-cycle": one_cycle,
}


def factor(name: str, done: int, steps: int, steps_per_epoch: int, warmup: float) -> float:
    """Factor of the learning rate for the step after `done` of `steps`.

    `warmup`: epochs of a linear rise from 0 (Goyal et al., "Accurate, Large Minibatch SGD", 2017,
    section 2.2). Raises UsageError for an unknown name.
    """
    if name not in SCHEDULES:
        raise UsageError(f"There is no schedule '{name}'. Choose one of: {', '.join(SCHEDULES)}.")
    share = SCHEDULES[name](done / steps, done // steps_per_epoch)
    rising = warmup * steps_per_epoch
    return share * min(1.0, (done + 1) / rising) if rising else share
