"""Which photos a network learns from, which validate it, and which test it."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from eyespot.data.photos import Dataset, Photo
from eyespot.errors import DatasetError

HELD_OUT = 0.1
"""Share of every class that is held out for validation where the photos do not say which."""


def divide(
    dataset: Dataset, share: float, seed: int
) -> tuple[list[Photo], list[Photo], list[Photo]]:
    """Photos to train on, to validate with, and to test on.

    By what the dataset says of each photo. Without a validation part, `share` of every class is
    held out of the training part, drawn with `seed`; photos of one group stay together. Raises
    DatasetError if nothing of a class is left to train on.
    """
    test = [photo for photo in dataset.photos if photo.split == "test"]
    held = [photo for photo in dataset.photos if photo.split == "val"]
    rest = [photo for photo in dataset.photos if photo.split not in ("test", "val")]
    if not held and share:
        chosen = _held_out(rest, dataset.classes, share, seed)
        held = [photo for index, photo in enumerate(rest) if index in chosen]
        rest = [photo for index, photo in enumerate(rest) if index not in chosen]
    if not rest:
        raise DatasetError("Expected photos to train on, and all are for validation or test.")
    expect_every_class((photo.label or "" for photo in rest), dataset.classes)
    return rest, held, test


def expect_every_class(labels: Iterable[str], classes: Sequence[str]) -> None:
    """Raises DatasetError if a class is not among the `labels` of what is learnt from."""
    found = set(labels)
    if missing := [name for name in classes if name not in found]:
        names = ", ".join(map(repr, missing[:10])) + (", ..." if len(missing) > 10 else "")
        raise DatasetError(
            f"Expected pictures of every class to train on, and there are none of {names} that can "
            "be read outside of validation and test. Add some, or take out the rest of such a "
            "class."
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
            name = photo.label or ""
            if left[name] <= wanted:
                break
            together = groups[photo.group] if photo.group is not None else [index]
            leaving = Counter(photos[i].label or "" for i in together if i not in chosen)
            if all(left[label] > count for label, count in leaving.items()):
                chosen.update(together)
                for label, count in leaving.items():
                    left[label] -= count
    return chosen
