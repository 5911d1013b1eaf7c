"""A small fully connected network, and backpropagation through it.

Rows are points, columns are units. Each layer computes

    z = inputs @ weights              [n, in] @ [in, out]
    z = scale * normalised(z)         with batch norm only
    a = activation(z + bias)
    outputs = mask * a                with dropout, in training only

and its backward pass turns the gradient with respect to its outputs into those with respect to its
parameters and inputs (D. Rumelhart, G. Hinton and R. Williams, "Learning representations by
back-propagating errors", 1986).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from eyespot.playground.functions import ACTIVATIONS, LOSSES

Array = NDArray[np.float64]

EPSILON = 1e-5
"""Added to a variance before dividing by its root."""
MOMENTUM = 0.1
"""Share of a batch in the running averages of batch norm."""


@dataclass(frozen=True, eq=False, slots=True)
class Gradient:
    """Gradients of the objective with respect to a layer's parameters, in their shapes."""

    weights: Array
    bias: Array
    scale: Array | None


@dataclass(frozen=True, eq=False, slots=True)
class Pass:
    """Values of a layer's forward pass that its backward pass needs, for n points.

    `activated` [n, out]: before dropout. `normalised` [n, out], `deviation` [out]: of batch norm.
    `mask` [n, out]: of dropout. `mean`, `variance` [out]: the running averages after this batch.
    """

    inputs: Array
    activated: Array
    outputs: Array
    normalised: Array | None = None
    deviation: Array | None = None
    mask: Array | None = None
    mean: Array | None = None
    variance: Array | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Layer:
    """`weights` [in, out], `bias` [out]. `scale`, `mean`, `variance` [out]: with batch norm only,
    whose shift is `bias` (S. Ioffe and C. Szegedy, "Batch Normalization", 2015). `dropout`: the
    probability that a unit is dropped in training; the others are scaled up (N. Srivastava et al.,
    "Dropout", 2014, section 10)."""

    weights: Array
    bias: Array
    activation: str
    dropout: float = 0.0
    scale: Array | None = None
    mean: Array | None = None
    variance: Array | None = None

    def forward(self, inputs: Array, rng: np.random.Generator | None = None) -> Pass:
        """Inputs [n, in], finite. `rng`: in training, what dropout draws from."""
        training = rng is not None
        z = inputs @ self.weights
        normalised = deviation = mask = mean = variance = None
        if self.scale is not None and self.mean is not None and self.variance is not None:
            mean, variance = self.mean, self.variance
            middle, spread = mean, variance
            if training:
                middle, spread = z.mean(axis=0), z.var(axis=0)
                # Ioffe and Szegedy, algorithm 2: of the population, n / (n - 1) as much.
                unbiased = spread * len(z) / max(len(z) - 1, 1)
                mean = (1 - MOMENTUM) * mean + MOMENTUM * middle
                variance = (1 - MOMENTUM) * variance + MOMENTUM * unbiased
            deviation = np.sqrt(spread + EPSILON)
            normalised = (z - middle) / deviation
            z = self.scale * normalised
        activated = outputs = ACTIVATIONS[self.activation].value(z + self.bias)
        if rng is not None and self.dropout:
            mask = (rng.random(activated.shape) >= self.dropout) / (1 - self.dropout)
            outputs = mask * activated
        return Pass(inputs, activated, outputs, normalised, deviation, mask, mean, variance)

    def backward(self, forward: Pass, slope: Array) -> tuple[Array, Gradient]:
        """From the gradient of the loss with respect to the outputs [n, out], those with respect to
        the inputs [n, in] and the parameters. `forward`: the forward pass, in training."""
        if forward.mask is not None:
            slope = slope * forward.mask
        slope = slope * ACTIVATIONS[self.activation].slope(forward.activated)
        bias = slope.sum(axis=0)
        scale = None
        if self.scale is not None and forward.normalised is not None:
            # The batch's own mean and variance depend on every point (Ioffe and Szegedy, 3).
            scale = (slope * forward.normalised).sum(axis=0)
            shared = (bias + forward.normalised * scale) / len(slope)
            slope = self.scale * (slope - shared) / forward.deviation
        weights = forward.inputs.T @ slope
        return slope @ self.weights.T, Gradient(weights, bias, scale)

    def descended(self, gradient: Gradient, forward: Pass, rate: float) -> Self:
        """The layer after a step of gradient descent, with the running averages of `forward`."""
        return replace(
            self,
            weights=self.weights - rate * gradient.weights,
            bias=self.bias - rate * gradient.bias,
            scale=None
            if self.scale is None or gradient.scale is None
            else self.scale - rate * gradient.scale,
            mean=forward.mean,
            variance=forward.variance,
        )


