"""Labelled pictures ready for training: decoded once and kept as bytes, or decoded on demand."""

import math
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from eyespot.data.parquet import ParquetSource
from eyespot.data.photos import Dataset, Photo, Skipped
from eyespot.errors import DatasetError, PhotoError
from eyespot.training import processes
from eyespot.training.on_demand import OnDemand, fitted

MEMORY = 4 * 2**30
"""Bytes of pictures that are kept in memory; more go to a file that vanishes with the process."""


@dataclass(frozen=True)
class Pictures:
    """`images`: uint8 [N, S, S, C]. `labels`: int64 [N], indices of `classes`."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, index: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """uint8 [n, C, S, S] and int64 [n]. Raises DatasetError if nothing can be read any more."""
        some = self.take(index)
        return torch.from_numpy(some.images).permute(0, 3, 1, 2), torch.from_numpy(some.labels)

    def take(self, index: NDArray[np.int64]) -> "Pictures":
        """Those pictures, in memory."""
        if isinstance(self.images, OnDemand):
            images, index = self.images.read(index)
        else:
            images = self.images[index]
        return Pictures(images, self.labels[index], self.classes)

    def order(self, index: NDArray[np.int64]) -> None:
        """Begin to read those that `batch` will be asked for next."""
        if isinstance(self.images, OnDemand):
            self.images.order(index)

    @property
    def unread(self) -> dict[int, Skipped]:
        """By index, those for which others stood in, as they proved unreadable."""
        return self.images.unread if isinstance(self.images, OnDemand) else {}


def open_pictures(
    photos: Sequence[Photo],
    classes: tuple[str, ...],
    side: int,
    channels: int,
    progress: Callable[[int], None] = lambda done: None,
) -> tuple[Pictures, list[Skipped]]:
    """As `read_pictures`; if they are more than the memory holds for the processes on this machine,
    each is decoded on demand. Rows of Parquet have to be read in their order, and never are."""
    size = math.prod((len(photos), side, side, channels)) * processes.neighbours()
    if size <= MEMORY or any(isinstance(photo.source, ParquetSource) for photo in photos):
        return read_pictures(photos, classes, side, channels, progress)
    images: Any = OnDemand(photos, side, channels)  # can be indexed as an array
    return Pictures(images, _labels(photos, classes), classes), []


def read_pictures(
    photos: Sequence[Photo],
    classes: tuple[str, ...],
    side: int,
    channels: int,
    progress: Callable[[int], None] = lambda done: None,
) -> tuple[Pictures, list[Skipped]]:
    """Decode all photos and fit them to squares of `side` pixels, in 1 (grey) or 3 channels.

    Raises DatasetError if none can be read.
    """
    shape = (len(photos), side, side, channels)
    size = int(np.prod(shape))
    images: NDArray[np.uint8]
    if size <= MEMORY:
        images = np.empty(shape, np.uint8)
    else:
        file = tempfile.TemporaryFile()  # noqa: SIM115  lives as long as the pictures
        images = np.memmap(file, np.uint8, "w+", shape=shape)
    skipped: list[Skipped] = []
    kept: list[int] = []

    def read(index: int) -> str:
        try:
            images[index] = fitted(photos[index], side, channels)
        except PhotoError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(cpu_count() or 1) as pool:
        for index, error in enumerate(pool.map(read, range(len(photos)))):
            if error:
                skipped.append(Skipped(photos[index].name, error))
            else:
                kept.append(index)
            progress(1)
    if not kept:
        reason = f" ({skipped[0].path}: {skipped[0].reason})" if skipped else ""
        raise DatasetError(f"Expected pictures to train on, and none can be read{reason}.")
    labels = _labels(photos, classes)
    if len(kept) < len(photos):
        images, labels = images[np.array(kept)], labels[np.array(kept)]
    return Pictures(images, labels, classes), skipped


def _labels(photos: Sequence[Photo], classes: tuple[str, ...]) -> NDArray[np.int64]:
    """The photos' labels as indices of `classes`, int64 [N]."""
    numbers = {name: number for number, name in enumerate(classes)}
    return np.array([numbers[photo.label or ""] for photo in photos], np.int64)


def divide(
    dataset: Dataset, share: float, seed: int
) -> tuple[list[Photo], list[Photo], list[Photo]]:
    """Photos to train on, to validate with, and to test on.

    By what the dataset says of each photo. Without a validation part, `share` of every class is
    held out of the training part, drawn with `seed`. Raises DatasetError if nothing is left to
    train on.
    """
    test = [photo for photo in dataset.photos if photo.split == "test"]
    held = [photo for photo in dataset.photos if photo.split == "val"]
    rest = [photo for photo in dataset.photos if photo.split not in ("test", "val")]
    if not held and share:
        rng = np.random.default_rng(seed)
        chosen: set[int] = set()
        for name in dataset.classes:
            members = [index for index, photo in enumerate(rest) if photo.label == name]
            count = min(math.ceil(share * len(members)), len(members) - 1)
            chosen.update(rng.permutation(members)[: max(count, 0)].tolist())
        held = [photo for index, photo in enumerate(rest) if index in chosen]
        rest = [photo for index, photo in enumerate(rest) if index not in chosen]
    if not rest:
        raise DatasetError("Expected photos to train on, and all are for validation or test.")
    return rest, held, test
