"""Features, activations and losses of the playground's networks, with derivatives."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FEATURES: dict[str, Callable[[Array, Array], Array]] = {
    "x": lambda x, y: x,
    "y": lambda x, y: y,
    "x^2": lambda x, y: x * x,
    "y^2": lambda x, y: y * y,
    "xy": lambda x, y: x * y,
    "sin x": lambda x, y: np.sin(x),
    "sin y": lambda x, y: np.sin(y),
}
"""Input features of a point."""


def features_of(positions: Array, names: tuple[str, ...]) -> Array:
    """Positions [n, 2] -> features [n, len(names)]."""
    x, y = positions.T
    return np.stack([FEATURES[name](x, y) for name in names], axis=1)


class Activation(NamedTuple):
    """`slope`: the derivative, written in terms of the value itself."""

    value: Callable[[Array], Array]
    slope: Callable[[Array], Array]


def sigmoid(z: Array) -> Array:
    """1 / (1 + exp(-z)), as a tanh, which never overflows."""
    half: Array = np.tanh(z / 2)
    return (1 + half) / 2


ACTIVATIONS = {
    "sigmoid": Activation(sigmoid, lambda a: a * (1 - a)),
    "tanh": Activation(np.tanh, lambda a: 1 - a * a),
    "relu": Activation(lambda z: np.maximum(z, 0.0), lambda a: (a > 0).astype(np.float64)),
    "linear": Activation(lambda z: z, np.ones_like),
}


class Loss(NamedTuple):
    """`value`: the mean over n outputs [n] for targets [n]. `slope`: its derivative by each output,
    [n]. `shown`: outputs as a drawing shows them."""

    value: Callable[[Array, Array], float]
    slope: Callable[[Array, Array], Array]
    shown: Callable[[Array], Array]


# Classification: the logistic loss log(1 + exp(-target x output)), the negative log-likelihood if
# sigmoid(output) is the probability of class 1. Its gradient does not vanish for a very wrong
# output, unlike that of a sigmoid's squared error. Shown as p(1) - p(-1). Regression: half the
# squared error.
LOSSES = {
    "classification": Loss(
        lambda output, target: float(np.logaddexp(0, -target * output).mean()),
        lambda output, target: -target * sigmoid(-target * output) / len(output),
        lambda output: np.tanh(output / 2),
    ),
    "regression": Loss(
        lambda output, target: float(((output - target) ** 2).mean() / 2),
        lambda output, target: (output - target) / len(output),
        lambda output: output,
    ),
}
