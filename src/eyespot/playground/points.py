"""Training and test points of the plane: two classes, or values.

Two entangled spirals are the test of K. Lang and M. Witbrock, "Learning to Tell Two Spirals Apart",
1988.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eyespot.errors import UsageError

Array = NDArray[np.float64]

EDGE = 6.0
"""The plane goes from -EDGE to EDGE both ways."""
RADIUS = 5.0
"""Largest radius of generated points, before noise."""
SPREAD = 2.0
"""Standard deviation of a noise of 1."""
FEWEST = 3
"""Two training points and one test point."""


@dataclass(frozen=True, eq=False, slots=True)
class Points:
    """`positions`: float64 [n, 2], x and y, within EDGE. `targets`: float64 [n], -1 or 1 for two
    classes, or values. `is_train`: bool [n]; the others test. At least 2 train and 1 tests."""

    positions: Array
    targets: Array
    is_train: NDArray[np.bool_]


def circle(targets: Array, rng: np.random.Generator) -> Array:
    """A disc, and a ring around it."""
    low, high = np.where(targets > 0, [[0.0], [0.5]], [[0.7], [1.0]])
    return _polar(RADIUS * rng.uniform(low, high), rng.uniform(0, 2 * np.pi, len(targets)))


def xor(targets: Array, rng: np.random.Generator) -> Array:
    """A class in each pair of opposite quarters, a little off the axes."""
    sizes = rng.uniform(0.3, RADIUS, (len(targets), 2))
    side = rng.choice([-1.0, 1.0], len(targets))
    return np.asarray(sizes * np.stack([side, side * targets], axis=1))


def gauss(targets: Array, rng: np.random.Generator) -> Array:
    """Two clouds."""
    return 2 * targets[:, None] + rng.normal(0, 0.7, (len(targets), 2))


def spiral(targets: Array, rng: np.random.Generator) -> Array:
    """Two arms that wind around each other one and three quarter times."""
    along = rng.uniform(0.1, 1, len(targets))
    return _polar(RADIUS * along, 3.5 * np.pi * along + np.where(targets > 0, 0, np.pi))


def _polar(radius: Array, angle: Array) -> Array:
    return np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1)


def plane(positions: Array) -> Array:
    """A slope, from -1 at the lower left to 1 at the upper right."""
    return np.asarray(positions.sum(axis=1) / (2 * RADIUS))


def hills(positions: Array) -> Array:
    """Two hills and two hollows, across from each other."""
    across = np.abs(positions) - RADIUS / 2
    sign = np.sign(positions).prod(axis=1)
    return np.asarray(sign * np.exp(-(across**2).sum(axis=1) / 2))


CLASSIFICATION: dict[str, Callable[[Array, np.random.Generator], Array]] = {
    function.__name__: function for function in (circle, xor, gauss, spiral)
}
"""Positions [n, 2] for targets [n]."""

REGRESSION: dict[str, Callable[[Array], Array]] = {"plane": plane, "gauss": hills}
"""Targets [n] for positions [n, 2]."""


def make_points(
    problem: str, data: str, count: int, noise: float, train_share: float, seed: int
) -> Points:
    """`count` points of the set `data` of CLASSIFICATION (half in each class) or REGRESSION.

    `noise`, 0..1, moves positions once the targets are known, by a normal distribution of
    standard deviation SPREAD x noise. More noise moves the same points further.
    """
    rng = np.random.default_rng(seed)
    if problem == "classification":
        targets = np.where(np.arange(count) % 2, 1.0, -1.0)
        positions = CLASSIFICATION[data](targets, rng)
    else:
        positions = rng.uniform(-RADIUS, RADIUS, (count, 2))
        targets = REGRESSION[data](positions)
    moved = positions + noise * SPREAD * rng.normal(size=positions.shape)
    return Points(moved.clip(-EDGE, EDGE), targets, _divided(count, train_share, rng))


def own_points(
    points: Sequence[tuple[float, float, float]], train_share: float, seed: int
) -> Points:
    """Custom points: x, y and target of each. Raises UsageError for fewer than FEWEST."""
    table = np.array(points, dtype=np.float64).reshape(-1, 3)
    if len(table) < FEWEST:
        raise UsageError(f"{FEWEST} points or more are needed, not {len(table)}. Add points.")
    is_train = _divided(len(table), train_share, np.random.default_rng(seed))
    return Points(table[:, :2], table[:, 2], is_train)


def _divided(count: int, train_share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    training = min(max(round(train_share * count), 2), count - 1)
    # By rank, so that an added point moves few others between training and test.
    return np.asarray(rng.random(count).argsort().argsort() < training)
