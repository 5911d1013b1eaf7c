"""A photo as the network's input: its own proportions, sides that are multiples of 32 pixels."""

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from eyespot.arrays import F32, F64
from eyespot.data.decode import decode

AREA = 640 * 480
"""Pixels of an input, about."""
MULTIPLE = 32
"""The coarsest maps have a position for each so many pixels."""
LONGEST = 8
"""A photo more than so many times as long as it is wide is squeezed to these proportions."""
SHORT_SIDE = 576
"""Large photos may be decoded at a smaller size whose short side has at least so many pixels: the
short side of a square input, and some detail more."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """`pixels`: uint8 RGB [h, w, 3], the input. `width`, `height`: of the upright photo."""

    pixels: NDArray[np.uint8]
    width: int
    height: int

    def to_input(self, boxes: F32) -> F32:
        """Boxes [n, 4] in pixels of the photo, in pixels of the input."""
        return (boxes * input_scale(self.width, self.height)).astype(np.float32)

    def to_photo(self, boxes: F32) -> F32:
        """Boxes [n, 4] in pixels of the input, in pixels of the photo."""
        return (boxes / input_scale(self.width, self.height)).astype(np.float32)


def input_size(width: int, height: int) -> tuple[int, int]:
    """Width and height of the input for a photo of this size."""
    ratio = min(max(width / height, 1 / LONGEST), LONGEST)
    sides = sqrt(AREA * ratio), sqrt(AREA / ratio)
    across, down = (max(round(side / MULTIPLE), 1) * MULTIPLE for side in sides)
    return across, down


def input_scale(width: int, height: int) -> F64:
    """Pixels of the input per pixel of a photo of this size, for each side of a box: [4]."""
    across, down = input_size(width, height)
    return np.tile([across / width, down / height], 2)


def frame_of(photo: bytes | NDArray[Any] | Image.Image) -> Frame:
    """The input for a photo, as `decode` takes it. Raises PhotoError."""
    image = decode(photo, short_side=SHORT_SIDE)
    size = input_size(image.width, image.height)
    # `reducing_gap` averages whole blocks of much larger photos first, which is faster.
    resized = Image.fromarray(image.pixels).resize(
        size, Image.Resampling.BILINEAR, reducing_gap=2.0
    )
    return Frame(np.asarray(resized), image.width, image.height)


def mirrored(frame: Frame) -> Frame:
    """The frame from right to left."""
    return Frame(np.ascontiguousarray(frame.pixels[:, ::-1]), frame.width, frame.height)
