"""Convolution and pooling of one small map, with the calculation of each pixel.

Networks compute cross-correlation: the kernel is not flipped. Mathematical convolution turns the
kernel by 180 degrees first; a trained kernel needs no flip. Output sizes follow Dumoulin and Visin,
"A guide to convolution arithmetic for deep learning", 2016 (relationship 15 for dilation).
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from eyespot.errors import UsageError

Pooling = Literal["max", "mean"]

MAX_SIDE = 256
"""Largest height and width of an image, in pixels."""
MAX_KERNEL = 31
"""Largest height and width of a kernel."""
MAX_STEP = 32
"""Largest stride, padding and dilation."""
MAX_NUMBER = 1e6
"""Largest magnitude of a pixel or weight."""


@dataclass(frozen=True, slots=True)
class Window:
    """A window of `height` x `width` positions, `dilation` pixels apart, that moves over a map by
    `stride` pixels; the map has `padding` zeros on each side. Raises UsageError for values beyond
    the limits."""

    height: int
    width: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1

    def __post_init__(self) -> None:
        check_whole("The window's height", self.height, 1, MAX_KERNEL)
        check_whole("The window's width", self.width, 1, MAX_KERNEL)
        check_whole("The stride", self.stride, 1, MAX_STEP)
        check_whole("The padding", self.padding, 0, MAX_STEP)
        check_whole("The dilation", self.dilation, 1, MAX_STEP)

    @property
    def extent(self) -> tuple[int, int]:
        """Height and width that the window covers, dilation included."""
        return self.dilation * (self.height - 1) + 1, self.dilation * (self.width - 1) + 1

    def output_shape(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the output for a map of `height` x `width` pixels.
        Raises UsageError if the window does not fit."""
        rows, columns = self.extent
        high, wide = height + 2 * self.padding, width + 2 * self.padding
        if rows > high or columns > wide:
            padded = ", padding included" if self.padding else ""
            spread = f", dilated from {self.height} x {self.width}" if self.dilation > 1 else ""
            raise UsageError(
                f"The window ({rows} x {columns}{spread}) is larger than the image "
                f"({high} x {wide}{padded}). Choose a smaller one, or more padding."
            )
        return (high - rows) // self.stride + 1, (wide - columns) // self.stride + 1

    def in_words(self, height: int, width: int) -> tuple[str, str]:
        """The formulas of the output's height and width, with the numbers filled in."""
        down, across = self.output_shape(height, width)
        s, p, d = self.stride, self.padding, self.dilation

        def formula(side: str, line: str, size: int, kernel: int, count: int) -> str:
            room = size + 2 * p - d * (kernel - 1) - 1
            text = (
                f"{side} = floor(({side} of the image + 2 * padding - dilation * (kernel - 1) - 1) "
                f"/ stride) + 1 = floor(({size} + 2 * {p} - {d} * ({kernel} - 1) - 1) / {s}) + 1 "
                f"= floor({room} / {s}) + 1 = {count}"
            )
            if rest := room % s:
                text += f"; the last {rest} {line}{'s' * (rest > 1)} no window reaches"
            return text

        return (
            formula("height", "row", height, self.height, down),
            formula("width", "column", width, self.width, across),
        )

    def pixels(self, row: int, column: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Rows and columns of the image under the window for the output's pixel at `row`,
        `column`; those below 0 or beyond the image are padding."""
        top, left = row * self.stride - self.padding, column * self.stride - self.padding
        return (
            tuple(top + self.dilation * n for n in range(self.height)),
            tuple(left + self.dilation * n for n in range(self.width)),
        )

    def on(self, image: NDArray[np.float64], fill: float = 0.0) -> NDArray[np.float64]:
        """The patches under the window, float64 [H', W', height, width], a view.
        `fill`: the value of the padding."""
        self.output_shape(*image.shape)
        padded = np.pad(image, self.padding, constant_values=fill)
        s, d = self.stride, self.dilation
        return sliding_window_view(padded, self.extent)[::s, ::s, ::d, ::d]

    def at(self, image: NDArray[np.float64], row: int, column: int) -> NDArray[np.float64]:
        """The patch of the output's pixel at `row`, `column`, a copy. Raises UsageError if there is
        no such pixel."""
        height, width = self.output_shape(*image.shape)
        check_whole("The row", row, 0, height - 1)
        check_whole("The column", column, 0, width - 1)
        return np.array(self.on(image)[row, column])


@dataclass(frozen=True, slots=True)
class Pixel:
    """The calculation of one output pixel of a convolution or pooling.

    `rows`, `columns`: of the image, as Window.pixels gives them. `inputs`: the pixels there,
    padding as 0, float64 [height, width]. `products`: `inputs` times the kernel; None for pooling.
    `value`: the output. `text`: the calculation.
    """

    rows: tuple[int, ...]
    columns: tuple[int, ...]
    inputs: NDArray[np.float64]
    products: NDArray[np.float64] | None
    value: float
    text: str


def convolve(
    image: ArrayLike, kernel: ArrayLike, *, stride: int = 1, padding: int = 0, dilation: int = 1
) -> NDArray[np.float64]:
    """Cross-correlation of `image` [H, W] with `kernel` [h, w], float64 [H', W'].

    Raises UsageError for arrays of other shapes, beyond the limits, or that do not fit each other.
    """
    pixels, weights, window = _checked(image, kernel, stride, padding, dilation)
    return np.asarray(np.einsum("ijkl,kl->ij", window.on(pixels), weights))


def pixel(
    image: ArrayLike,
    kernel: ArrayLike,
    row: int,
    column: int,
    *,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
) -> Pixel:
    """The calculation of the pixel at `row`, `column` of `convolve`. Raises UsageError as
    `convolve` does, and if there is no such pixel."""
    pixels, weights, window = _checked(image, kernel, stride, padding, dilation)
    inputs = window.at(pixels, row, column)
    products = inputs * weights
    value = float(products.sum())
    pairs = zip(inputs.ravel(), weights.ravel(), strict=True)
    terms = " + ".join(f"{_factor(pixel)} * {_factor(weight)}" for pixel, weight in pairs)
    text = f"{terms} = {value:.4g}"
    return Pixel(*window.pixels(row, column), inputs, products, value, text)


def pool(
    image: ArrayLike, kind: Pooling, size: int, *, stride: int | None = None, padding: int = 0
) -> NDArray[np.float64]:
    """Max or mean pooling over windows of `size` x `size` pixels, float64 [H', W'].

    `stride`: `size` if None. Padding is never the maximum; in a mean it counts as zeros. Raises
    UsageError as `convolve` does, and for padding of more than half a window.
    """
    pixels, window = _checked_pooling(image, kind, size, stride, padding)
    if kind == "max":
        return np.asarray(window.on(pixels, -np.inf).max(axis=(2, 3)))
    return np.asarray(window.on(pixels).mean(axis=(2, 3)))


def pooled_pixel(
    image: ArrayLike,
    kind: Pooling,
    size: int,
    row: int,
    column: int,
    *,
    stride: int | None = None,
    padding: int = 0,
) -> Pixel:
    """The calculation of the pixel at `row`, `column` of `pool`. Raises UsageError as `pool` does,
    and if there is no such pixel."""
    pixels, window = _checked_pooling(image, kind, size, stride, padding)
    inputs = window.at(pixels, row, column)
    if kind == "max":
        patch = window.on(pixels, -np.inf)[row, column]
        inside = patch[np.isfinite(patch)]  # without the padding
        value = float(inside.max())
        text = f"max({', '.join(f'{number:.4g}' for number in inside)}) = {value:.4g}"
    else:
        value = float(inputs.mean())
        text = f"({' + '.join(map(_factor, inputs.ravel()))}) / {inputs.size} = {value:.4g}"
    return Pixel(*window.pixels(row, column), inputs, None, value, text)


def check_whole(what: str, value: object, least: int, most: int) -> None:
    """Raises UsageError unless `value` is a whole number from `least` to `most`."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise UsageError(f"{what} has to be a whole number from {least} to {most}, got {value!r}.")


def _checked(
    image: ArrayLike, kernel: ArrayLike, stride: int, padding: int, dilation: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], Window]:
    weights = _array("The kernel", kernel, MAX_KERNEL)
    height, width = weights.shape
    window = Window(height, width, stride, padding, dilation)
    return _array("The image", image, MAX_SIDE), weights, window


