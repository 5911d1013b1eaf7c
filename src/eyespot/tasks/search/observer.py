"""The ideal searcher: a Bayesian observer that looks for a known target at an unknown place.

J. Najemnik and W. Geisler, "Optimal eye movement strategies in visual search", Nature 2005; the
next look is by the rule of their "Simple summation rule for optimal fixation selection in visual
search", Vision Research 2009. Settings are those of S. Rashidi, K. Ehinger, A. Turpin and L. Kulik,
"Optimal visual search based on a model of target detectability in natural images", NeurIPS 2020.
Places and fixations are in degrees of the visual angle, from the centre of the scene.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SPACING = 1.6
"""Degrees between neighbours of the grid: its places reach to 7.3 degrees."""
FOVEAL = 3.28
"""Detectability of a target that is looked at (Rashidi et al. 2020)."""
CERTAIN = 0.99
"""The posterior probability of a place at which the searcher answers."""
MOST_FIXATIONS = 50


@dataclass(frozen=True, eq=False, slots=True)
class Search:
    """`fixations`: float64 [n, 2], the first at the centre. `posterior`: float64 [places], at the
    end. `answer`: the place of its maximum. `found`: whether the searcher was certain of the
    target's place."""

    fixations: Array
    posterior: Array
    answer: int
    found: bool


def triangular_grid() -> Array:
    """Places float64 [84, 2] of a triangular grid around the centre, which is not one of them."""
    rows, columns = (part.ravel() for part in np.mgrid[-5:6, -11:12])
    within = ((rows + columns) % 2 == 0) & (columns**2 + 3 * rows**2 <= 4 * 21)
    is_place = within & ((rows != 0) | (columns != 0))
    grid = np.column_stack([columns / 2, rows * np.sqrt(3) / 2])
    return np.asarray(SPACING * grid[is_place])


def detectability(b: float, eccentricity: Array) -> Array:
    """d'(e) = 3.28 exp(-b e), of the distance in degrees from the fixation to the target."""
    return np.asarray(FOVEAL * np.exp(-b * eccentricity))


def search(
    places: Array, d_prime: Callable[[Array], Array], target: int, rng: np.random.Generator
) -> Search:
    """Search for the target, which is at `places[target]`.

    `places`: float64 [n, 2]. `d_prime`: the detectability at eccentricities in degrees, such as
    `functools.partial(detectability, 0.177)`. At each fixation, place i gives a response W_i from
    N(0.5, 1/d'^2) if the target is there, else from N(-0.5, 1/d'^2) (Najemnik and Geisler 2005,
    supplement). The log of the posterior is then the sum of d'^2 W_i over the fixations, up to a
    constant. The next fixation is the place with the greatest sum of d'^2 * posterior over all
    places, which minimizes the expected entropy (2009). The search ends at a posterior of
    `CERTAIN`, or after `MOST_FIXATIONS`.
    """
    squares = d_prime(_distances(places, places)) ** 2
    means = np.where(np.arange(len(places)) == target, 0.5, -0.5)
    fixations, evidence = [np.zeros(2)], np.zeros(len(places))
    while True:
        strength = d_prime(_distances(fixations[-1][None], places)[0])
        evidence += strength**2 * rng.normal(means, 1 / strength)
        posterior = np.exp(evidence - evidence.max())
        posterior /= posterior.sum()
        answer = int(posterior.argmax())
        is_certain = bool(posterior[answer] >= CERTAIN)
        if is_certain or len(fixations) == MOST_FIXATIONS:
            found = is_certain and answer == target
            return Search(np.array(fixations), posterior, answer, found)
        fixations.append(places[int((squares @ posterior).argmax())])


def _distances(starts: Array, ends: Array) -> Array:
    """float64 [starts, ends]."""
    return np.asarray(np.hypot(*np.moveaxis(starts[:, None] - ends, -1, 0)))
