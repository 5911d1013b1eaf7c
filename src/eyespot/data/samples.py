"""Numbers of any range as the bytes of a picture."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from eyespot.errors import PhotoError

_FULL_RANGES = (1.0, 255.0, 1023.0, 4095.0, 16383.0, 65535.0)
"""White in pictures of 1, 8, 10, 12, 14 and 16 bits."""
_AT_ONCE = 1 << 20
"""Numbers that are scaled at a time: a whole picture of them in floats would fill the memory."""


def to_bytes(
    values: NDArray[Any], white: float | None = None, *, white_is_zero: bool = False
) -> NDArray[np.uint8]:
    """Numbers of any range and shape as 0..255: up to `white`, or to the smallest usual one that
    fits. A least number below 0 is black. `white_is_zero`: the other way round.

    Raises PhotoError if there are NaN or infinite numbers.
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
    """Raises PhotoError if some are NaN or infinite."""
    if numbers.dtype.kind != "f":
        return
    wrong = int(numbers.size - np.count_nonzero(np.isfinite(numbers)))
    if wrong:
        raise PhotoError(
            f"expected numbers as pixels, {wrong:,} of {numbers.size:,} are NaN or infinite; put "
            "numbers in their place"
        )
