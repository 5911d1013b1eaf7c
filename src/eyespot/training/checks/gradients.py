"""Is the gradient that is computed the slope that is measured?

In float64, by differences of the loss, at a few random weights of every layer. In the mode of
training: a batch norm's gradient there goes through the batch's own mean and deviation, which is
the part that is easy to get wrong, and its running averages do not count. Dropout is off, as a loss
with chance in it has no slope.

Where a ReLU or a maximum switches between two points, their difference mixes two slopes: in
pictures with an empty ground thousands do at once. The nearer the points, the rarer that is, and
mostly only one of the two sides is concerned. So a weight's slope is measured to both sides and
over both (the central difference, which is the most exact where nothing switches), with smaller
steps as long as all disagree, and the best counts. A wrong gradient is wrong by any of them.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from eyespot.training.checks.verdict import Verdict, chance_untouched, first_batch, fresh
from eyespot.training.pictures import Pictures
from eyespot.training.plan import Plan

PICTURES = 4
SIDE = 32
"""Of the part of each picture that is looked at, where the network takes it."""
WEIGHTS = 2
"""Of each of a layer's tensors."""
LAYERS = 40
"""At most, evenly spread over the network's depth."""
STEPS = (1e-5, 1e-6, 1e-7, 1e-8)
TOLERANCE = 1e-4
"""As is usual for functions with kinks (Karpathy's notes for CS231n, "Neural Networks Part 3")."""
SMALL = 1e-5
"""Slopes below this are compared by difference: rounding, of about 1e-16 / 1e-5, is in them."""


@dataclass(frozen=True, slots=True)
class Gradients(Verdict):
    """`errors`: the largest relative error, |a - n| / max(|a|, |n|), of each layer."""

    errors: dict[str, float]

    title = "Gradient"

    @property
    def worst(self) -> str:
        return max(self.errors, key=lambda name: self.errors[name])

    @property
    def passed(self) -> bool:
        return self.errors[self.worst] <= TOLERANCE

    @property
    def summary(self) -> str:
        return (
            f"off by at most {self.errors[self.worst]:.1e} of what is measured, in "
            f"{len(self.errors)} layers"
        )

    @property
    def advice(self) -> str:
        return f"Look at the backward pass of {self.worst}, and of what comes after it."


@chance_untouched()
def gradients(plan: Plan, pictures: Pictures) -> Gradients:
    """Compare the gradient of the plan's loss with differences, on 4 pictures."""
    trainer = fresh(plan, pictures, batch_size=PICTURES)
    network = trainer.network.double()
    x, targets = (tensor.double() for tensor in first_batch(trainer))
    if not network.fixed_size:
        side = max(SIDE, network.min_size)
        x = x[:, :, -side:, -side:]
    with torch.no_grad():
        # Fresh biases are zeros, at which ReLUs of empty regions stand exactly on their kink.
        for parameter in network.parameters():
            if parameter.ndim <= 1:
                parameter.add_(0.1 * torch.randn_like(parameter))

    def loss() -> Tensor:
        return trainer.loss(network(x), targets)

    with torch.no_grad():
        here = float(loss())
    loss().backward()  # type: ignore[no-untyped-call]
    layers = [
        (name, list(layer.parameters(recurse=False)))
        for name, layer in network.named_modules()
        if any(p.grad is not None for p in layer.parameters(recurse=False))
    ]
    chosen = np.unique(np.linspace(0, len(layers) - 1, min(LAYERS, len(layers))).round())
    rng = np.random.default_rng(plan.seed)
    errors = {}
    for name, parameters in (layers[int(index)] for index in chosen):
        errors[name] = max(
            slope_error(loss, here, parameter, int(place))
            for parameter in parameters
            if parameter.grad is not None
            for place in rng.choice(
                parameter.numel(), min(WEIGHTS, parameter.numel()), replace=False
            )
        )
    return Gradients(errors)


@torch.no_grad()
def slope_error(
    loss: Callable[[], Tensor], here: float, parameter: nn.Parameter, place: int
) -> float:
    """How far the gradient at one weight is from the slope of `loss`, relative to the larger of the
    two, by the difference that suits it best. `here`: the loss with the weight as it is."""
    assert parameter.grad is not None
    where = np.unravel_index(place, parameter.shape)
    value, computed = parameter[where].item(), parameter.grad[where].item()
    best = float("inf")
    for step in STEPS:
        parameter[where] = value - step
        left = float(loss())
        parameter[where] = value + step
        right = float(loss())
        parameter[where] = value
        for rise, way in ((right - left, 2 * step), (right - here, step), (here - left, step)):
            measured = rise / way
            best = min(best, abs(computed - measured) / max(abs(computed), abs(measured), SMALL))
        if best <= TOLERANCE:
            break
    return best
