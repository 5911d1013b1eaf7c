"""Split photos into training, validation and test parts."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from eyespot.data.photos import Dataset, Photo
from eyespot.errors import DatasetError

HELD_OUT = 0.1
"""Share of every class that is held out for validation where the photos name no split."""


def split_photos(
    dataset: Dataset, share: float, seed: int
) -> tuple[list[Photo], list[Photo], list[Photo]]:
    """Photos for training, validation and test, by the split that the dataset gives each photo.

    Without a validation part, `share` of every class is held out of the training part, drawn with
    `seed`; photos of one group stay together. Raises DatasetError if a class has no training photo.
    """
    test = [photo for photo in dataset.photos if photo.split == "test"]
    held = [photo for photo in dataset.photos if photo.split == "val"]
    rest = [photo for photo in dataset.photos if photo.split not in ("test", "val")]
    if not held and share:
        chosen = _held_out(rest, dataset.classes, share, seed)
        held = [photo for index, photo in enumerate(rest) if index in chosen]
        rest = [photo for index, photo in enumerate(rest) if index not in chosen]
    if not rest:
        raise DatasetError("Expected photos to train on, but all are for validation or test.")
    expect_every_class((photo.label or "" for photo in rest), dataset.classes)
    return rest, held, test


def expect_every_class(labels: Iterable[str], classes: Sequence[str]) -> None:
    """Raise DatasetError if a class is not among the `labels` of the training photos."""
    found = set(labels)
    if missing := [name for name in classes if name not in found]:
        names = ", ".join(map(repr, missing[:10])) + (", ..." if len(missing) > 10 else "")
        raise DatasetError(
            f"Expected training photos of every class, but {names} has no readable photo outside "
            "validation and test. Add training photos, or remove the class."
        )


def _held_out(
    photos: Sequence[Photo], classes: tuple[str, ...], share: float, seed: int
) -> set[int]:
    """Indices of `share` of the photos of every class, or a few more; never all of a class."""
    rng = np.random.default_rng(seed)
    members: dict[str, list[int]] = {name: [] for name in classes}
    groups: dict[str, list[int]] = {}
    for index, photo in enumerate(photos):
        members[photo.label or ""].append(index)
        if photo.group is not None:
            groups.setdefault(photo.group, []).append(index)
    left = {name: len(own) for name, own in members.items()}
    chosen: set[int] = set()
    for own in members.values():
        wanted = len(own) - math.ceil(share * len(own))
        for index in rng.permutation(np.array(own, np.int64)).tolist():
            photo = photos[index]
            if left[photo.label or ""] <= wanted:
                break
            group = groups[photo.group] if photo.group is not None else [index]
            leaving = Counter(photos[i].label or "" for i in group if i not in chosen)
            if all(left[label] > count for label, count in leaving.items()):
                chosen.update(group)
                for label, count in leaving.items():
                    left[label] -= count
    return chosen
