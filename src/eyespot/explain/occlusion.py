"""Occlusion maps: a grey square slides over the photo, and the classifier predicts each time.

Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014, section 4.2.
The method needs no gradients: it runs in the classifier's engine, without torch, for any head.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from eyespot.arrays import F32, U8, Floats
from eyespot.features.usable import expect_usable
from eyespot.tasks.classification.classifier import Classifier

CELLS = 8
"""Rows and columns of the map."""
ACROSS = 2
"""Side of a square in cells; the square moves by one cell."""

Box = tuple[int, int, int, int]
"""Left, top, right and bottom of a square, in pixels of the network's input."""


def squares(size: int, cells: int = CELLS) -> list[Box]:
    """All (cells - 1)² places of the square on `size` x `size` pixels, row by row."""
    edges = np.linspace(0, size, cells + 1).round().astype(int).tolist()
    spans = list(zip(edges, edges[ACROSS:], strict=False))
    return [(left, top, right, bottom) for top, bottom in spans for left, right in spans]


def covered(prepared: U8, boxes: Sequence[Box], colour: Sequence[float]) -> U8:
    """A copy of pixels uint8 [S, S, 3] with `boxes` painted over in `colour`."""
    out = prepared.copy()
    for left, top, right, bottom in boxes:
        out[top:bottom, left:right] = np.round(colour)
    return out


def covered_features(classifier: Classifier, prepared: U8, covers: Sequence[Sequence[Box]]) -> F32:
    """Features [n, D] of pixels uint8 [S, S, 3], covered by each of n sets of squares.

    Squares have the mean colour of the network's training images.
    """
    engine = classifier.engine
    colour = classifier.backbone.preprocessing.mean
    images = np.stack([covered(prepared, boxes, colour) for boxes in covers])
    parts = np.array_split(images, min(engine.workers, len(images)))
    with ThreadPoolExecutor(len(parts)) as pool:  # an engine runs one call on one core
        found = np.concatenate(list(pool.map(engine.run, parts)))
    return expect_usable(found, classifier.backbone.name)


def slide(classifier: Classifier, prepared: U8, cells: int = CELLS) -> F32:
    """Features [1 + n, D] of an image, uncovered, then covered by each of the n `squares`."""
    boxes = squares(len(prepared), cells)
    return covered_features(classifier, prepared, [(), *((box,) for box in boxes)])


def heat(answers: Floats, index: int) -> F32:
    """How much covering each cell lowers the probability (or score) of class `index`.

    `answers`: [1 + n, K], predicted from the features of `slide`. Returns float32 [cells, cells]:
    for each cell the mean over the squares that cover it. Negative: covering raises it.
    """
    lost = answers[0, index] - answers[1:, index]
    places = round(len(lost) ** 0.5)
    cells = places + ACROSS - 1
    total, count = np.zeros((cells, cells)), np.zeros((cells, cells))
    for number, drop in enumerate(lost):
        row, column = divmod(number, places)
        under = np.s_[row : row + ACROSS, column : column + ACROSS]
        total[under] += drop
        count[under] += 1
    return (total / count).astype(np.float32)


def scaled(heat: F32) -> F32:
    """`heat` for a drawing: in 0..1, zero where covering lowers nothing."""
    lost = np.maximum(heat, np.float32(0))
    greatest = lost.max()
    return np.asarray(lost / greatest if greatest > 0 else lost)
