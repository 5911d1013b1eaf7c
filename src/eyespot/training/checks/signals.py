"""Check the activations of a network with random weights: vanishing, exploding, dead ReLUs."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from eyespot.evaluation import percent
from eyespot.training.checks.check import CheckResult, first_batch, plain_trainer
from eyespot.training.images import ImageSet
from eyespot.training.plan import Plan

IMAGES = 64
FADED, EXPLODED = 1e-4, 1e4
DEAD = 0.4
"""Largest share of dead units in a layer's input."""


@dataclass(frozen=True, slots=True)
class Signals(CheckResult):
    """For each layer with weights. `deviations`: standard deviation of its outputs. `dead`: share
    of its input units (maps, in convolutions) that are zero for every image, so that ReLUs count
    whether they are modules or functions."""

    deviations: dict[str, float]
    dead: dict[str, float]

    title = "Signals"

    @property
    def unfit(self) -> tuple[str, ...]:
        """Layers whose outputs vanish or explode (or are NaN)."""
        return tuple(n for n, std in self.deviations.items() if not FADED <= std <= EXPLODED)

    @property
    def starved(self) -> tuple[str, ...]:
        return tuple(name for name, share in self.dead.items() if share > DEAD)

    @property
    def passed(self) -> bool:
        return not self.unfit and not self.starved

    @property
    def summary(self) -> str:
        low, high = min(self.deviations.values()), max(self.deviations.values())
        return (
            f"standard deviations from {low:.2g} to {high:.2g}; at most "
            f"{percent(max(self.dead.values()))} of a layer's input units are dead"
        )

    @property
    def advice(self) -> str:
        wrong = (
            f"{self.unfit[0]} is the first layer whose outputs vanish or explode"
            if self.unfit
            else f"{self.starved[0]} is the first layer with too many dead input units"
        )
        return f"{wrong}: try another --initialisation, such as he, or check the weights before it."


@torch.no_grad()
def signals(plan: Plan, data: ImageSet) -> Signals:
    """Watch every layer of a network with random weights on up to 64 images."""
    trainer = plain_trainer(plan, data, batch_size=IMAGES)
    deviations: dict[str, float] = {}
    dead: dict[str, float] = {}

    def watch(name: str, layer: nn.Module) -> None:
        # Within a hook, as a ReLU in place changes the outputs afterwards.
        def seen(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            units = inputs[0].transpose(0, 1).flatten(1)
            dead[name] = float((units == 0).all(1).double().mean())
            deviations[name] = float(output.std())

        layer.register_forward_hook(seen)

    for name, layer in trainer.network.named_modules():
        if any(True for _ in layer.parameters(recurse=False)):
            watch(name, layer)
    trainer.network(first_batch(trainer)[0])
    return Signals(deviations, dead)
