"""Split: which photos a detector is trained on, and which are held out for its evaluation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eyespot.arrays import I64
from eyespot.errors import DatasetError
from eyespot.shown import counted
from eyespot.tasks.detection.embed import Embedded

FOLDS = ((6, 2), (20, 3), (100, 5))
"""Up to so many photos, so many folds. Each trains one more head, which should take seconds of few
photos, and takes minutes of many."""
FOLDS_OF_MANY = 3


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """`folds`: (training, held out) each, indices of photos. `final`: photos of the detector
    itself; None: that of the one fold. `evaluated_on`: in words. `dropped`: photos of the source's
    training split that duplicate held-out ones, and are in no fold."""

    folds: tuple[tuple[I64, I64], ...]
    final: I64 | None
    evaluated_on: str
    dropped: I64


def split_photos(photos: Sequence[Embedded], groups: Sequence[int]) -> Split:
    """The split of the source, test before validation; without one, folds of whole `groups` (near-
    duplicates). Raises DatasetError if fewer than two photos or groups are left, or all training
    photos duplicate held-out ones."""
    splits = np.array([one.photo.photo.split or "train" for one in photos])
    for split, name in (("test", "the test split"), ("val", "the validation split")):
        held_out, training = np.flatnonzero(splits == split), np.flatnonzero(splits != split)
        if len(held_out) and len(training):
            copies = np.isin(np.asarray(groups)[training], np.asarray(groups)[held_out])
            if copies.all():
                raise DatasetError(
                    f"All training photos duplicate photos of {name}. Keep each photo in one split."
                )
            fold = training[~copies], held_out
            return Split((fold,), None, name, training[copies])
    folds = cross_validation(np.arange(len(photos)), groups)
    everything, none = np.arange(len(photos)), np.array([], np.int64)
    return Split(folds, everything, f"{len(folds)}-fold cross-validation", none)


def cross_validation(photos: I64, groups: Sequence[int]) -> tuple[tuple[I64, I64], ...]:
    """Folds of some photos, whole `groups` (of all photos) in each; see `Split.folds`. Raises
    DatasetError if fewer than two groups are left."""
    group = np.asarray(groups)[photos]
    numbers = np.unique(group)
    if len(numbers) < 2:
        raise DatasetError(
            f"Expected at least two different photos with boxes, found {counted(len(numbers))}. "
            "Annotate more photos: about 20 give a first detector."
        )
    planned = next((folds for most, folds in FOLDS if len(photos) <= most), FOLDS_OF_MANY)
    count = min(planned, len(numbers))
    order = np.random.default_rng(0).permutation(numbers)
    fold_of = {int(number): index % count for index, number in enumerate(order)}
    fold = np.array([fold_of[int(one)] for one in group])
    return tuple((photos[fold != number], photos[fold == number]) for number in range(count))
