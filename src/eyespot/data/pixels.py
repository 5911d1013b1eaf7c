"""Arrays, samples and Pillow images as pixels: uint8 sRGB [H, W, 3], or [H, W] for grey."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from eyespot.data.colour import to_srgb
from eyespot.errors import PhotoError

_FULL_RANGES = (1.0, 255.0, 1023.0, 4095.0, 16383.0, 65535.0)
"""White in images of floats and of 8, 10, 12, 14 and 16 bits."""
_AT_ONCE = 1 << 20
"""Samples that are scaled at a time: a whole image as floats would fill the memory."""


def pixels_of_image(image: Image.Image, white: float | None) -> NDArray[np.uint8]:
    """A Pillow image of any mode, on a white background. `white`: of greys of more than 8 bits;
    None if unknown."""
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        return _from_grey(image, white)
    profile = image.info.get("icc_profile")
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        image = to_srgb(image if image.mode == "RGBA" else image.convert("RGBA"), profile)
        paper = Image.new("RGB", image.size, "white")
        paper.paste(image, mask=image.getchannel("A"))
        return np.asarray(paper)
    image = image if image.mode in ("L", "RGB", "CMYK") else image.convert("RGB")
    image = to_srgb(image, profile)
    return np.asarray(image if image.mode in ("L", "RGB") else image.convert("RGB"))


def _from_grey(image: Image.Image, white: float | None) -> NDArray[np.uint8]:
    numbers = np.asarray(image)
    grey = to_bytes(numbers, white)
    if isinstance(clear := image.info.get("transparency"), int):
        grey[numbers == clear] = 255
    return np.asarray(to_srgb(Image.fromarray(grey), image.info.get("icc_profile")))


def pixels_of_array(array: NDArray[Any]) -> NDArray[np.uint8]:
    """An array [H, W], [H, W, 1], [H, W, 3] or [H, W, 4] of uint8, uint16, bool, or floats in
    0..1. Raises PhotoError."""
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or 0 in array.shape:
        raise PhotoError(
            "expected an array of [H, W], [H, W, 1], [H, W, 3] or [H, W, 4], got the shape "
            f"{array.shape}"
        )
    if array.dtype == np.uint8:
        pixels = np.asarray(array, dtype=np.uint8)
    elif array.dtype == np.uint16:
        pixels = to_bytes(array)
    elif array.dtype == np.bool_:
        pixels = array.astype(np.uint8) * np.uint8(255)
    elif np.issubdtype(array.dtype, np.floating):
        check_finite(array)
        low, high = float(array.min()), float(array.max())
        if not 0 <= low <= high <= 1:
            raise PhotoError(f"expected floats in 0..1 (or uint8), got {low:.3g}..{high:.3g}")
        pixels = np.round(array * 255).astype(np.uint8)
    else:
        raise PhotoError(f"expected uint8, uint16, bool or floats in 0..1, got {array.dtype}")
    if pixels.shape[2] == 4:
        return pixels_of_image(Image.fromarray(np.ascontiguousarray(pixels)), None)
    return pixels[:, :, 0] if pixels.shape[2] == 1 else pixels


def reduced(pixels: NDArray[np.uint8], short_side: int | None) -> NDArray[np.uint8]:
    """RGB [H, W, 3], reduced by a whole factor if the short side stays twice `short_side` or more:
    the final resampling then decides the quality."""
    height, width = pixels.shape[:2]
    if short_side and (factor := min(width, height) // (2 * short_side)) > 1:
        pixels = np.asarray(Image.fromarray(pixels).reduce(factor))
    return np.repeat(pixels[:, :, None], 3, axis=2) if pixels.ndim == 2 else pixels


def to_bytes(
    values: NDArray[Any], white: float | None = None, *, white_is_zero: bool = False
) -> NDArray[np.uint8]:
    """Samples of any range and shape as 0..255. `white`: the value of white. Default: the smallest
    usual one that fits. The minimum is black if it is below 0. `white_is_zero`: inverted.

    Raises PhotoError for NaN or Inf.
    """
    check_finite(values)
    low, high = min(0.0, float(values.min())), float(values.max())
    if white is None:
        white = next((full for full in _FULL_RANGES if high <= full * 1.001), high)
    scale = 127.5 / (white / 2 - low / 2)  # white - low may be too large for a float
    shift = 0.5 - low * scale
    if white_is_zero:
        scale, shift = -scale, 256 - shift
    exact = np.float64 if values.dtype == np.float64 else np.float32
    out = np.empty(values.shape, np.uint8)
    step = max(1, _AT_ONCE * len(values) // values.size)
    for start in range(0, len(values), step):
        part: NDArray[Any] = values[start : start + step].astype(exact)
        part = part * scale + shift
        out[start : start + step] = part.clip(0, 255)
    return out


def check_finite(numbers: NDArray[Any]) -> None:
    """Raise PhotoError for NaN or Inf."""
    if numbers.dtype.kind != "f":
        return
    wrong = int(numbers.size - np.count_nonzero(np.isfinite(numbers)))
    if wrong:
        raise PhotoError(
            f"expected finite pixels, {wrong:,} of {numbers.size:,} are NaN or infinite; replace "
            "them"
        )
