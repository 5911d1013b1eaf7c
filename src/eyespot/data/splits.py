"""Divide photos into stratified folds that keep groups together."""

import numpy as np
from numpy.typing import NDArray

Fold = tuple[NDArray[np.int64], NDArray[np.int64]]

FOLDS = 5
SMALL = 200
"""With fewer photos, one division into folds is too random: several are averaged."""


def fold_of(
    labels: NDArray[np.int64], groups: NDArray[np.int64], count: int, seed: int = 0
) -> NDArray[np.int64]:
    """The fold 0..count-1 of each photo, int64 [n].

    A group goes to the fold with the fewest photos of the group's class so far (of all classes on
    a tie). The largest groups come first; otherwise the order is random. A class with fewer photos
    than folds is missing from some folds; a class with one photo counts as an error, since no head
    is trained on it while the photo is held out.
    """
    rng = np.random.default_rng(seed)
    _, first, groups = np.unique(groups, return_index=True, return_inverse=True)
    sizes = np.bincount(groups)
    owner = labels[first]  # a group of several labels counts for its first
    chosen = np.empty(len(sizes), dtype=np.int64)
    per_class = np.zeros((int(labels.max(initial=0)) + 1, count), dtype=np.int64)
    total = np.zeros(count, dtype=np.int64)
    order = rng.permutation(len(sizes))
    order = order[np.argsort(-sizes[order], kind="stable")]
    alone = sizes[order] == 1
    for group in order[~alone]:
        mine = per_class[owner[group]]
        fold = int(np.lexsort((rng.random(count), total, mine))[0])
        chosen[group] = fold
        mine[fold] += sizes[group]
        total[fold] += sizes[group]
    # Most groups are single photos: deal those of a class at once by the same rule.
    singles = order[alone]
    singles = singles[np.argsort(owner[singles], kind="stable")]
    for own in np.split(singles, np.flatnonzero(np.diff(owner[singles])) + 1):
        if len(own):
            dealt = _deal(per_class[owner[own[0]]], total, len(own), rng)
            chosen[own] = dealt
            total += np.bincount(dealt, minlength=count)
    return chosen[groups]


def _deal(
    mine: NDArray[np.int64], total: NDArray[np.int64], photos: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Folds for `photos` photos of a class with `mine` [count] photos in the folds so far."""
    count = len(mine)
    rounds = -(-photos // count) + int(mine.max() - mine.min())
    level = (mine[:, None] + np.arange(rounds)[None]).ravel()
    fold = np.repeat(np.arange(count), rounds)
    tie_break = rng.random(count)
    return fold[np.lexsort((tie_break[fold], total[fold], level))[:photos]]


def folds(fold: NDArray[np.int64]) -> list[Fold]:
    """(train, test) indices for each non-empty fold of `fold_of`."""
    return [
        (np.flatnonzero(fold != number), np.flatnonzero(fold == number))
        for number in np.unique(fold)
    ]


def choose_repeats(count: int) -> int:
    """How many divisions into folds to average for `count` photos."""
    return 5 if count < SMALL else 1
