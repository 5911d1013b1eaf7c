"""Which photos a head learns from, and which it is asked about."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eyespot.data.splits import FOLDS, Fold, choose_repeats, fold_of, folds
from eyespot.errors import DatasetError
from eyespot.tasks.classification.classifier import NESTED

HOLDOUT_FROM = 20_000
"""From this many photos on, one fifth held out says as much as five folds, five times sooner."""


@dataclass(frozen=True)
class Division:
    """Which photos are for learning and which for the test; indices into all photos.

    `repeats`: divisions of the learning photos into folds. `parts`: part of each learning photo.
    `asked_on`: in words, which photos the folds ask about. `dropped`: photos for learning that are
    copies of test photos.
    """

    learn: NDArray[np.int64]
    test: NDArray[np.int64]
    repeats: list[list[Fold]]
    parts: NDArray[np.int64]
    asked_on: str
    dropped: list[int]


def divide(
    splits: Sequence[str | None], labels: NDArray[np.int64], groups: NDArray[np.int64]
) -> Division:
    """Respect given splits; otherwise divide into folds. No group stands on both sides."""
    given = np.array([split or "train" for split in splits])
    test = np.flatnonzero(given == "test")
    copies = (given != "test") & np.isin(groups, groups[test])
    learn = np.flatnonzero((given != "test") & ~copies)
    if len(np.unique(labels[learn])) < 2:
        raise DatasetError(
            "Expected photos of at least two classes to learn from, outside test/ and without "
            "copies of test photos."
        )
    own_labels, own_groups = labels[learn], groups[learn]
    if len(np.unique(own_groups)) < 2:
        raise DatasetError(
            "All photos to learn from are copies of one picture, so nothing can be learnt. Add "
            "different photos of each class."
        )
    parts = fold_of(own_labels, own_groups, FOLDS)
    validation = given[learn] == "val"
    repeats: list[list[Fold]]
    asked_on = NESTED
    if validation.any() and not validation.all():
        clean = ~validation & ~np.isin(own_groups, own_groups[validation])
        repeats = [[(np.flatnonzero(clean), np.flatnonzero(validation))]]
        asked_on = "the validation split"
    elif len(learn) > HOLDOUT_FROM:
        repeats = [folds(parts)[:1]]
        asked_on = f"held-out photos, a random 1 in {FOLDS}"
        parts = fold_of(own_labels, own_groups, FOLDS, seed=1)
    else:
        repeats = [
            folds(fold_of(own_labels, own_groups, FOLDS, seed=seed))
            for seed in range(choose_repeats(len(learn)))
        ]
    return Division(learn, test, repeats, parts, asked_on, np.flatnonzero(copies).tolist())
