"""Labelled pictures ready for training: decoded once and kept as bytes, or decoded on demand."""

import math
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from os import cpu_count
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from eyespot.data.parquet import ParquetSource
from eyespot.data.photos import Photo, Skipped
from eyespot.errors import DatasetError, PhotoError
from eyespot.training import processes
from eyespot.training.on_demand import OnDemand, fitted

MEMORY = 4 * 2**30
"""Bytes that are kept in memory; more go to a file that vanishes with the process."""

Number = TypeVar("Number", bound=np.generic)

AT_ONCE = 64
"""Pictures that a thread reads at a time."""
QUICK = 0.5e-3
"""Seconds for a picture below which threads wait for each other (for Python's lock) more than they
gain: two take 2.4 times as long as one over those of MNIST and CIFAR-10, 0.07 ms each."""


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
    images = room((len(photos), side, side, channels), np.uint8)
    skipped: list[Skipped] = []
    kept: list[int] = []

    def read(start: int) -> list[tuple[int, str]]:
        """Why each of some pictures cannot be read, or nothing."""
        errors = []
        for index in range(start, min(start + AT_ONCE, len(photos))):
            try:
                images[index] = fitted(photos[index], side, channels)
            except PhotoError as error:
                errors.append((index, str(error)))
            else:
                errors.append((index, ""))
        return errors

    start = time.perf_counter()
    first = read(0)
    quick = time.perf_counter() - start < QUICK * AT_ONCE
    with ThreadPoolExecutor(1 if quick else cpu_count() or 1) as pool:
        for errors in chain([first], pool.map(read, range(AT_ONCE, len(photos), AT_ONCE))):
            for index, error in errors:
                if error:
                    skipped.append(Skipped(photos[index].name, error))
                else:
                    kept.append(index)
            progress(len(errors))
    if not kept:
        reason = f" ({skipped[0].path}: {skipped[0].reason})" if skipped else ""
        raise DatasetError(f"Expected pictures to train on, and none can be read{reason}.")
    labels = _labels(photos, classes)
    if len(kept) < len(photos):
        images, labels = images[np.array(kept)], labels[np.array(kept)]
    return Pictures(images, labels, classes), skipped


def room(shape: tuple[int, ...], kind: type[Number]) -> NDArray[Number]:
    """An array to be filled, in memory if it has less than `MEMORY` bytes, else in a file that
    vanishes with it."""
    if math.prod(shape) * np.dtype(kind).itemsize <= MEMORY:
        return np.empty(shape, kind)
    file = tempfile.TemporaryFile()  # noqa: SIM115  lives as long as the array
    return np.memmap(file, kind, "w+", shape=shape)


def _labels(photos: Sequence[Photo], classes: tuple[str, ...]) -> NDArray[np.int64]:
    """The photos' labels as indices of `classes`, int64 [N]."""
    numbers = {name: number for number, name in enumerate(classes)}
    return np.array([numbers[photo.label or ""] for photo in photos], np.int64)
