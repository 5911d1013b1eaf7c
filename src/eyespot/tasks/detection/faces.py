"""Find faces in a photo: where they are, never whose they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from eyespot.arrays import U8
from eyespot.data.decode import decode
from eyespot.data.given import PhotoLike, photo_of
from eyespot.data.transforms import Preprocessing, standardised
from eyespot.shown import percent
from eyespot.weights import zoo
from eyespot.weights.find import find_weights

if TYPE_CHECKING:
    from eyespot.models.convnet import ConvNet

NETWORK = "tiny_yolo_face"
SIDES = (160, 320, 608)
"""The longer side in pixels of the scaled photo, for large, medium and small faces."""
SURE = 0.5
"""Least score of a face."""
OVERLAP = 0.4
"""Intersection over union above which two boxes are the same face."""


@dataclass(frozen=True, slots=True)
class Face:
    """A box in the photo's own pixels, and its score, 0..1."""

    left: float
    top: float
    right: float
    bottom: float
    score: float

    def overlap(self, other: "Face") -> float:
        """Intersection over union, 0..1."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        shared = max(width, 0.0) * max(height, 0.0)
        return shared / (self._area + other._area - shared)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        return self.left, self.top, self.right, self.bottom

    @property
    def _area(self) -> float:
        return (self.right - self.left) * (self.bottom - self.top)


def find_faces(photo: PhotoLike) -> tuple[Face, ...]:
    """All faces, the highest score first.

    Raises PhotoError if the photo cannot be read, WeightsError if the detector's weights are
    missing.
    """
    return faces_in(decode(photo_of(photo).read()).pixels)


def faces_in(pixels: U8) -> tuple[Face, ...]:
    """As `find_faces`, for the pixels of an upright photo, uint8 RGB [H, W, 3]."""
    image = Image.fromarray(pixels)
    candidates = [face for side in SIDES for face in _faces_at(image, side)]
    found: list[Face] = []
    for face in sorted(candidates, key=lambda face: -face.score):
        if all(face.overlap(other) <= OVERLAP for other in found):
            found.append(face)
    return tuple(found)


def draw_faces(pixels: U8, faces: Sequence[Face]) -> Image.Image:
    """The photo with a box and the score, in percent, of each face."""
    from eyespot.tasks.detection.draw import draw_boxes

    boxes = np.array([face.box for face in faces], np.float32).reshape(-1, 4)
    scores = [percent(face.score, 0) for face in faces]
    return draw_boxes(Image.fromarray(pixels), boxes, scores, [0] * len(faces))


def _faces_at(image: Image.Image, side: int) -> list[Face]:
    """The faces in the photo scaled to `side` pixels along its longer side."""
    import torch

    network, preprocessing = _detector()
    scale = side / max(image.size)
    width, height = (max(1, round(length * scale)) for length in image.size)
    square = np.zeros((side, side, 3), np.uint8)  # black below or beside, as it was trained
    square[:height, :width] = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))
    with torch.inference_mode():
        grid = network(torch.from_numpy(standardised(square, preprocessing)[None]))[0].numpy()
    return [
        Face(
            left=max(0.0, left * side / scale),
            top=max(0.0, top * side / scale),
            right=min(float(image.width), right * side / scale),
            bottom=min(float(image.height), bottom * side / scale),
            score=score,
        )
        for left, top, right, bottom, score in boxes(grid)
        if left * side < width and top * side < height
    ]


@cache
def _detector() -> tuple["ConvNet", Preprocessing]:
    preprocessing = find_weights(zoo.find(NETWORK)).preprocessing
    return zoo.create(NETWORK, weights="imagenet").eval(), preprocessing


def boxes(grid: NDArray[np.float32]) -> list[list[float]]:
    """Left, top, right, bottom (as parts of the side) and score of the boxes that are `SURE`.

    `grid`: float32 [5 * 5, n, n]. Redmon and Farhadi, CVPR 2017, section 2: the centre is
    sigmoid(x), sigmoid(y) into its cell, the size exp(w), exp(h) times that of the anchor.
    """
    from scipy.special import expit

    from eyespot.models.tiny_yolo import ANCHORS

    cells = grid.shape[1]
    x, y, w, h, score = grid.reshape(len(ANCHORS), 5, cells, cells).transpose(1, 0, 2, 3)
    anchors = np.asarray(ANCHORS, np.float32)[:, :, None, None]
    centre_x = (np.arange(cells) + expit(x)) / cells
    centre_y = (np.arange(cells)[:, None] + expit(y)) / cells
    half_width = np.exp(w) * anchors[:, 0] / cells / 2
    half_height = np.exp(h) * anchors[:, 1] / cells / 2
    sure = expit(score)
    corners = [centre_x - half_width, centre_y - half_height]
    corners += [centre_x + half_width, centre_y + half_height]
    found = np.stack([*corners, sure], axis=-1)
    rows: list[list[float]] = found[sure >= SURE].tolist()
    return rows
