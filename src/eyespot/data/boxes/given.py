"""Photos with boxes that a program hands over."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eyespot.data.boxes.dataset import AnnotatedPhoto
from eyespot.data.boxes.entries import Annotations, Entry
from eyespot.data.given import Label, PhotoLike, label_texts, many, named_photos
from eyespot.errors import DatasetError
from eyespot.shown import sentence, shown

GivenBoxes = tuple[PhotoLike, Sequence[Sequence[float]] | NDArray[Any], Sequence[Label]]
"""A photo, its boxes [n, 4] and their n labels."""


def read_given(items: Sequence[AnnotatedPhoto | GivenBoxes]) -> Annotations:
    """Entries in pixels of the upright photos. Raises DatasetError for anything else."""
    given = [_parts(position, item) for position, item in enumerate(many(items))]
    photos = named_photos([photo for photo, _, _, _ in given])
    entries = []
    for photo, (_, boxes, labels, ignored) in zip(photos, given, strict=True):
        try:
            corners = np.asarray(boxes, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise DatasetError(f"{photo.name}: {sentence(_expected(boxes))}") from error
        corners = corners.reshape(0, 4) if corners.size == 0 else corners
        if corners.ndim != 2 or corners.shape[1] != 4:
            raise DatasetError(f"{photo.name}: {sentence(_expected(boxes))}")
        try:
            texts = tuple(label_texts(labels, len(corners)))
        except DatasetError as error:
            raise DatasetError(f"The boxes of {photo.name}: {sentence(error)}") from error
        marks = np.zeros(len(corners), bool) if ignored is None else np.asarray(ignored, bool)
        if marks.shape != (len(corners),):
            raise DatasetError(f"{photo.name}: expected ignored as bool [{len(corners)}].")
        photo = replace(photo, label=None)
        entries.append(Entry(photo, corners, texts, marks, upright=True))
    return Annotations(entries)


def _parts(position: int, item: object) -> tuple[object, object, object, object]:
    if isinstance(item, AnnotatedPhoto):
        return item.photo, item.boxes, item.labels, item.ignored
    if isinstance(item, tuple | list) and len(item) == 3:
        return item[0], item[1], item[2], None
    raise DatasetError(
        f"Expected an AnnotatedPhoto, or (photo, boxes, labels), as item {position}, got a "
        f"{type(item).__name__}."
    )


def _expected(boxes: object) -> str:
    return f"expected boxes [n, 4] of xmin, ymin, xmax, ymax in pixels, got {shown(boxes)}"
