"""A detector's input as a panel of a page, and boxes on it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from eyespot.arrays import F32, U8
from eyespot.shown import shortened
from eyespot.tasks.detection.draw import draw_boxes
from eyespot.tasks.detection.frame import input_scale

SIDE = 420
"""Longest side of a panel, in pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class Canvas:
    """`image`: the input, uint8 [H, W, 3]. `width`, `height`: of the photo. Boxes [n, 4] are in
    pixels of the photo."""

    image: U8
    width: int
    height: int

    def photo(self) -> U8:
        """The input at the size of a panel."""
        return sized(self.image)

    def part(self, region: Sequence[float]) -> U8:
        """The part of the input under a region of the photo, at the size of a panel."""
        box = np.array([region]) * input_scale(self.width, self.height)
        left, top, right, bottom = box[0]
        return sized(self.image[int(top) : int(np.ceil(bottom)), int(left) : int(np.ceil(right))])

    def placed(self, boxes: F32) -> F32:
        """Boxes in pixels of `photo`."""
        panel = self.photo()
        size = np.divide(panel.shape[1::-1], (self.width, self.height))
        return np.asarray(boxes * np.tile(size, 2), np.float32)

    def with_boxes(self, boxes: F32, labels: Sequence[str], classes: Sequence[int]) -> U8:
        """`photo` with boxes."""
        short = [shortened([label], 1) if label else "" for label in labels]
        image = Image.fromarray(self.photo())
        return np.asarray(draw_boxes(image, self.placed(boxes), short, classes))


def sized(pixels: U8) -> U8:
    """In the same proportions; the longest side is SIDE."""
    height, width = pixels.shape[:2]
    scale = SIDE / max(height, width)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))
