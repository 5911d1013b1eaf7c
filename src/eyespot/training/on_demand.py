"""Images that exceed the memory: each is decoded whenever it is needed."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from os import cpu_count

import numpy as np
from PIL import Image

from eyespot.arrays import I64, U8
from eyespot.data.decode import decode
from eyespot.data.photos import Photo, Skipped
from eyespot.data.transforms import Preprocessing, prepare
from eyespot.errors import DatasetError, PhotoError
from eyespot.training import processes

TRIES = 100
"""Photos tried in place of an unreadable one before the error is raised."""


def decode_square(photo: Photo, side: int, channels: int) -> U8:
    """A photo as a square, uint8 [side, side, channels], grey for 1 channel. Raises PhotoError."""
    square = Preprocessing(side, (0.0,) * 3, (1.0,) * 3, fit="crop", crop_fraction=1.0)
    pixels = prepare(decode(photo.read(), short_side=side).pixels, square)
    if channels == 1:
        return np.asarray(Image.fromarray(pixels).convert("L"))[:, :, None]
    return pixels


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
