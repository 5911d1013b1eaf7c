"""Resize a decoded image to the square input of a network, and normalize it."""

from dataclasses import asdict, dataclass
from math import ceil, floor
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from eyespot.data.decode import decode
from eyespot.shown import shown
from eyespot.values import mapping, number, whole

Fit = Literal["stretch", "crop"]
PIXELS = 2
"""Version of the pixels that a photo gives: raise it when decoding or resizing changes them."""
LARGEST_INPUT = 4096
"""Maximum input side in pixels: an untrusted file must not fill the memory."""


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """The input that a network expects; stored with its weights.

    `size`: side of the input in pixels. `mean`, `std`: per channel, in the units of a pixel
    (0..255); the network itself applies them. `fit`: "crop" takes the central square of
    `crop_fraction` of the short side, as the ImageNet evaluation does; "stretch" takes the whole
    image, because objects often reach to the edge (accuracy on trash: 92.4% stretched, 91.7%
    cropped half as far, 90.9% cropped to a square; on cats, dogs and X-rays the square gains less
    than a point).
    """

    size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    fit: Fit = "crop"
    crop_fraction: float = 0.875

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: object) -> "Preprocessing":
        """Raises ValueError if `values` are not what `to_dict` gives."""
        found = mapping(values, "the preprocessing")
        if found.get("fit") not in ("stretch", "crop"):
            raise ValueError(f"fit: expected stretch or crop, got {shown(found.get('fit'))}")
        crop_fraction = number(found.get("crop_fraction"), "crop_fraction", 0, 1)
        if crop_fraction == 0:
            raise ValueError("crop_fraction is 0")
        std = _colour(found.get("std"), "std")
        if min(std) <= 0:
            raise ValueError(f"std: expected numbers above 0, got {shown(std)}")
        return cls(
            size=whole(found.get("size"), "the size of images", 1, LARGEST_INPUT),
            mean=_colour(found.get("mean"), "mean"),
            std=std,
            fit=found["fit"],
            crop_fraction=crop_fraction,
        )


def _colour(values: object, what: str) -> tuple[float, float, float]:
    if not isinstance(values, list | tuple) or len(values) != 3:
        raise ValueError(f"{what}: expected a number for each colour, got {shown(values)}")
    red, green, blue = (number(value, what) for value in values)
    return red, green, blue


CENTRE = (0.5, 0.5)
TALL = 100
"""Height, in widths, above which the columns of an image are resized before its rows."""
_BICUBIC = Image.Resampling.BICUBIC


def prepare(
    pixels: NDArray[np.uint8],
    preprocessing: Preprocessing,
    *,
    place: tuple[float, float] = CENTRE,
) -> NDArray[np.uint8]:
    """Resize (bicubic, antialiased): uint8 RGB [H, W, 3] -> uint8 [size, size, 3].

    `place`: of a crop in the central square of the image, from (0, 0), the upper left corner, to
    (1, 1), the lower right corner.
    """
    height, width = pixels.shape[:2]
    size = preprocessing.size
    if preprocessing.fit == "stretch":
        if (width, height) == (size, size):
            return pixels
        box = (0.0, 0.0, float(width), float(height))
    else:
        short = min(width, height)
        side = short * preprocessing.crop_fraction
        left, top = (
            (whole - side) / 2 + (share - 0.5) * (short - side)
            for whole, share in zip((width, height), place, strict=True)
        )
        # Pillow copies its input: pass only the pixels that the filter reaches.
        reach = ceil(2 * max(side / size, 1)) + 1
        x, y = max(0, floor(left) - reach), max(0, floor(top) - reach)
        pixels = pixels[y : ceil(top + side) + reach, x : ceil(left + side) + reach]
        box = (left - x, top - y, left - x + side, top - y + side)
    return _resized(pixels, size, box)


def _resized(
    pixels: NDArray[np.uint8], size: int, box: tuple[float, float, float, float]
) -> NDArray[np.uint8]:
    """`box` of uint8 RGB [H, W, 3] as uint8 [size, size, 3].

    The order of the two passes decides how intermediate values are rounded, and Pillow 13 changed
    it. Here the rows come first, except for images so tall that the intermediate image would fill
    the memory.
    """
    height, width = pixels.shape[:2]
    left, top, right, bottom = box
    image = Image.fromarray(pixels)
    if height <= TALL * width:
        image = image.resize((size, height), _BICUBIC, (left, 0, right, height))
        box = (0, top, size, bottom)
    else:
        image = image.resize((width, size), _BICUBIC, (0, top, width, bottom))
        box = (left, 0, right, size)
    return np.asarray(image.resize((size, size), _BICUBIC, box))


def standardised(pixels: NDArray[np.uint8], preprocessing: Preprocessing) -> NDArray[np.float32]:
    """Normalize by mean and standard deviation: uint8 RGB [H, W, 3] -> float32 [3, H, W]."""
    mean, std = (np.array(v, np.float32) for v in (preprocessing.mean, preprocessing.std))
    return np.ascontiguousarray(((pixels - mean) / std).transpose(2, 0, 1))


def needed_short_side(preprocessing: Preprocessing) -> int:
    """The short side, in pixels, at which an image may be decoded without losing detail."""
    if preprocessing.fit == "stretch":
        return preprocessing.size
    return round(preprocessing.size / preprocessing.crop_fraction)


def photo_input(
    photo: bytes | NDArray[Any] | Image.Image, preprocessing: Preprocessing
) -> NDArray[np.uint8]:
    """The network's input for a photo, as `decode` takes it: uint8 RGB [size, size, 3]. Raises
    PhotoError."""
    return prepare(decode(photo, short_side=needed_short_side(preprocessing)).pixels, preprocessing)
