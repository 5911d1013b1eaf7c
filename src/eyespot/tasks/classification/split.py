"""Step 3 of `teach`: training photos, test photos, and folds for cross-validation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eyespot.data.splits import FOLDS, Fold, choose_repeats, fold_of, folds
from eyespot.errors import DatasetError
from eyespot.features.extract import Features, block_widths
from eyespot.shown import Brief
from eyespot.tasks.classification.policy import blocks_of

CROSS_VALIDATED = "held-out photos by cross-validation"
NESTED = "held-out photos by nested cross-validation, model selection inside"
"""The photos of an accuracy. Nested: the method, too, was selected without them."""
HOLDOUT_FROM = 20_000
"""From this many photos on, one fifth held out measures as well as five folds, in a fifth of the
time."""


@dataclass(frozen=True)
class Split:
    """Training and test photos; indices into all photos.

    `repeats`: divisions of the training photos into folds. `parts`: int64, the part of each
    training photo for nested selection. `evaluated_on`: the held-out photos in words. `dropped`:
    training photos that duplicate test photos.
    """

    train: NDArray[np.int64]
    test: NDArray[np.int64]
    repeats: list[list[Fold]]
    parts: NDArray[np.int64]
    evaluated_on: str
    dropped: list[int]


@dataclass(frozen=True, repr=False)
class TrainingSet(Brief):
    """The photos to train on. `labels`: int64 [n], indices of as many `classes`."""

    features: Features
    labels: NDArray[np.int64]
    classes: int
    split: Split

    @property
    def median_per_class(self) -> float:
        return float(np.median(np.bincount(self.labels, minlength=self.classes)))

    def blocks_of(self, view: str) -> tuple[str, ...]:
        return blocks_of(view, self.features.layout)

    def width_of(self, view: str) -> int:
        return sum(block_widths(self.features.layout, self.blocks_of(view)))


def split_photos(
    splits: Sequence[str | None], labels: NDArray[np.int64], groups: NDArray[np.int64]
) -> Split:
    """Respect given splits; otherwise divide into folds. No group stands on both sides."""
    given = np.array([split or "train" for split in splits])
    test = np.flatnonzero(given == "test")
    duplicates = (given != "test") & np.isin(groups, groups[test])
    train = np.flatnonzero((given != "test") & ~duplicates)
    if len(np.unique(labels[train])) < 2:
        raise DatasetError(
            "Expected photos of at least two classes to train on, outside test/ and without "
            "duplicates of test photos."
        )
    own_labels, own_groups = labels[train], groups[train]
    if len(np.unique(own_groups)) < 2:
        raise DatasetError(
            "All photos to train on are duplicates of one photo. Add different photos of each "
            "class."
        )
    parts = fold_of(own_labels, own_groups, FOLDS)
    validation = given[train] == "val"
    repeats: list[list[Fold]]
    evaluated_on = NESTED
    if validation.any() and not validation.all():
        clean = ~validation & ~np.isin(own_groups, own_groups[validation])
        repeats = [[(np.flatnonzero(clean), np.flatnonzero(validation))]]
        evaluated_on = "the validation split"
    elif len(train) > HOLDOUT_FROM:
        repeats = [folds(parts)[:1]]
        evaluated_on = f"held-out photos, a random 1 in {FOLDS}"
        parts = fold_of(own_labels, own_groups, FOLDS, seed=1)
    else:
        repeats = [
            folds(fold_of(own_labels, own_groups, FOLDS, seed=seed))
            for seed in range(choose_repeats(len(train)))
        ]
    return Split(train, test, repeats, parts, evaluated_on, np.flatnonzero(duplicates).tolist())
