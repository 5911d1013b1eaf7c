"""A page of image grids in rows under a title."""

from collections.abc import Sequence
from math import ceil, sqrt

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from eyespot.arrays import U8

WIDTH = 1600
"""Largest width, in pixels, of all grids together."""
MOST = 2000
"""Largest width, in pixels, of a row of panels."""
TILE = 128
"""Largest side of an enlarged image, in pixels."""
GAP = 4
"""Between images, in pixels."""
MARGIN = 24
TITLE = 22
CAPTION = 15
"""Font sizes, in pixels."""
WHITE, BLACK, GREY = (255, 255, 255), (20, 20, 20), (110, 110, 110)


def columns_for(count: int, height: int, width: int) -> int:
    """Columns of a grid of `count` images that is about square.

    Up to half as many again, if that fills the last row.
    """
    about = min(count, ceil(sqrt(count * height / width)))
    return next((n for n in range(about, about * 3 // 2 + 1) if count % n == 0), about)


def resized(tiles: U8, side: int) -> U8:
    """Scale images [N, h, w, 3] by a whole factor, so that the longer side is at most `side`.

    Enlarged pixels stay squares; reduced ones are means of squares.
    """
    longer = max(tiles.shape[1:3])
    if longer <= side:
        return tiles.repeat(side // longer, axis=1).repeat(side // longer, axis=2)
    factor = ceil(longer / side)
    return np.stack([np.asarray(Image.fromarray(tile).reduce(factor)) for tile in tiles])


def grid(tiles: U8, width: int = WIDTH) -> U8:
    """Images uint8 [N, h, w, 3] row by row on white: uint8 [H, W, 3], W at most `width`."""
    columns = columns_for(len(tiles), *tiles.shape[1:3])
    tiles = resized(tiles, min(width // columns - GAP, max(TILE, *tiles.shape[1:3])))
    count, high, wide = tiles.shape[:3]
    rows = ceil(count / columns)
    cells = np.full((rows * columns, high + GAP, wide + GAP, 3), 255, np.uint8)
    cells[:count, :high, :wide] = tiles
    page = cells.reshape(rows, columns, high + GAP, wide + GAP, 3).swapaxes(1, 2)
    return page.reshape(rows * (high + GAP), columns * (wide + GAP), 3)[:-GAP, :-GAP]


def page(title: str, panels: Sequence[tuple[str, U8]]) -> Image.Image:
    """Panels (caption, uint8 [H, W, 3]) from left to right, in rows of MOST pixels."""
    large, small = (ImageFont.load_default(size) for size in (TITLE, CAPTION))
    below = CAPTION + MARGIN // 2
    places, left, top, row_height = [], 0, MARGIN + TITLE + MARGIN, 0
    width = ceil(large.getlength(title))
    for caption, panel in panels:
        length = max(panel.shape[1], ceil(small.getlength(caption)))
        if left and left + length > MOST:
            left, top, row_height = 0, top + row_height, 0
        places.append((MARGIN + left, top))
        width, left = max(width, left + length), left + length + MARGIN
        row_height = max(row_height, below + panel.shape[0] + MARGIN)
    image = Image.new("RGB", (width + 2 * MARGIN, top + row_height), WHITE)
    draw = ImageDraw.Draw(image)
    draw.text((MARGIN, MARGIN), title, BLACK, large)
    for (caption, panel), (x, y) in zip(panels, places, strict=True):
        draw.text((x, y), caption, GREY, small)
        image.paste(Image.fromarray(panel), (x, y + below))
    return image
