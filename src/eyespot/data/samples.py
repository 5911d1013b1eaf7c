"""Scale samples of any range to the 8 bits of an image."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from eyespot.errors import PhotoError

_FULL_RANGES = (1.0, 255.0, 1023.0, 4095.0, 16383.0, 65535.0)
"""White in images of floats and of 8, 10, 12, 14 and 16 bits."""
_AT_ONCE = 1 << 20
"""Samples that are scaled at a time: a whole image as floats would fill the memory."""


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
