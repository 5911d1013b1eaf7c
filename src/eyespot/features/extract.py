"""From photos to features: read, look up, decode, run the network, keep.

Worker threads each take a batch of photos through all steps, so that decoding on one core
overlaps inference on another and no queue grows: memory holds a few batches however many photos
there are. The calling thread alone touches the cache.
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
from eyespot.data.duplicates import dhash
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
    """What is known of n photos after they went through a network, in their given order.

    `values`: float16 [n, D], because 100,000 photos of 7,089 numbers should fit a laptop; ask
    `columns` for float32. `layout`: columns by block (`stage.pooling`). `dhash`: uint64 [n],
    perceptual hashes. `thumbnails`: JPEG files. `sha256`: of each photo's content.
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
        """What a head sees: `head_inputs` of the named blocks."""
        return head_inputs(self.values, self.layout, blocks)

    def take(self, index: Sequence[int] | NDArray[np.int64]) -> "Features":
        """The photos at `index`, in that order."""
        return Features(
            names=tuple(self.names[i] for i in index),
            sha256=tuple(self.sha256[i] for i in index),
            values=self.values[np.asarray(index, dtype=np.int64)],
            layout=self.layout,
            dhash=self.dhash[np.asarray(index, dtype=np.int64)],
            thumbnails=tuple(self.thumbnails[i] for i in index),
        )


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
    """What a head sees of features [n, D]: the signed roots of named blocks, float32 [n, d].

    Pooled activations are mostly small and now and then large; the root evens them out (power
    normalisation: Perronnin, Sanchez and Mensink, ECCV 2010, section 3.1).
    """
    chosen = [values[:, layout[block]] for block in blocks]
    inputs = np.concatenate(chosen, axis=1, dtype=np.float32)
    return signed_roots(inputs)


def signed_roots(inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """sqrt(x), or -sqrt(-x) where x is negative: float32 of any shape."""
    roots = np.abs(inputs)
    np.sqrt(roots, out=roots)
    return np.copysign(roots, inputs, out=roots)


def block_widths(layout: dict[str, slice], blocks: Sequence[str]) -> list[int]:
    """How many columns each of the named blocks has."""
    return [layout[block].stop - layout[block].start for block in blocks]


@dataclass(frozen=True, slots=True, repr=False)
class Embedded(Brief):
    """One photo that went through, or `error` says why it did not (and `record` is None)."""

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
    """All photos in memory: the features of those that could be read, their indices, the rest."""
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
    stops early or the process is interrupted. Raises UsageError in a forked child that asks for
    more of what its parent began.
    """
    process, numbered = os.getpid(), enumerate(photos)
    fresh: list[tuple[str, Record]] = []
    unknown: list[_Content] = []
    reading: deque[Future[list[_Content]]] = deque()
    embedding: deque[Future[list[Embedded]]] = deque()

    def result(future: Future[T]) -> T:
        if os.getpid() != process:
            raise UsageError(
                "A forked process cannot go on with answers that its parent began to read: the "
                "threads at work are not there. Ask for them in the process that reads them."
            )
        return future.result()

    def keep(items: list[Embedded]) -> list[Embedded]:
        fresh.extend((item.sha256, item.record) for item in items if item.record is not None)
        if len(fresh) >= 4 * BATCH:
            flush()
        return items

    def flush() -> None:
        if cache is not None and fresh:
            cache.put_many(backbone.cache_key, dict(fresh))
        fresh.clear()

    with ThreadPoolExecutor(engine.workers, thread_name_prefix="eyespot") as pool:
        try:
            while True:
                while len(reading) < 2 and (batch := list(islice(numbered, 4 * BATCH))):
                    reading.append(pool.submit(_read, batch))
                if not reading:
                    break
                contents = result(reading.popleft())
                keys = [content.sha256 for content in contents if not content.error]
                known = cache.get_many(keys, backbone.cache_key) if cache is not None else {}
                for content in contents:
                    if content.error or content.sha256 in known:
                        record = known.get(content.sha256)
                        yield Embedded(content.index, content.sha256, record, content.error)
                    else:
                        unknown.append(content)
                while len(unknown) >= BATCH:
                    part, unknown = unknown[:BATCH], unknown[BATCH:]
                    embedding.append(pool.submit(_embed, part, backbone.preprocessing, engine))
                while len(embedding) > 4 * engine.workers:
                    yield from keep(result(embedding.popleft()))
            if unknown:
                embedding.append(pool.submit(_embed, unknown, backbone.preprocessing, engine))
            while embedding:
                yield from keep(result(embedding.popleft()))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            flush()


@dataclass(frozen=True, slots=True)
class _Content:
    """One photo as read: its bytes or pixels, or the reason why it could not be read."""

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
            picture = decode(content.data, short_side=short_side)
        except PhotoError as error:
            done.append(Embedded(content.index, content.sha256, None, str(error)))
            continue
        pixels = prepare(picture.pixels, preprocessing)
        record = partial(
            Record,
            dhash=dhash(pixels),
            thumbnail=thumbnail(pixels, picture.width / picture.height),
            width=picture.width,
            height=picture.height,
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
    """A small JPEG of what the network saw, uint8 RGB [S, S, 3], in the photo's own proportions.

    `aspect`: width / height of the photo. The longest side is THUMBNAIL pixels.
    """
    width = max(1, round(THUMBNAIL * min(1.0, aspect)))
    height = max(1, round(THUMBNAIL / max(1.0, aspect)))
    small = Image.fromarray(pixels).resize(
        (width, height), Image.Resampling.BILINEAR, reducing_gap=1.0
    )
    return bytes(encode_jpeg(np.asarray(small), quality=80))
