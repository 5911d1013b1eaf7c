"""Pictures that are too many to keep decoded: each is decoded whenever it is needed."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from os import cpu_count

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from eyespot.data.decode import decode
from eyespot.data.photos import Photo, Skipped
from eyespot.data.transforms import Preprocessing, prepare
from eyespot.errors import DatasetError, PhotoError
from eyespot.training import processes

TRIES = 100
"""Pictures that may stand in for one that cannot be read before it is the disk that is blamed."""


def fitted(photo: Photo, side: int, channels: int) -> NDArray[np.uint8]:
    """A photo as a square, uint8 [side, side, channels], grey if that is 1. Raises PhotoError."""
    square = Preprocessing(side, (0.0,) * 3, (1.0,) * 3, fit="crop", crop_fraction=1.0)
    pixels = prepare(decode(photo.read(), short_side=side).pixels, square)
    if channels == 1:
        return np.asarray(Image.fromarray(pixels).convert("L"))[:, :, None]
    return pixels


class OnDemand:
    """`photos` as an array uint8 [N, side, side, channels], of which memory holds no more than the
    list and what was ordered. Another picture, always the same, stands in for one that cannot be
    read."""

    def __init__(self, photos: Sequence[Photo], side: int, channels: int) -> None:
        self.photos = photos
        self.shape = (len(photos), side, side, channels)
        self.unread: dict[int, Skipped] = {}
        self._pool = ThreadPoolExecutor(max(1, (cpu_count() or 1) // processes.neighbours()))
        self._ordered: dict[int, Future[NDArray[np.uint8] | None]] = {}

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        """uint8 [side, side, channels]."""
        images: NDArray[np.uint8] = self.read(np.array([index]))[0][0]
        return images

    def order(self, index: NDArray[np.int64]) -> None:
        """Begin to decode those that `read` will be asked for next."""
        for number in index.tolist():
            if number not in self._ordered:
                self._ordered[number] = self._pool.submit(self._decode, number)

    def read(self, index: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """uint8 [n, side, side, channels], and which they really are, int64 [n].

        Raises DatasetError if neither one nor what might stand in for it can be read.
        """
        self.order(index)
        wanted, places = np.unique(index, return_inverse=True)
        found = [self._find(number) for number in wanted.tolist()]
        images = np.stack([found[place][0] for place in places])
        return images, np.array([found[place][1] for place in places], np.int64)

    def _find(self, number: int) -> tuple[NDArray[np.uint8], int]:
        pixels = self._ordered.pop(number).result()
        if pixels is not None:
            return pixels, number
        others = np.random.default_rng(number).integers(len(self.photos), size=TRIES)
        for other in others.tolist():
            if (pixels := self._decode(other)) is not None:
                return pixels, other
        lost = self.unread[number]
        raise DatasetError(
            f"Expected pictures to train on; {lost.path} ({lost.reason}) and {TRIES} others cannot "
            "be read. See whether their disk is still there, and give the same command again."
        )

    def _decode(self, number: int) -> NDArray[np.uint8] | None:
        if number not in self.unread:
            try:
                return fitted(self.photos[number], self.shape[1], self.shape[3])
            except PhotoError as error:
                self.unread[number] = Skipped(self.photos[number].name, str(error))
        return None
