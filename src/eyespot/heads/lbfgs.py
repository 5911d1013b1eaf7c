"""Minimise several smooth functions together, with one evaluation for all of them.

The folds of a cross-validation are such functions: they share the photos, so one wide matrix
product serves them all instead of one product each.
"""

from collections import deque
from collections.abc import Callable

import numpy as np

from eyespot.arrays import Floats

MEMORY = 10
"""Pairs of steps and gradient changes that approximate the curvature."""
SUFFICIENT = 1e-4
"""Share of the decrease promised by the slope that a step must bring (Armijo's rule)."""
TINY = 1e-30
"""Its inverse is still a float32."""
ROUNDING = 1e-6
"""Relative error of a value in float32: a smaller decrease is noise."""


def minimise(
    objective: Callable[[Floats], tuple[Floats, Floats]],
    start: Floats,
    *,
    tolerance: float,
    most_steps: int = 300,
) -> Floats:
    """The minima float32 [B, p] of B convex functions, from `start` float32 [B, p].

    `objective` maps points [B, p] to values [B] and gradients [B, p]. A function is done when a
    step lowers its value by less than `tolerance` of it. L-BFGS with backtracking (Nocedal and
    Wright, Numerical Optimization, 2nd edition, algorithms 7.4 and 3.1), each function with its
    own history and step length.
    """
    point, (value, gradient) = start, objective(start)
    history: deque[tuple[Floats, Floats, Floats]] = deque(maxlen=MEMORY)
    going = np.ones(len(start), dtype=np.bool_)
    for _ in range(most_steps):
        direction = _direction(gradient, history)
        slope = _dots(gradient, direction)
        length = going.astype(np.float32)
        bound = value + ROUNDING * np.abs(value)
        for _ in range(20):
            new_point = point + length[:, None] * direction
            new_value, new_gradient = objective(new_point)
            too_far = new_value > bound + SUFFICIENT * length * slope
            if not too_far.any():
                break
            length[too_far] /= 2
        moved, change = new_point - point, new_gradient - gradient
        curvature = _dots(moved, change)
        usable = curvature > np.maximum(1e-10 * _dots(change, change), TINY)
        inverse = np.divide(1, curvature, out=np.zeros_like(curvature), where=usable)
        history.append((moved, change, inverse))
        going &= value - new_value > tolerance * np.abs(value)
        point, value, gradient = new_point, new_value, new_gradient
        if not going.any():
            break
    return point


def _direction(gradient: Floats, history: deque[tuple[Floats, Floats, Floats]]) -> Floats:
    """Minus the inverse curvature times the gradient, by the two-loop recursion."""
    direction = -gradient
    if not history:
        return direction
    shares = []
    for moved, change, inverse in reversed(history):
        share = inverse * _dots(moved, direction)
        direction -= share[:, None] * change
        shares.append(share)
    _, change, inverse = history[-1]
    squares = _dots(change, change) * inverse
    direction /= np.where(squares > 0, squares, 1)[:, None]
    for (moved, change, inverse), share in zip(history, reversed(shares), strict=True):
        direction += (share - inverse * _dots(change, direction))[:, None] * moved
    return direction


def _dots(a: Floats, b: Floats) -> Floats:
    """Dot product of each row of `a` with that of `b`."""
    return np.asarray(np.einsum("bp,bp->b", a, b))
