"""Random views of an annotated photo: mirrored, scaled, moved, brighter or darker.

Scale and crop after Redmon and Farhadi, "YOLO9000: Better, Faster, Stronger", CVPR 2017, section 2.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from eyespot.arrays import F32, I64, Bools

SCALE = 0.25
"""Largest change of the logarithm of the sides."""
BRIGHTNESS = 0.15
"""Largest change of its logarithm."""
LEAST_VISIBLE = 0.4
"""Share of a box that must be in the view; with less, it is ignored."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """`pixels`: uint8 RGB [H, W, 3]. `boxes` [m, 4] in pixels, `labels` [m], `ignored` [m]."""

    pixels: NDArray[np.uint8]
    boxes: F32
    labels: I64
    ignored: Bools


def random_view(view: View, random: np.random.Generator, fill: tuple[int, ...]) -> View:
    """Another view of the same size. `fill`: RGB, beyond the sides of the photo."""
    height, width = view.pixels.shape[:2]
    scale = np.exp(random.uniform(-SCALE, SCALE))
    free = (1 - scale) * np.array([width, height])
    x, y = random.uniform(np.minimum(free, 0), np.maximum(free, 0))
    sign = -1 if random.random() < 0.5 else 1
    # From pixels of the view to those of the photo; mirrored, x runs from its right side.
    across = sign / scale, 0.0, (width if sign < 0 else 0) - sign * x / scale
    down = 0.0, 1 / scale, -y / scale
    moved = Image.fromarray(view.pixels).transform(
        (width, height),
        Image.Transform.AFFINE,
        (*across, *down),
        Image.Resampling.BILINEAR,
        fillcolor=fill,
    )
    gain = np.exp(random.uniform(-BRIGHTNESS, BRIGHTNESS))
    pixels = np.clip(gain * np.asarray(moved, np.float32), 0, 255).astype(np.uint8)
    left, top, right, bottom = view.boxes.T
    if sign < 0:
        left, right = width - right, width - left
    whole = scale * np.stack([left, top, right, bottom], axis=1) + np.array([x, y, x, y])
    boxes = np.clip(whole, 0, [width, height, width, height])
    visible = _areas(boxes) / np.maximum(_areas(whole), 1e-9)
    kept = visible > 0
    ignored = view.ignored | (visible < LEAST_VISIBLE)
    return View(pixels, boxes[kept].astype(np.float32), view.labels[kept], ignored[kept])


def _areas(boxes: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.asarray((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))
