"""What an answer hangs on: a grey square slides over the photo, and the answer is asked again.

Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014, section 4.2.
It needs no slopes, so that it runs in the classifier's own engine, without torch, and sees all
that any head sees.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from eyespot.features.usable import expect_usable
from eyespot.tasks.classification.classifier import Classifier

CELLS = 8
"""Rows and columns of the map."""
ACROSS = 2
"""Cells that a square covers in each direction; it moves by one."""

Box = tuple[int, int, int, int]
"""Left, top, right and bottom of a square, in pixels of what the network sees."""


def squares(size: int, cells: int = CELLS) -> list[Box]:
    """All places of the square on a picture of `size` x `size` pixels, row by row.

    There are (cells - 1) rows and as many columns of them.
    """
    edges = np.linspace(0, size, cells + 1).round().astype(int).tolist()
    spans = list(zip(edges, edges[ACROSS:], strict=False))
    return [(left, top, right, bottom) for top, bottom in spans for left, right in spans]


def covered(
    prepared: NDArray[np.uint8], boxes: Sequence[Box], colour: Sequence[float]
) -> NDArray[np.uint8]:
    """A copy of a picture uint8 [S, S, 3] with `boxes` painted over in `colour`."""
    out = prepared.copy()
    for left, top, right, bottom in boxes:
        out[top:bottom, left:right] = np.round(colour)
    return out


def look(
    classifier: Classifier, prepared: NDArray[np.uint8], covers: Sequence[Sequence[Box]]
) -> NDArray[np.float32]:
    """Features [n, D] of the picture uint8 [S, S, 3] under each of n sets of squares.

    Squares have the colour that a network takes for nothing: the mean of its training pictures.
    """
    engine = classifier.engine
    colour = classifier.backbone.preprocessing.mean
    pictures = np.stack([covered(prepared, boxes, colour) for boxes in covers])
    parts = np.array_split(pictures, min(engine.workers, len(pictures)))
    with ThreadPoolExecutor(len(parts)) as pool:  # an engine runs one call on one core
        found = np.concatenate(list(pool.map(engine.run, parts)))
    return expect_usable(found, classifier.backbone.name)


def slide(
    classifier: Classifier, prepared: NDArray[np.uint8], cells: int = CELLS
) -> NDArray[np.float32]:
    """Features [1 + n, D] of a picture as it is, then under each of the n `squares`."""
    boxes = squares(len(prepared), cells)
    return look(classifier, prepared, [(), *((box,) for box in boxes)])


def heat(answers: NDArray[np.floating], index: int) -> NDArray[np.float32]:
    """How much of the probability (or score) of class `index` is lost where the photo is covered.

    `answers`: [1 + n, K], by the features that `slide` gives. Returns float32 [cells, cells]: for
    each cell the mean over the squares that cover it. Below zero: without it the class is more
    probable.
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


def scaled(heat: NDArray[np.float32]) -> NDArray[np.float32]:
    """A map of `heat` for a drawing: in 0..1, zero where covering loses nothing."""
    lost = np.maximum(heat, np.float32(0))
    greatest = lost.max()
    return np.asarray(lost / greatest if greatest > 0 else lost)
