"""Labelled images ready for training: decoded once and kept as bytes, or decoded on demand."""

import math
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from os import cpu_count
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from eyespot.arrays import I64, U8
from eyespot.data.decode import decode
from eyespot.data.parquet import ParquetSource
from eyespot.data.photos import Photo, Skipped
from eyespot.data.transforms import Preprocessing, prepare
from eyespot.errors import DatasetError, PhotoError
from eyespot.training import processes

MEMORY = 4 * 2**30
"""Bytes that are kept in memory; more go to a temporary file."""

Number = TypeVar("Number", bound=np.generic)

TRIES = 100
"""Photos tried in place of an unreadable one before the error is raised."""
CHUNK = 64
"""Photos that a thread reads at a time."""
QUICK = 0.5e-3
"""Seconds for a photo below which threads wait for Python's lock longer than they save: two take
2.4 times as long as one over MNIST's and CIFAR-10's images, 0.07 ms each."""


class LazyImages:
    """`photos` as an array uint8 [N, side, side, channels]; memory holds only prefetched images.

    Another photo, always the same, replaces one that cannot be read.
    """

    def __init__(self, photos: Sequence[Photo], side: int, channels: int) -> None:
        self.photos = photos
        self.shape = (len(photos), side, side, channels)
        self.unread: dict[int, Skipped] = {}
        self._pool = ThreadPoolExecutor(max(1, (cpu_count() or 1) // processes.local_count()))
        self._pending: dict[int, Future[U8 | None]] = {}

    def __getitem__(self, index: int) -> U8:
        """uint8 [side, side, channels]."""
        images: U8 = self.read(np.array([index]))[0][0]
        return images

    def prefetch(self, index: I64) -> None:
        """Begin to decode the images of the next calls of `read`."""
        for number in index.tolist():
            if number not in self._pending:
                self._pending[number] = self._pool.submit(self._decode, number)

    def read(self, index: I64) -> tuple[U8, I64]:
        """uint8 [n, side, side, channels], and the indices of the photos really read, int64 [n].

        Raises DatasetError if neither a photo nor its replacements can be read.
        """
        self.prefetch(index)
        wanted, places = np.unique(index, return_inverse=True)
        found = [self._find(number) for number in wanted.tolist()]
        images = np.stack([found[place][0] for place in places])
        return images, np.array([found[place][1] for place in places], np.int64)

    def _find(self, number: int) -> tuple[U8, int]:
        pixels = self._pending.pop(number).result()
        if pixels is not None:
            return pixels, number
        others = np.random.default_rng(number).integers(len(self.photos), size=TRIES)
        for other in others.tolist():
            if (pixels := self._decode(other)) is not None:
                return pixels, other
        lost = self.unread[number]
        raise DatasetError(
            f"Expected photos to train on, but {lost.path} ({lost.reason}) and {TRIES} others "
            "cannot be read. Check that their disk is connected, and run the same command again."
        )

    def _decode(self, number: int) -> U8 | None:
        if number not in self.unread:
            try:
                return decode_square(self.photos[number], self.shape[1], self.shape[3])
            except PhotoError as error:
                self.unread[number] = Skipped(self.photos[number].name, str(error))
        return None


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
    *,
    in_memory: bool = False,
) -> tuple[ImageSet, list[Skipped]]:
    """Decode all photos to squares of `side` pixels, in 1 (grey) or 3 channels.

    If they exceed the memory of this machine's processes, they are decoded on demand, except with
    `in_memory`. Rows of Parquet files are always read at once, in their order. Returns the images
    and the photos that could not be read. Raises DatasetError if none can.
    """
    size = math.prod((len(photos), side, side, channels)) * processes.local_count()
    rows = any(isinstance(photo.source, ParquetSource) for photo in photos)
    if size > MEMORY and not (rows or in_memory):
        lazy: Any = LazyImages(photos, side, channels)  # can be indexed as an array
        return ImageSet(lazy, _labels(photos, classes), classes), []
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


def decode_square(photo: Photo, side: int, channels: int) -> U8:
    """A photo as a square, uint8 [side, side, channels], grey for 1 channel. Raises PhotoError."""
    square = Preprocessing(side, (0.0,) * 3, (1.0,) * 3, fit="crop", crop_fraction=1.0)
    pixels = prepare(decode(photo.read(), short_side=side).pixels, square)
    if channels == 1:
        return np.asarray(Image.fromarray(pixels).convert("L"))[:, :, None]
    return pixels
