"""Do signals come through a fresh network: neither fading, nor exploding, nor stopped by ReLUs?"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from eyespot.evaluation import percent
from eyespot.training.checks.verdict import Verdict, chance_untouched, first_batch, fresh
from eyespot.training.pictures import Pictures
from eyespot.training.plan import Plan

PICTURES = 64
FADED, EXPLODED = 1e-4, 1e4
DEAD = 0.4
"""Share of the units that reach a layer above which there is a warning."""


@dataclass(frozen=True, slots=True)
class Signals(Verdict):
    """Of each layer that has weights. `deviations`: of all its outputs. `dead`: the share of units
    (maps, where there are positions) coming into it that are zero for every picture. So ReLUs are
    seen by what they feed, be they modules or functions."""

    deviations: dict[str, float]
    dead: dict[str, float]

    title = "Signals"

    @property
    def unfit(self) -> tuple[str, ...]:
        """Layers whose outputs fade or explode (or are no numbers)."""
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
            f"deviations from {low:.2g} to {high:.2g}; at most {percent(max(self.dead.values()))} "
            "of the units before a layer are dead"
        )

    @property
    def advice(self) -> str:
        wrong = (
            f"{self.unfit[0]} is the first layer whose outputs fade or explode"
            if self.unfit
            else f"{self.starved[0]} is the first layer that dead units feed"
        )
        return f"{wrong}: try --initialisation he, or look at the weights before it."


@chance_untouched()
@torch.no_grad()
def signals(plan: Plan, pictures: Pictures) -> Signals:
    """Watch every layer of a fresh network while it looks at up to 64 pictures."""
    trainer = fresh(plan, pictures, batch_size=PICTURES)
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
