"""Draw boxes with labels on a photo, legible at any size of the photo and on any background."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from eyespot.arrays import F32

COLOURS = (
    "#0b6bcb",
    "#c27600",
    "#0d3f14",
    "#af008d",
    "#090dd0",
    "#805100",
    "#5b165b",
    "#d9025d",
)
"""Of classes, repeated from the ninth on: as on the pages, apart for colour-blind readers, too."""
DARK_TEXT = {"#c27600"}
"""Colours on which black text has the higher contrast: at least 4.5, as white has on the others."""
LEAST_TEXT = 11
"""Pixels of the smallest text."""


def draw_boxes(
    image: Image.Image, boxes: F32, labels: Sequence[str], classes: Sequence[int]
) -> Image.Image:
    """A copy of an RGB image with boxes and their labels; an empty label is not drawn.

    `boxes` [n, 4]: xmin, ymin, xmax, ymax in pixels. `classes` [n]: numbers from 0, which choose
    the colours. Lines and text grow with the image. A white edge keeps lines apart from a
    background of their colour. Small boxes and labels are above large ones.
    """
    drawn = image.convert("RGB")
    pen = ImageDraw.Draw(drawn)
    longer = max(drawn.size)
    line, text = max(2, round(longer / 300)), max(LEAST_TEXT, round(longer / 45))
    font = ImageFont.load_default(text)
    sides = boxes[:, 2:] - boxes[:, :2]
    order = np.argsort(-sides.prod(1), kind="stable").tolist()
    for index in order:
        left, top, right, bottom = boxes[index].tolist()
        colour = COLOURS[classes[index] % len(COLOURS)]
        pen.rectangle((left - 1, top - 1, right + 1, bottom + 1), outline="white", width=line + 2)
        pen.rectangle((left, top, right, bottom), outline=colour, width=line)
    for index in order:
        if labels[index]:
            _label(pen, drawn.size, boxes[index].tolist(), labels[index], classes[index], font)
    return drawn


def _label(
    pen: ImageDraw.ImageDraw,
    size: tuple[int, int],
    box: list[float],
    label: str,
    number: int,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    """A label above its box, or within it at the upper side of the photo; never beyond a side."""
    width, height = size
    _, _, across, down = pen.textbbox((0, 0), label, font=font)
    margin = max(2, round(down / 6))
    across, down = across + 2 * margin, down + 2 * margin
    left = max(0.0, min(box[0], width - across))
    top = box[1] - down if box[1] >= down else max(0.0, min(box[1], height - down))
    colour = COLOURS[number % len(COLOURS)]
    pen.rectangle((left, top, left + across, top + down), fill=colour)
    ink = "black" if colour in DARK_TEXT else "white"
    pen.text((left + margin, top + margin), label, fill=ink, font=font)
