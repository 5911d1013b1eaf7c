"""Embed: the frozen maps of all photos and of their mirror images, by way of the cache."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from eyespot.arrays import F32, I64, Bools
from eyespot.data.boxes.dataset import AnnotatedPhoto
from eyespot.data.duplicates import dhash
from eyespot.data.photos import Photo, Skipped, content_hash
from eyespot.data.transforms import PIXELS
from eyespot.errors import PhotoError
from eyespot.features.cache import FeatureCache, Record
from eyespot.features.dense import STRIDES, DenseEngine
from eyespot.features.extract import thumbnail
from eyespot.features.usable import fault_of
from eyespot.tasks.detection.frame import Frame, frame_of, input_scale, input_size, mirrored
from eyespot.tasks.detection.stored_maps import HeldMaps, StoredMaps

VERSION = 1
"""Of the inputs and maps of a photo: raise it when they change."""
CHUNK = 16
"""Photos that are looked up and stored together."""


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One input of `height` and `width` pixels: its maps, read each time they are asked for, and
    its boxes in pixels of the input. `channels`: of each map."""

    stored: StoredMaps | HeldMaps
    height: int
    width: int
    channels: tuple[int, ...]
    boxes: F32
    labels: I64
    ignored: Bools

    @property
    def maps(self) -> tuple[NDArray[np.float16], ...]:
        """float16 [C, h, w] each. Raises PhotoError as `StoredMaps.row` does."""
        return maps_of(self.stored.row(), (self.height, self.width), self.channels)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the first map."""
        return self.height // STRIDES[0], self.width // STRIDES[0]


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """An annotated photo with its maps: `views` are the photo and, for training, its mirror image.

    `width`, `height`: of the photo, in pixels. `sha256`, `dhash`, `thumbnail`: as in the cache.
    """

    photo: AnnotatedPhoto
    views: tuple[Example, ...]
    width: int
    height: int
    sha256: str
    dhash: int
    thumbnail: bytes


def embed_photos(
    photos: Sequence[AnnotatedPhoto],
    classes: Sequence[str],
    engine: DenseEngine,
    channels: Sequence[int],
    *,
    mirror: bool,
    cache: FeatureCache | None,
    progress: Callable[[int], None],
) -> tuple[list[Embedded], list[Skipped]]:
    """The photos that can be read, in their order, and the others with the reason.

    `mirror`: with the mirror image of each. Maps are looked up in the cache and stored in it as
    soon as they are computed, so that a run that was stopped goes on; they stay there until they
    are used, and in memory only without a cache.
    """
    numbers = {name: number for number, name in enumerate(classes)}
    keys = [
        f"{engine.key}-{VERSION}-{PIXELS}{side}"
        for side in (("", "-mirrored") if mirror else ("",))
    ]
    found: list[Embedded] = []
    skipped: list[Skipped] = []
    with engine.pool() as pool:
        rest = iter(photos)
        while chunk := list(islice(rest, CHUNK)):
            for photo, records in _records(chunk, engine, keys, cache, pool):
                if isinstance(records, str):
                    skipped.append(Skipped(photo.photo.name, records))
                    continue
                stored: Sequence[StoredMaps | HeldMaps]
                if cache is None:
                    stored = [HeldMaps(one.features.astype(np.float16)) for one in records[1]]
                else:
                    stored = [
                        StoredMaps(
                            cache, key, records[0], partial(_again, photo.photo, engine, view)
                        )
                        for view, key in enumerate(keys)
                    ]
                found.append(_embedded(photo, records, stored, numbers, channels))
                progress(1)
    return found, skipped


Records = tuple[str, tuple[Record, ...]]


def _records(
    chunk: Sequence[AnnotatedPhoto],
    engine: DenseEngine,
    keys: Sequence[str],
    cache: FeatureCache | None,
    pool: ThreadPoolExecutor,
) -> Iterator[tuple[AnnotatedPhoto, Records | str]]:
    """Each photo with its sha256 and the records of its views, or why it has none."""
    contents = list(pool.map(_read, (one.photo for one in chunk)))
    sha256s = [sha256 for _, sha256, _ in contents]
    known = [{} if cache is None else cache.get_many(sha256s, key) for key in keys]
    pending: list[Future[tuple[Record, ...] | str] | str | None] = []
    for data, sha256, error in contents:
        if error:
            pending.append(error)
        elif all(sha256 in records for records in known):
            pending.append(None)
        else:
            pending.append(pool.submit(_compute, data, engine, len(keys)))
    for photo, sha256, work in zip(chunk, sha256s, pending, strict=True):
        if isinstance(work, str):
            yield photo, work
        elif work is None:
            yield photo, (sha256, tuple(records[sha256] for records in known))
        else:
            done = work.result()
            if not isinstance(done, str) and cache is not None:
                for key, record in zip(keys, done, strict=True):
                    cache.put_many(key, {sha256: record})
            yield photo, done if isinstance(done, str) else (sha256, done)


def _read(photo: Photo) -> tuple[bytes | NDArray[np.uint8], str, str]:
    """The content of a photo, its sha256, and why it cannot be read."""
    try:
        data = photo.read()
    except PhotoError as error:
        return b"", "", str(error)
    return data, content_hash(data), ""


def _compute(
    data: bytes | NDArray[np.uint8], engine: DenseEngine, views: int
) -> tuple[Record, ...] | str:
    try:
        frame = frame_of(data)
    except PhotoError as error:
        return str(error)
    records = tuple(_record(one, engine) for one in (frame, mirrored(frame))[:views])
    return next(filter(None, (fault_of(one.features) for one in records)), "") or records


def _again(photo: Photo, engine: DenseEngine, view: int) -> Record:
    """The record of a photo (view 0) or its mirror image (1). Raises PhotoError."""
    frame = frame_of(photo.read())
    return _record(mirrored(frame) if view else frame, engine)


def _record(frame: Frame, engine: DenseEngine) -> Record:
    maps = engine.run(frame.pixels)
    return Record(
        features=np.concatenate([one.ravel() for one in maps]).astype(np.float16),
        dhash=dhash(frame.pixels),
        thumbnail=thumbnail(frame.pixels, frame.width / frame.height),
        width=frame.width,
        height=frame.height,
    )


def _embedded(
    photo: AnnotatedPhoto,
    records: Records,
    stored: Sequence[StoredMaps | HeldMaps],
    numbers: dict[str, int],
    channels: Sequence[int],
) -> Embedded:
    sha256, views = records
    first = views[0]
    width, height = input_size(first.width, first.height)
    upright = (photo.boxes * input_scale(first.width, first.height)).astype(np.float32)
    labels = np.array([numbers[label] for label in photo.labels], np.int64)
    examples = tuple(
        Example(maps, height, width, tuple(channels), boxes, labels, photo.ignored)
        for maps, boxes in zip(stored, (upright, mirrored_boxes(upright, width)), strict=False)
    )
    return Embedded(
        photo, examples, first.width, first.height, sha256, first.dhash, first.thumbnail
    )


def mirrored_boxes(boxes: F32, width: float) -> F32:
    """Boxes [n, 4] in the mirror image of an input of this width."""
    left, top, right, bottom = boxes.T
    return np.stack([width - right, top, width - left, bottom], axis=1)


def maps_of(
    row: NDArray[np.float16], size: tuple[int, int], channels: Iterable[int]
) -> tuple[NDArray[np.float16], ...]:
    """The maps [C, h, w] of an input of this height and width, from one row of them."""
    height, width = size
    maps = []
    start = 0
    for count, stride in zip(channels, STRIDES, strict=True):
        shape = count, height // stride, width // stride
        end = start + count * shape[1] * shape[2]
        maps.append(row[start:end].reshape(shape))
        start = end
    return tuple(maps)
