"""From photos to features: read, look up, decode, run the network, cache.

Worker threads each take a batch of photos through all steps, so that decoding on one core overlaps
inference on another and queues stay short: memory holds a few batches. Only the calling thread uses
the cache.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from simplejpeg import encode_jpeg

from eyespot.data.decode import decode
from eyespot.data.duplicates import Duplicates, dhash, find_duplicates
from eyespot.data.photos import Photo, Skipped, content_hash
from eyespot.data.transforms import Preprocessing, needed_short_side, prepare
from eyespot.errors import PhotoError, UsageError
from eyespot.features.backbone import Backbone
from eyespot.features.cache import FeatureCache, Record
from eyespot.features.engines import BATCH, Engine
from eyespot.features.usable import fault_of
from eyespot.shown import Brief

THUMBNAIL = 96
"""Longest side of a thumbnail, in pixels."""

T = TypeVar("T")
Progress = Callable[[int], None]
"""Called with the number of photos done since the last call."""


@dataclass(frozen=True, repr=False)
class Features(Brief):
    """Features and other facts of n photos, in their given order.

    `values`: float16 [n, D], so that 100,000 photos with 7,089 features each fit a laptop.
    `layout`: columns by block (`stage.pooling`). `dhash`: uint64 [n], perceptual hashes.
    `thumbnails`: JPEG files. `sha256`: of each photo's content.
    """

    names: tuple[str, ...]
    sha256: tuple[str, ...]
    values: NDArray[np.float16]
    layout: dict[str, slice]
    dhash: NDArray[np.uint64]
    thumbnails: tuple[bytes, ...]

    def __len__(self) -> int:
        return len(self.names)

    def inputs(self, blocks: Sequence[str]) -> NDArray[np.float32]:
        """The input of a head: `head_inputs` of the named blocks."""
        return head_inputs(self.values, self.layout, blocks)

    def duplicates(self, groups: Sequence[str | None] | None = None) -> Duplicates:
        """See `find_duplicates`."""
        return find_duplicates(self.sha256, self.dhash, self.thumbnails, groups)

    def take(self, index: Sequence[int] | NDArray[np.int64]) -> "Features":
        """The photos at `index`, in that order."""
        rows = np.asarray(index, dtype=np.int64)
        names, sha256, thumbnails = (
            tuple(texts[i] for i in rows) for texts in (self.names, self.sha256, self.thumbnails)
        )
        return Features(names, sha256, self.values[rows], self.layout, self.dhash[rows], thumbnails)


def join_features(first: Features, second: Features) -> Features:
    """The photos of `first`, then those of `second`; both of the same layout."""
    return Features(
        names=first.names + second.names,
        sha256=first.sha256 + second.sha256,
        values=np.concatenate([first.values, second.values]),
        layout=first.layout,
        dhash=np.concatenate([first.dhash, second.dhash]),
        thumbnails=first.thumbnails + second.thumbnails,
    )


def head_inputs(
    values: NDArray[np.floating], layout: dict[str, slice], blocks: Sequence[str]
) -> NDArray[np.float32]:
    """The input of a head from features [n, D]: signed roots of the named blocks, float32 [n, d].

    Pooled activations are mostly small and rarely large; roots reduce that skew (power
    normalisation: Perronnin, Sanchez and Mensink, ECCV 2010, section 3.1).
    """
    chosen = [values[:, layout[block]] for block in blocks]
    return signed_roots(np.concatenate(chosen, axis=1, dtype=np.float32))


def signed_roots(inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """sqrt(x), or -sqrt(-x) where x is negative: float32 of any shape."""
    roots = np.abs(inputs)
    np.sqrt(roots, out=roots)
    return np.copysign(roots, inputs, out=roots)


def block_widths(layout: dict[str, slice], blocks: Sequence[str]) -> list[int]:
    """The number of columns of each of the named blocks."""
    return [layout[block].stop - layout[block].start for block in blocks]


@dataclass(frozen=True, slots=True, repr=False)
class Embedded(Brief):
    """The record of one photo, or the `error` for which it has none."""

    index: int
    sha256: str
    record: Record | None
    error: str = ""


def embed(
    photos: Sequence[Photo],
    backbone: Backbone,
    engine: Engine,
    cache: FeatureCache | None = None,
    progress: Progress = lambda done: None,
) -> tuple[Features, list[int], list[Skipped]]:
    """Features of the readable photos, their indices, and the skipped photos."""
    kept: list[Embedded] = []
    skipped: list[Skipped] = []
    width = max(columns.stop for columns in engine.layout.values())
    for item in stream(photos, backbone, engine, cache):
        if item.record is None:
            skipped.append(Skipped(photos[item.index].name, item.error))
        else:
            kept.append(item)
        progress(1)
    kept.sort(key=lambda item: item.index)
    skipped.sort(key=lambda item: item.path)
    records = [item.record for item in kept if item.record is not None]
    rows = [record.features.astype(np.float16, copy=False) for record in records]
    features = Features(
        names=tuple(photos[item.index].name for item in kept),
        sha256=tuple(item.sha256 for item in kept),
        values=np.stack(rows) if rows else np.empty((0, width), np.float16),
        layout=engine.layout,
        dhash=np.array([record.dhash for record in records], dtype=np.uint64),
        thumbnails=tuple(record.thumbnail for record in records),
    )
    return features, [item.index for item in kept], skipped


def stream(
    photos: Iterable[Photo], backbone: Backbone, engine: Engine, cache: FeatureCache | None = None
) -> Iterator[Embedded]:
    """Each photo once, about in order, with its features or the reason why it has none.

    Memory is bounded by a few batches. Finished features reach the cache even if the consumer
    stops early or the process is interrupted. Raises UsageError in a forked child that continues
    an iteration of its parent.
    """
    yield from _Pipeline(backbone, engine, cache).run(photos)


class _Pipeline:
    """Batches of photos between two queues: those being read, and those being embedded."""

    def __init__(self, backbone: Backbone, engine: Engine, cache: FeatureCache | None) -> None:
        self.backbone, self.engine, self.cache = backbone, engine, cache
        self.process = os.getpid()
        self.pool = ThreadPoolExecutor(engine.workers, thread_name_prefix="eyespot")
        self.embedding: deque[Future[list[Embedded]]] = deque()
        self.new: list[_Content] = []
        self.unsaved: dict[str, Record] = {}

    def run(self, photos: Iterable[Photo]) -> Iterator[Embedded]:
        numbered = enumerate(photos)
        reading: deque[Future[list[_Content]]] = deque()
        try:
            while True:
                while len(reading) < 2 and (batch := list(islice(numbered, 4 * BATCH))):
                    reading.append(self.pool.submit(_read, batch))
                if not reading:
                    break
                yield from self._look_up(self._result(reading.popleft()))
                while len(self.new) >= BATCH:
                    self._submit(BATCH)
                while len(self.embedding) > 4 * self.engine.workers:
                    yield from self._finished()
            if self.new:
                self._submit(BATCH)
            while self.embedding:
                yield from self._finished()
        finally:
            self.pool.shutdown(wait=True, cancel_futures=True)
            self._save()

    def _look_up(self, contents: list["_Content"]) -> Iterator[Embedded]:
        """The photos that are in the cache or unreadable; the others are added to `new`."""
        keys = [content.sha256 for content in contents if not content.error]
        known = {} if self.cache is None else self.cache.get_many(keys, self.backbone.cache_key)
        for content in contents:
            if content.error or content.sha256 in known:
                record = known.get(content.sha256)
                yield Embedded(content.index, content.sha256, record, content.error)
            else:
                self.new.append(content)

    def _submit(self, count: int) -> None:
        part, self.new = self.new[:count], self.new[count:]
        future = self.pool.submit(_embed, part, self.backbone.preprocessing, self.engine)
        self.embedding.append(future)

    def _finished(self) -> list[Embedded]:
        """The results of the oldest batch."""
        items = self._result(self.embedding.popleft())
        self.unsaved |= {item.sha256: item.record for item in items if item.record is not None}
        if len(self.unsaved) >= 4 * BATCH:
            self._save()
        return items

    def _save(self) -> None:
        if self.cache is not None and self.unsaved:
            self.cache.put_many(self.backbone.cache_key, self.unsaved)
        self.unsaved = {}

    def _result(self, future: Future[T]) -> T:
        if os.getpid() != self.process:
            raise UsageError(
                "A forked process cannot continue to read photos of its parent, whose threads do "
                "not exist there. Read them in the process that began."
            )
        return future.result()


@dataclass(frozen=True, slots=True)
class _Content:
    """The bytes or pixels of one photo, or the reason why it could not be read."""

    index: int
    sha256: str
    data: bytes | NDArray[Any]
    error: str = ""


def _read(batch: list[tuple[int, Photo]]) -> list[_Content]:
    contents = []
    for index, photo in batch:
        try:
            data = photo.read()
        except PhotoError as error:
            contents.append(_Content(index, "", b"", str(error)))
        else:
            contents.append(_Content(index, content_hash(data), data))
    return contents


def _embed(
    contents: list[_Content], preprocessing: Preprocessing, engine: Engine
) -> list[Embedded]:
    done: list[Embedded] = []
    ready: list[tuple[_Content, NDArray[np.uint8], partial[Record]]] = []
    short_side = needed_short_side(preprocessing)
    for content in contents:
        try:
            image = decode(content.data, short_side=short_side)
        except PhotoError as error:
            done.append(Embedded(content.index, content.sha256, None, str(error)))
            continue
        pixels = prepare(image.pixels, preprocessing)
        record = partial(
            Record,
            dhash=dhash(pixels),
            thumbnail=thumbnail(pixels, image.width / image.height),
            width=image.width,
            height=image.height,
        )
        ready.append((content, pixels, record))
    if ready:
        features = engine.run(np.stack([pixels for _, pixels, _ in ready]))
        for (content, _, record), row in zip(ready, features, strict=True):
            fault = fault_of(row)
            known = None if fault else record(row)
            done.append(Embedded(content.index, content.sha256, known, fault))
    return done


def thumbnail(pixels: NDArray[np.uint8], aspect: float) -> bytes:
    """A small JPEG of the network's input, uint8 RGB [S, S, 3], in the photo's own proportions.

    `aspect`: width / height of the photo. The longest side is THUMBNAIL pixels.
    """
    width = max(1, round(THUMBNAIL * min(1.0, aspect)))
    height = max(1, round(THUMBNAIL / max(1.0, aspect)))
    small = Image.fromarray(pixels).resize(
        (width, height), Image.Resampling.BILINEAR, reducing_gap=1.0
    )
    return bytes(encode_jpeg(np.asarray(small), quality=80))
