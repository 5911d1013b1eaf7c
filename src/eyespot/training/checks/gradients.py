"""Check the gradient against finite differences of the loss.

In float64, at a few random weights of every layer. The network is in training mode: the gradient of
a batch norm then goes through the batch's own mean and deviation, where mistakes are easy. Dropout
is off, because a random loss has no slope.

Where a ReLU or a maximum switches between two points, their difference mixes two slopes; uniform
backgrounds make thousands switch at once. Smaller steps make that rarer, and mostly only one side
switches. So each slope is measured to both sides and over both (the central difference, the most
exact where nothing switches), with smaller steps while all disagree, and the smallest error counts.
A wrong gradient disagrees with all of them.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from eyespot.training.checks.check import CheckResult, first_batch, plain_trainer
from eyespot.training.images import ImageSet
from eyespot.training.plan import Plan

IMAGES = 4
SIDE = 32
"""Side of the crop of each image that is used, where the network accepts it."""
WEIGHTS = 2
"""Weights of each of a layer's tensors."""
LAYERS = 40
"""At most, evenly spread over the network's depth."""
STEPS = (1e-5, 1e-6, 1e-7, 1e-8)
TOLERANCE = 1e-4
"""As usual for functions with kinks (Karpathy's notes for CS231n, "Neural Networks Part 3")."""
SMALL = 1e-5
"""Slopes below this are compared by difference: they contain rounding of about 1e-16 / 1e-5."""


@dataclass(frozen=True, slots=True)
class Gradients(CheckResult):
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
            f"largest relative error {self.errors[self.worst]:.1e}, measured in "
            f"{len(self.errors)} layers"
        )

    @property
    def advice(self) -> str:
        return f"Check the backward pass of {self.worst} and of the layers after it."


def gradients(plan: Plan, data: ImageSet) -> Gradients:
    """Compare the gradient of the plan's loss with finite differences, on 4 images."""
    trainer = plain_trainer(plan, data, batch_size=IMAGES)
    network = trainer.network.double()
    x, targets = (tensor.double() for tensor in first_batch(trainer))
    if not network.fixed_size:
        side = max(SIDE, network.min_size)
        x = x[:, :, -side:, -side:]
    with torch.no_grad():
        # Initial biases are zeros, at which ReLUs of empty regions are exactly at their kink.
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
    """Smallest relative error of the gradient at one weight, over all finite differences.

    `here`: the loss at the weight's present value.
    """
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
