"""Boxes over a photo, or over a part of it, as the page about a detector shows them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from eyespot.arrays import F32, F64
from eyespot.data.decode import decode
from eyespot.data.photos import Photo
from eyespot.errors import PhotoError
from eyespot.report.html import image_uri

SIDE, CROP_SIDE = 480, 240
"""Longest side of a photo, and of a part of one, on the page, in pixels."""
DETAIL = 960
"""Short side, in pixels, at which a photo is decoded for a part of it."""
MARGIN = 0.5
"""Around the boxes of a part: a share of their longer side."""
NONE = np.zeros((0, 4), np.float32)
MOST_BOXES = 200
"""Boxes of each kind that are drawn."""


def over_photo(
    photo: Photo, layers: Mapping[str, F32], numbered: F32 = NONE, around: F32 = NONE
) -> dict[str, Any] | None:
    """A photo and outlines for the macro `boxes`; None if the photo can no longer be read.

    All boxes are [n, 4], in pixels of the photo. `layers`: outlines by kind. `numbered`: boxes that
    get a number, from 1. `around`: show only these boxes and a margin around them.
    """
    part = len(around) > 0
    try:
        image = decode(photo.read(), short_side=DETAIL if part else SIDE)
    except PhotoError:
        return None
    size = np.array([image.width, image.height], np.float64)
    low, high = _around(around, size) if part else (0 * size, size)
    reduced = np.array(image.pixels.shape[1::-1]) / size
    left, top = np.floor(low * reduced).astype(int)
    right, bottom = np.ceil(high * reduced).astype(int)
    shown = image.pixels[top : max(bottom, top + 1), left : max(right, left + 1)]

    def percent(boxes: F32) -> F64:
        return 100 * (boxes[:MOST_BOXES] - np.tile(low, 2)) / np.tile(high - low, 2)

    return {
        "src": image_uri(shown, CROP_SIDE if part else SIDE),
        "outlines": [
            (kind, _outline(percent(boxes))) for kind, boxes in layers.items() if len(boxes)
        ],
        "corners": percent(numbered)[:, :2].round(1).tolist(),
    }


def _around(boxes: F32, size: F64) -> tuple[F64, F64]:
    """Corners of a part of a photo of `size`: a square, where the photo allows it."""
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    half = max(float((high - low).max()), 1) * (0.5 + MARGIN)
    middle = (low + high).astype(np.float64) / 2
    low = np.clip(middle - half, 0, size - 1)
    return low, np.maximum(np.clip(middle + half, 0, size), low + 1)


def _outline(boxes: F64) -> str:
    """Boxes [n, 4] in percent as one path."""
    return "".join(f"M{x:.1f} {y:.1f}H{u:.1f}V{v:.1f}H{x:.1f}Z" for x, y, u, v in boxes.tolist())