def _checked_pooling(
    image: ArrayLike, kind: Pooling, size: int, stride: int | None, padding: int
) -> tuple[NDArray[np.float64], Window]:
    if kind not in get_args(Pooling):
        raise UsageError(f"There is no pooling {kind!r}. Choose max or mean.")
    pixels = _array("The image", image, MAX_SIDE)
    window = Window(size, size, size if stride is None else stride, padding)
    if padding > size // 2:
        raise UsageError(
            f"The padding may be half of the window at most ({size // 2} of {size}), got {padding}."
        )
    return pixels, window


def _array(what: str, values: ArrayLike, side: int) -> NDArray[np.float64]:
    """`values` as float64 [H, W]. Raises UsageError if they are not rows of numbers."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        array = np.empty(0)  # rows of different lengths, texts
    if array.ndim != 2 or min(array.shape) < 1 or max(array.shape) > side:
        raise UsageError(
            f"{what} has to be rows of numbers, all of the same length, at most {side} x {side}; "
            f"got {np.shape(array) if array.size else 'something else'}."
        )
    if not (np.abs(array) <= MAX_NUMBER).all():
        raise UsageError(
            f"{what} has to be made of numbers from {-MAX_NUMBER:g} to {MAX_NUMBER:g}."
        )
    return array


def _factor(value: float) -> str:
    text = f"{value:.4g}" if value else "0"
    return f"({text})" if text.startswith("-") else text