@dataclass(frozen=True, eq=False, slots=True)
class Net:
    """`layers`: the hidden ones, then the linear output unit. `problem`: a key of LOSSES."""

    layers: tuple[Layer, ...]
    problem: str

    @classmethod
    def fresh(
        cls,
        inputs: int,
        hidden: Sequence[int],
        activation: str,
        problem: str,
        rng: np.random.Generator,
        *,
        batch_norm: bool = False,
        dropout: float = 0.0,
    ) -> Self:
        """Random weights, no bias. Their standard deviation keeps signals at one size: sqrt(2 / in)
        for ReLU (K. He et al., "Delving Deep into Rectifiers", 2015, equation 10), else sqrt(2 /
        (in + out)) (X. Glorot and Y. Bengio, "Understanding the difficulty of training deep
        feedforward neural networks", 2010, equation 12)."""
        layers: list[Layer] = []
        for units in (*hidden, 1):
            is_hidden = len(layers) < len(hidden)
            fan = inputs if is_hidden and activation == "relu" else inputs + units
            weights = rng.normal(0, np.sqrt(2 / fan), (inputs, units))
            norm = (np.ones(units), np.zeros(units), np.ones(units))
            layers.append(
                Layer(
                    weights,
                    np.zeros(units),
                    activation if is_hidden else "linear",
                    dropout if is_hidden else 0.0,
                    *(norm if is_hidden and batch_norm else ()),
                )
            )
            inputs = units
        return cls(tuple(layers), problem)

    def forward(self, inputs: Array, rng: np.random.Generator | None = None) -> list[Pass]:
        """The forward pass of each layer, for features [n, in]. `rng`: in training only."""
        passes: list[Pass] = []
        for layer in self.layers:
            passes.append(layer.forward(passes[-1].outputs if passes else inputs, rng))
        return passes

    def outputs(self, inputs: Array) -> Array:
        """The output [n] for features [n, in] in evaluation mode. For two classes:
        log(p(1) / p(-1))."""
        return self.forward(inputs)[-1].outputs[:, 0]

    def gradients(
        self, passes: Sequence[Pass], targets: Array, l1: float, l2: float
    ) -> list[Gradient]:
        """Of the loss + l1 x sum |w| + l2 / 2 x sum w^2, over all weights but no bias."""
        slope = LOSSES[self.problem].slope(passes[-1].outputs[:, 0], targets)[:, None]
        gradients: list[Gradient] = []
        for layer, forward in zip(reversed(self.layers), reversed(passes), strict=True):
            slope, gradient = layer.backward(forward, slope)
            penalty = l1 * np.sign(layer.weights) + l2 * layer.weights
            gradients.append(replace(gradient, weights=gradient.weights + penalty))
        return gradients[::-1]

    def descended(self, gradients: Sequence[Gradient], passes: Sequence[Pass], rate: float) -> Self:
        """The network one step of gradient descent further."""
        steps = zip(self.layers, gradients, passes, strict=True)
        return replace(self, layers=tuple(layer.descended(g, p, rate) for layer, g, p in steps))

    def is_within(self, largest: float) -> bool:
        """Whether every parameter is a number of at most this size."""
        parameters = [v for x in self.layers for v in (x.weights, x.bias, x.scale) if v is not None]
        return all((np.abs(values) <= largest).all() for values in parameters)
