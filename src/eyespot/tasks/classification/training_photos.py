"""Features of the training photos as arrays in a classifier's file, which may be a stranger's."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from eyespot.data.photos import printable
from eyespot.features.backbone import CONFIDENCE, Backbone
from eyespot.features.engines import columns_of
from eyespot.features.extract import THUMBNAIL, Features
from eyespot.shown import Brief
from eyespot.tasks.file import Tensors
from eyespot.values import digest, mapping, whole

_MOST_COLUMNS = 2**31


@dataclass(frozen=True, repr=False)
class TrainingPhotos(Brief):
    """The features of a classifier's training photos, so that photos and classes can be added.

    `labels`: int64 [n], indices of the classes.
    """

    features: Features
    labels: NDArray[np.int64]


def photo_arrays(photos: TrainingPhotos) -> Tensors:
    """Features, labels, hashes and thumbnails, for a file."""
    features = photos.features
    texts = json.dumps({"names": features.names, "sha256": features.sha256}).encode()
    widths = {name: part.stop - part.start for name, part in features.layout.items()}
    return {
        "features": features.values,
        "labels": photos.labels,
        "dhash": features.dhash,
        "thumbnails": np.frombuffer(b"".join(features.thumbnails), dtype=np.uint8),
        "thumbnail_sizes": np.array([len(t) for t in features.thumbnails], dtype=np.int64),
        "texts": np.frombuffer(texts, dtype=np.uint8),
        "layout": np.frombuffer(json.dumps(widths).encode(), dtype=np.uint8),
    }


def read_training_photos(arrays: Tensors, classes: int, backbone: Backbone) -> TrainingPhotos:
    """From the arrays of `photo_arrays`. Raises ValueError if they do not fit the classes and the
    backbone."""
    labels = _array(arrays, "labels", "iu", 1)
    count = len(labels)
    if not 0 <= labels.min(initial=0) <= labels.max(initial=0) < max(classes, 1):
        raise ValueError(f"labels from {labels.min()} to {labels.max()} of {classes} classes")
    texts = mapping(_json(arrays, "texts"), "the texts")
    widths = {
        block: whole(width, f"columns of {block}", 1, _MOST_COLUMNS)
        for block, width in mapping(_json(arrays, "layout"), "the layout").items()
    }
    if tuple(widths) not in (backbone.blocks, (*backbone.blocks, CONFIDENCE)):
        raise ValueError("their features are not those of the backbone")
    values = _array(arrays, "features", "f", 2)
    with np.errstate(over="ignore"):
        half = values.astype(np.float16, copy=False)
    if values.shape != (count, sum(widths.values())) or not np.isfinite(half).all():
        raise ValueError(f"features of the shape {values.shape} for {count} photos")
    dhash = _array(arrays, "dhash", "u", 1)
    if dhash.dtype != np.uint64 or len(dhash) != count:
        raise ValueError(f"{len(dhash)} hashes of {dhash.dtype} for {count} photos")
    features = Features(
        names=tuple(map(_name, _list(texts.get("names"), count))),
        sha256=tuple(digest(of, "a photo's sha256") for of in _list(texts.get("sha256"), count)),
        values=half,
        layout=columns_of(widths),
        dhash=dhash,
        thumbnails=_thumbnails(arrays, count),
    )
    return TrainingPhotos(features, labels.astype(np.int64))


def _array(arrays: Tensors, name: str, kinds: str, axes: int) -> NDArray[Any]:
    if name not in arrays:
        raise ValueError(f"{name} is missing")
    array = arrays[name]
    if array.dtype.kind not in kinds or array.ndim != axes:
        raise ValueError(f"{name} is {array.dtype} of the shape {array.shape}")
    return array


def _json(arrays: Tensors, name: str) -> object:
    try:
        found: object = json.loads(_array(arrays, name, "u", 1).tobytes())
    except RecursionError as error:
        raise ValueError(f"{name} are nested too deeply") from error
    return found


def _list(value: object, count: int) -> Sequence[object]:
    if not isinstance(value, list) or len(value) != count:
        raise ValueError(f"expected a name and a sha256 for each of {count} photos")
    return value


def _name(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("a photo's name is not a text")
    return printable(value)


def _thumbnails(arrays: Tensors, count: int) -> tuple[bytes, ...]:
    whole_file = _array(arrays, "thumbnails", "u", 1).tobytes()
    sizes = _array(arrays, "thumbnail_sizes", "iu", 1).tolist()
    if len(sizes) != count or min(sizes, default=0) < 0 or sum(sizes) != len(whole_file):
        raise ValueError("the number of thumbnails differs from their sizes")
    ends = np.cumsum(sizes, dtype=np.int64).tolist()
    parts = (whole_file[end - size : end] for size, end in zip(sizes, ends, strict=True))
    return tuple(part if _is_thumbnail(part) else b"" for part in parts)


def _is_thumbnail(data: bytes) -> bool:
    """A thumbnail that cannot be decoded is left out; its photo stays."""
    try:
        height, width, *_ = simplejpeg.decode_jpeg_header(data, strict=False)
    except (ValueError, KeyError):
        return False
    return bool(max(height, width) <= THUMBNAIL)
