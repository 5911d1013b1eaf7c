"""Labelled images ready for training: decoded once and kept as bytes, or decoded on demand."""

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

from eyespot.arrays import I64, U8
from eyespot.data.parquet import ParquetSource
from eyespot.data.photos import Photo, Skipped
from eyespot.errors import DatasetError, PhotoError
from eyespot.training import processes
from eyespot.training.on_demand import LazyImages, decode_square

MEMORY = 4 * 2**30
"""Bytes that are kept in memory; more go to a temporary file."""

Number = TypeVar("Number", bound=np.generic)

CHUNK = 64
"""Photos that a thread reads at a time."""
QUICK = 0.5e-3
"""Seconds for a photo below which threads wait for Python's lock longer than they save: two take
2.4 times as long as one over MNIST's and CIFAR-10's images, 0.07 ms each."""


@dataclass(frozen=True)
class ImageSet:
    """`images`: uint8 [N, S, S, C]. `labels`: int64 [N], indices of `classes`."""

    images: U8
    labels: I64
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, index: I64) -> tuple[Tensor, Tensor]:
        """uint8 [n, C, S, S] and int64 [n]. Raises DatasetError if photos cannot be read now."""
        some = self.take(index)
        return torch.from_numpy(some.images).permute(0, 3, 1, 2), torch.from_numpy(some.labels)

    def take(self, index: I64) -> "ImageSet":
        """The images at `index`, in memory."""
        if isinstance(self.images, LazyImages):
            images, index = self.images.read(index)
        else:
            images = self.images[index]
        return ImageSet(images, self.labels[index], self.classes)

    def prefetch(self, index: I64) -> None:
        """Begin to decode the images of the next calls of `batch`."""
        if isinstance(self.images, LazyImages):
            self.images.prefetch(index)

    @property
    def unread(self) -> dict[int, Skipped]:
        """The photos that could not be read, by index; other images replace them."""
        return self.images.unread if isinstance(self.images, LazyImages) else {}


def open_images(
    photos: Sequence[Photo],
    classes: tuple[str, ...],
    side: int,
    channels: int,
    progress: Callable[[int], None] = lambda done: None,
) -> tuple[ImageSet, list[Skipped]]:
    """Read all photos, or, if they exceed the memory of this machine's processes, decode on demand.

    Rows of Parquet files are always read at once, in their order. Raises as `read_images` does.
    """
    size = math.prod((len(photos), side, side, channels)) * processes.local_count()
    if size <= MEMORY or any(isinstance(photo.source, ParquetSource) for photo in photos):
        return read_images(photos, classes, side, channels, progress)
    images: Any = LazyImages(photos, side, channels)  # can be indexed as an array
    return ImageSet(images, _labels(photos, classes), classes), []


def read_images(
    photos: Sequence[Photo],
    classes: tuple[str, ...],
    side: int,
    channels: int,
    progress: Callable[[int], None] = lambda done: None,
) -> tuple[ImageSet, list[Skipped]]:
    """Decode all photos to squares of `side` pixels, in 1 (grey) or 3 channels.

    Returns the images and the photos that could not be read. Raises DatasetError if none can.
    """
    images = allocate((len(photos), side, side, channels), np.uint8)
    errors: dict[int, str] = {}

    def read(start: int) -> int:
        """Decode a chunk of photos into `images`; the number of photos."""
        chunk = photos[start : start + CHUNK]
        for index, photo in enumerate(chunk, start):
            try:
                images[index] = decode_square(photo, side, channels)
            except PhotoError as error:
                errors[index] = str(error)
        return len(chunk)

    start = time.perf_counter()
    first = read(0)
    quick = time.perf_counter() - start < QUICK * CHUNK
    with ThreadPoolExecutor(1 if quick else cpu_count() or 1) as pool:
        for count in chain([first], pool.map(read, range(CHUNK, len(photos), CHUNK))):
            progress(count)
    skipped = [Skipped(photos[index].name, errors[index]) for index in sorted(errors)]
    if len(skipped) == len(photos):
        reason = f" ({skipped[0].path}: {skipped[0].reason})" if skipped else ""
        raise DatasetError(f"Expected photos to train on, but none can be read{reason}.")
    labels = _labels(photos, classes)
    if skipped:
        kept = np.setdiff1d(np.arange(len(photos)), list(errors))
        images, labels = images[kept], labels[kept]
    return ImageSet(images, labels, classes), skipped


def allocate(shape: tuple[int, ...], kind: type[Number]) -> NDArray[Number]:
    """An empty array, in memory up to `MEMORY` bytes, else in a temporary file."""
    if math.prod(shape) * np.dtype(kind).itemsize <= MEMORY:
        return np.empty(shape, kind)
    file = tempfile.TemporaryFile()  # noqa: SIM115  lives as long as the array
    return np.memmap(file, kind, "w+", shape=shape)


def _labels(photos: Sequence[Photo], classes: tuple[str, ...]) -> I64:
    """The photos' labels as indices of `classes`, int64 [N]."""
    numbers = {name: number for number, name in enumerate(classes)}
    return np.array([numbers[photo.label or ""] for photo in photos], np.int64)
