"""Rounds of a search for a known target: the scenes, and the ideal searcher's looks at them.

A game is ten rounds, made from a seed. The target's contrast falls with the distance from the place
that is looked at, as the searcher's detectability does: person and model lose it alike.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from eyespot.errors import UsageError
from eyespot.playground.textures import TEXTURES, contrast_for, make_target, make_texture
from eyespot.tasks.search.observer import (
    MOST_FIXATIONS,
    Search,
    detectability,
    search,
    triangular_grid,
)

Array = NDArray[np.float64]

ROUNDS = 10
RINGS = 5
"""Of places by their distance from the centre: each hides the target in two rounds of a game."""
MOST_LOOKS = MOST_FIXATIONS
"""Of the person, as of the model."""
DIFFICULTIES = {"easy": 0.177, "hard": 0.6}
"""The slopes b of d'(e) = 3.28 exp(-b e) in the searches of Rashidi et al. 2020."""
MOST_SEED = 999_999


@dataclass(frozen=True, eq=False, slots=True)
class Scene:
    """`texture`: float64 [SIDE, SIDE], and `patch`, that of the target, in units of contrast.
    `place`: of the target, an index of `triangular_grid`."""

    texture: Array
    patch: Array
    place: int


def make_scene(seed: int, round: int, texture: str) -> Scene:
    """The scene of a round, 0 to ROUNDS - 1. All rounds of a game have the same target.

    Raises UsageError for an unknown texture.
    """
    check_name("texture", texture, TEXTURES)
    game, own = np.random.default_rng(seed), np.random.default_rng((seed, round))
    target = make_target(game.uniform(0, np.pi))
    ring = game.permutation(np.arange(ROUNDS) % RINGS)[round]
    rings = np.array_split(np.argsort(np.hypot(*triangular_grid().T), kind="stable"), RINGS)
    place = int(own.choice(rings[ring]))
    noise = make_texture(TEXTURES[texture], own)
    return Scene(noise, contrast_for(target, noise) * target, place)


def model_search(seed: int, round: int, place: int, difficulty: str) -> Search:
    """The ideal searcher's looks for the target at `place`. Raises UsageError for an unknown
    difficulty."""
    check_name("difficulty", difficulty, DIFFICULTIES)
    rng = np.random.default_rng((seed, round, place))
    return search(triangular_grid(), partial(detectability, DIFFICULTIES[difficulty]), place, rng)


def check_name(what: str, name: str, known: Collection[str]) -> None:
    """Raises UsageError if `name` is not `known`."""
    if name not in known:
        raise UsageError(f"Expected the {what} to be {' or '.join(known)}, found {name[:30]!r}.")
