"""An explanation as one image: Grad-CAM, occlusion map, counterfactual, similar photos."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from eyespot.arrays import U8
from eyespot.data.decode import decode
from eyespot.errors import PhotoError
from eyespot.evaluation import percent
from eyespot.explain.colours import overlaid
from eyespot.explain.occlusion import covered, scaled
from eyespot.explain.sheet import BLACK, CAPTION, GAP, GREY, WHITE, page

if TYPE_CHECKING:
    from eyespot.explain.photo import Explanation, NearPhoto

SIDE = 300
"""Longest side of the photo, in pixels."""
THUMBNAIL, COLUMNS = 96, 3
PAINT = (128.0, 128.0, 128.0)
NAME = 60
"""Letters of a file name in the title, at most."""


def draw_explanation(explanation: "Explanation") -> Image.Image:
    """A page: the photo, Grad-CAM, occlusion map, counterfactual, similar training photos."""
    image, change = explanation.image, explanation.change
    most = max(0.0, float(explanation.occlusion.max()))
    shown = [
        ("network input", image),
        ("Grad-CAM", overlaid(explanation.attention, image)),
        (
            f"occlusion: up to {100 * most:.2g} points less",
            overlaid(scaled(explanation.occlusion), image),
        ),
    ]
    if change is not None:
        words = f"covered: {_short(change.label, 18)}, {percent(change.probability)}"
        shown.append((words, covered(image, change.boxes, PAINT)))
    panels = [(caption, _in_proportion(pixels, explanation.aspect)) for caption, pixels in shown]
    if explanation.near:
        panels.append(("similar training photos", _thumbnails(explanation.near)))
    name = _short(Path(explanation.prediction.path).name, NAME)
    return page(f"{name}: {_short(explanation.answer, 2 * NAME)}", panels)


def _in_proportion(pixels: U8, aspect: float) -> U8:
    width = max(1, round(SIDE * min(1.0, aspect)))
    height = max(1, round(SIDE / max(1.0, aspect)))
    image = Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(image)


def _thumbnails(near: "tuple[NearPhoto, ...]") -> U8:
    """The photos, three in a row, each with its label and similarity below."""
    font = ImageFont.load_default(CAPTION)
    wide, high = THUMBNAIL + 3 * GAP, THUMBNAIL + 2 * CAPTION + 4 * GAP
    rows = -(-len(near) // COLUMNS)
    image = Image.new("RGB", (wide * min(len(near), COLUMNS), high * rows), WHITE)
    draw = ImageDraw.Draw(image)
    for place, photo in enumerate(near):
        left, top = place % COLUMNS * wide, place // COLUMNS * high
        with contextlib.suppress(PhotoError):  # of a file from elsewhere; the label is drawn
            small = Image.fromarray(decode(photo.thumbnail).pixels)
            small.thumbnail((THUMBNAIL, THUMBNAIL))
            image.paste(small, (left, top + THUMBNAIL - small.height))
        draw.text((left, top + THUMBNAIL + GAP), _short(photo.label, 12), BLACK, font)
        draw.text((left, top + THUMBNAIL + GAP + CAPTION), f"{photo.similarity:.2f}", GREY, font)
    return np.asarray(image)


def _short(text: str, most: int) -> str:
    """A name on one line, not longer than `most` letters."""
    line = "".join(c if c.isprintable() else "?" for c in text)
    return line if len(line) <= most else line[: most - 3] + "..."
