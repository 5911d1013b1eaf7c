"""Surfaces, edges and scores of a simulator at one step, for the playground's page."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eyespot.errors import UsageError
from eyespot.playground.functions import LOSSES, features_of
from eyespot.playground.net import Gradient, Net
from eyespot.playground.points import EDGE
from eyespot.playground.simulator import LARGEST, Scores, Simulator

Array = NDArray[np.float64]

SIDES = (2, 200)
"""Least and most pixels of a surface's side."""
PIECE = 1000
"""Pixels that are computed at once. All 10,000 at once take twice the time."""
LINES = 25
"""Lines of the mesh each way."""


@dataclass(frozen=True, eq=False, slots=True)
class Edges:
    """Of a layer: `weights` [in, out], `bias` [out], and their gradients in the last step, with
    penalties; 0 before the first."""

    weights: Array
    bias: Array
    weights_slope: Array
    bias_slope: Array


@dataclass(frozen=True, eq=False, slots=True)
class Space:
    """The points in the space of the last hidden layer, or of the features if there is none.

    `axes`: the names of the two axes. `points`: float32 [n, 2]. `mesh`: float32 [LINES, LINES, 2],
    evenly spaced lines of the plane in that space; its first row is the top.
    """

    axes: str
    points: NDArray[np.float32]
    mesh: NDArray[np.float32]


@dataclass(frozen=True, eq=False, slots=True)
class Snapshot:
    """`surfaces`: float32 [units, r, r], each unit's output over the plane, in evaluation mode:
    features, hidden layers, output. The first row is the top (y = EDGE), the first column the left.
    For two classes the output is p(1) - p(-1), the decision surface. `layers`: units of the
    features, of each hidden layer, and 1. `edges`: of each hidden layer, and the output unit's.
    """

    steps: int
    epochs: int
    learning_rate: float
    scores: Scores
    stopped: str | None
    layers: tuple[int, ...]
    surfaces: NDArray[np.float32]
    edges: tuple[Edges, ...]
    space: Space

    def shades(self) -> NDArray[np.uint8]:
        """`surfaces` as uint8: 128 is zero, 1 and 255 the greatest magnitude of the unit on the
        plane; of the output, -1 and 1, where it is cut off."""
        shades = np.empty(self.surfaces.shape, np.uint8)
        last = len(shades) - 1
        for unit, surface in enumerate(self.surfaces):
            greatest = 1.0 if unit == last else float(np.abs(surface).max())
            signed = (surface / (greatest or 1.0)).clip(-1, 1)
            shades[unit] = np.round(128 + 127 * signed)
        return shades


def draw(simulator: Simulator, resolution: int = 50) -> Snapshot:
    """The simulator's present state; surfaces of `resolution` x `resolution` pixels.

    Raises UsageError for a resolution out of SIDES.
    """
    low, high = SIDES
    if not low <= resolution <= high:
        raise UsageError(f"The resolution must be from {low} to {high}, not {resolution}.")
    net, names = simulator.net, simulator.settings.features
    points, mesh = (
        _layers(net, features_of(positions, names))[-2]
        for positions in (simulator.points.positions, _plane(LINES))
    )
    layers = (len(names), *(len(layer.bias) for layer in net.layers))
    return Snapshot(
        simulator.steps,
        simulator.epochs,
        simulator.learning_rate,
        simulator.scores,
        simulator.stopped,
        layers,
        _surfaces(net, names, sum(layers), resolution),
        _edges(net, simulator.gradients),
        _space(points, mesh, has_hidden=len(net.layers) > 1),
    )


def _plane(side: int) -> Array:
    """A grid over the plane, [side x side, 2], row by row from the top."""
    columns = np.linspace(-EDGE, EDGE, side)
    x, y = np.meshgrid(columns, columns[::-1])
    return np.stack([x.ravel(), y.ravel()], axis=1)


def _layers(net: Net, features: Array) -> list[Array]:
    """Features [n, k] and the outputs of each layer, [n, units]."""
    return [features, *(of_layer.outputs for of_layer in net.forward(features))]


def _surfaces(net: Net, names: tuple[str, ...], units: int, resolution: int) -> NDArray[np.float32]:
    positions = _plane(resolution)
    surfaces = np.empty((units, len(positions)), np.float32)
    for start in range(0, len(positions), PIECE):
        piece = slice(start, start + PIECE)
        layers = _layers(net, features_of(positions[piece], names))
        layers[-1] = LOSSES[net.problem].shown(layers[-1])
        # Larger values might not fit into float32.
        surfaces[:, piece] = np.concatenate(layers, axis=1).T.clip(-LARGEST, LARGEST)
    return surfaces.reshape(units, resolution, resolution)


def _edges(net: Net, gradients: list[Gradient]) -> tuple[Edges, ...]:
    zeros = (Gradient(np.zeros_like(x.weights), np.zeros_like(x.bias), None) for x in net.layers)
    return tuple(
        Edges(layer.weights, layer.bias, slope.weights, slope.bias)
        for layer, slope in zip(net.layers, gradients or zeros, strict=True)
    )


def _space(points: Array, mesh: Array, *, has_hidden: bool) -> Space:
    """From the last but one layer's values at the points [n, k] and on the mesh [LINES^2, k]."""
    count = points.shape[1]
    unit, where = ("unit", " of the last hidden layer") if has_hidden else ("feature", "")
    match count:
        case 1:
            axes = f"Across: the only {unit}{where}."
            flat = np.array([[1.0, 0.0]])
            middle = np.zeros(1)
        case 2:
            axes = f"The two {unit}s{where}."
            flat, middle = np.eye(2), np.zeros(2)
        case _:
            middle = points.mean(axis=0)
            variances, directions = np.linalg.eigh(np.cov(points.T))
            share = variances[-2:].sum() / max(variances.sum(), np.finfo(float).tiny)
            axes = (
                f"The first two principal components of the {count} {unit}s{where}, "
                f"which hold {100 * share:.0f}% of their variance."
            )
            # Fix the arbitrary sign of a component, so that it seldom flips between snapshots.
            flat = directions[:, :-3:-1]
            flat = flat * np.where(flat.sum(axis=0) < 0, -1, 1)

    flat_points, flat_mesh = (
        ((values - middle) @ flat).clip(-LARGEST, LARGEST).astype(np.float32)
        for values in (points, mesh)
    )
    return Space(axes, flat_points, flat_mesh.reshape(LINES, LINES, 2))
