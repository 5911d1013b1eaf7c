"""How fast the playground learns and draws: its default net, as TensorFlow Playground's (500 points
of the circle, half to learn from, x and y, 4 and 2 tanh units, batches of 10, learning rate 0.03),
and the largest one. One core suffices: set OMP_NUM_THREADS=1. The peer is the same step in torch.
"""

import time
from collections.abc import Callable

import torch
from measure import keep, summary

from eyespot.playground.functions import FEATURES
from eyespot.playground.settings import Settings
from eyespot.playground.simulator import Simulator
from eyespot.playground.snapshot import draw

ROUNDS = 7
NETS = {
    "default": Settings(),
    "largest": Settings(features=tuple(FEATURES), hidden=(8,) * 6, batch_norm=True, dropout=0.1),
}


def rate(work: Callable[[], object], times: int, each: int = 1) -> float:
    """How often a second, if each call does it `each` times."""
    start = time.perf_counter()
    for _ in range(times):
        work()
    return times * each / (time.perf_counter() - start)


def torch_step() -> Callable[[], None]:
    """A step of the default net in eager torch, on one batch."""
    layers = [torch.nn.Linear(2, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2), torch.nn.Tanh()]
    net = torch.nn.Sequential(*layers, torch.nn.Linear(2, 1))
    optimiser = torch.optim.SGD(net.parameters(), 0.03)
    inputs, targets = torch.randn(10, 2), torch.rand(10, 1).round()

    def step() -> None:
        optimiser.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(net(inputs), targets).backward()
        optimiser.step()

    return step


def main() -> None:
    torch.set_num_threads(1)
    found: dict[str, list[float]] = {}

    def measured(name: str, work: Callable[[], object], times: int, each: int = 1) -> None:
        found.setdefault(name, []).append(rate(work, times, each))

    peer = torch_step()
    for _ in range(ROUNDS):
        for name, settings in NETS.items():
            simulator = Simulator(settings)

            def frame(steps: int, resolution: int, simulator: Simulator = simulator) -> None:
                simulator.step(steps)
                draw(simulator, resolution).shades()

            measured(f"{name}: steps, 1000 a call", lambda s=simulator: s.step(1000), 3, 1000)
            measured(f"{name}: steps, 1 a call", simulator.step, 500)
            for side in (50, 100):
                still = f"{name}: pictures of {side} x {side}"
                measured(still, lambda r=side, s=simulator: draw(s, r).shades(), 40)
                measured(f"{still}, a step before each", lambda r=side, f=frame: f(1, r), 40)
                measured(f"{still}, an epoch before each", lambda r=side, f=frame: f(25, r), 40)
        measured("default: steps in eager torch", peer, 500)
    keep("playground", {"a second": {name: summary(rates) for name, rates in found.items()}})


if __name__ == "__main__":
    main()
