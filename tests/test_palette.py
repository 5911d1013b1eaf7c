"""The colours of classes stay apart for every kind of colour vision, and from their background."""

import re
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import ImageColor

import eyespot
from eyespot.tasks.detection.draw import COLOURS, DARK_TEXT

F64 = NDArray[np.float64]
SOURCES = Path(eyespot.__file__).parent
LIGHT, DARK = (SOURCES / "studio/static/tokens.css").read_text("utf-8").split("@media")

VISION = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
"""Of linear RGB: Machado et al. 2009, table of severity 1.0."""
TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
"""Ottosson 2020, "A perceptual color space for image processing"."""
APART = 0.1
"""OKLab distance. About 0.02 is just noticeable."""


def linear(colour: str) -> F64:
    """Linear RGB, 0 to 1: IEC 61966-2-1."""
    shares = np.array(ImageColor.getrgb(colour)) / 255
    return np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)


def distance(one: str, other: str, vision: str) -> float:
    """OKLab distance of two colours, as somebody with this vision sees them."""
    seen = [np.clip(VISION[vision] @ linear(colour), 0, 1) for colour in (one, other)]
    first, second = (TO_OKLAB @ np.cbrt(TO_CONES @ colour) for colour in seen)
    return float(np.linalg.norm(first - second))


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, sections "Terms": contrast ratio, relative luminance."""
    low, high = sorted(float(linear(colour) @ [0.2126, 0.7152, 0.0722]) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def values(css: str, names: str) -> list[str]:
    """The values of variables of tokens.css. `names`: a pattern."""
    return re.findall(rf"--{names}: (#\w+);", css)


def test_the_distance_is_that_of_its_sources() -> None:
    assert distance("#000", "#fff", "normal") == pytest.approx(1, abs=1e-6)
    for vision in VISION:  # grey looks the same to all
        assert distance("#404040", "#a0a0a0", vision) == pytest.approx(
            distance("#404040", "#a0a0a0", "normal"), abs=1e-4
        )
    assert distance("#c4620a", "#8a6d00", "protanopia") < 0.02  # orange and brown are confused


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("css", [LIGHT, DARK], ids=["light", "dark"])
def test_all_classes_are_apart(css: str, vision: str) -> None:
    colours = values(css, r"class-\d")
    assert len(colours) == 8
    near = [pair for pair in combinations(colours, 2) if distance(*pair, vision=vision) < APART]
    assert near == []


@pytest.mark.parametrize("css", [LIGHT, DARK], ids=["light", "dark"])
def test_classes_stand_out_from_the_page(css: str) -> None:
    grounds = values(css, "color-(?:page|card|soft|brand-soft)")
    assert len(grounds) == 4
    for colour, ground in product(values(css, r"class-\d"), grounds):
        assert contrast(colour, ground) >= 3, (colour, ground)


def test_photos_and_pages_have_the_same_colours() -> None:
    page = (SOURCES / "export/static/page.css").read_text("utf-8")
    assert list(COLOURS) == values(LIGHT, r"class-\d")
    assert list(COLOURS) == re.findall(r"\.class-\d { color: (#\w+);", page)


def test_labels_are_legible_on_every_colour() -> None:
    for colour in COLOURS:
        assert contrast(colour, "#000" if colour in DARK_TEXT else "#fff") >= 4.5
