"""Convolution and pooling: torch's numbers, and what is said of them."""

import re
from typing import Any, cast

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from eyespot.errors import UsageError
from eyespot.playground.convolution import (
    MAX_KERNEL,
    MAX_SIDE,
    Pooling,
    Window,
    convolve,
    pixel,
    pool,
    pooled_pixel,
)
from eyespot.playground.kernels import KERNELS

SIDES = st.integers(1, 9)
KERNEL_SIDES = st.integers(1, 4)
STEPS = st.integers(1, 4)
PADDINGS = st.integers(0, 3)
SEEDS = st.integers(0, 100)


def numbers(height: int, width: int, seed: int) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=(height, width))


def fits(size: tuple[int, int], kernel: tuple[int, int], padding: int, dilation: int) -> bool:
    return all(s + 2 * padding >= dilation * (k - 1) + 1 for s, k in zip(size, kernel, strict=True))


@settings(max_examples=50, deadline=None)
@given(SIDES, SIDES, KERNEL_SIDES, KERNEL_SIDES, STEPS, PADDINGS, STEPS, SEEDS)
def test_convolution_is_torchs(
    h: int, w: int, kh: int, kw: int, stride: int, padding: int, dilation: int, seed: int
) -> None:
    image, kernel = numbers(h, w, seed), numbers(kh, kw, seed + 1)
    steps: dict[str, Any] = {"stride": stride, "padding": padding, "dilation": dilation}
    if not fits((h, w), (kh, kw), padding, dilation):
        with pytest.raises(UsageError, match="is larger than the image"):
            convolve(image, kernel, **steps)
        return
    wanted = F.conv2d(torch.tensor(image)[None], torch.tensor(kernel)[None, None], **steps)[0]
    found = convolve(image, kernel, **steps)
    np.testing.assert_allclose(found, wanted.numpy(), rtol=1e-12, atol=1e-12)
    window = Window(kh, kw, stride, padding, dilation)
    assert window.output_shape(h, w) == found.shape
    down, across = window.in_words(h, w)
    sizes = [int(re.findall(r"= (\d+)(?:;|$)", text)[0]) for text in (down, across)]
    assert sizes == list(found.shape)


@settings(max_examples=50, deadline=None)
@given(SIDES, SIDES, KERNEL_SIDES, STEPS, PADDINGS, SEEDS)
def test_pooling_is_torchs(h: int, w: int, size: int, stride: int, padding: int, seed: int) -> None:
    assume(padding <= size // 2 and fits((h, w), (size, size), padding, 1))
    image = numbers(h, w, seed) - 3  # a padding of zeros would be the largest
    batch = torch.tensor(image)[None]
    largest = pool(image, "max", size, stride=stride, padding=padding)
    mean = pool(image, "mean", size, stride=stride, padding=padding)
    np.testing.assert_allclose(largest, F.max_pool2d(batch, size, stride, padding)[0].numpy())
    np.testing.assert_allclose(mean, F.avg_pool2d(batch, size, stride, padding)[0].numpy())


def test_windows_of_a_pooling_stand_side_by_side_if_nothing_is_said() -> None:
    image = np.arange(16.0).reshape(4, 4)
    assert pool(image, "max", 2).tolist() == [[5, 7], [13, 15]]
    assert pool(image, "mean", 2).tolist() == [[2.5, 4.5], [10.5, 12.5]]


def test_the_kernel_is_not_turned() -> None:
    image = np.zeros((3, 3))
    image[1, 1] = 1
    kernel = np.arange(9.0).reshape(3, 3)
    assert convolve(image, kernel, padding=1).tolist() == kernel[::-1, ::-1].tolist()


@settings(max_examples=50, deadline=None)
@given(SIDES, SIDES, KERNEL_SIDES, KERNEL_SIDES, STEPS, PADDINGS, STEPS, SEEDS)
def test_a_pixel_is_made_of_those_that_are_named(
    h: int, w: int, kh: int, kw: int, stride: int, padding: int, dilation: int, seed: int
) -> None:
    assume(fits((h, w), (kh, kw), padding, dilation))
    image, kernel = numbers(h, w, seed), numbers(kh, kw, seed + 1)
    steps: dict[str, Any] = {"stride": stride, "padding": padding, "dilation": dilation}
    result = convolve(image, kernel, **steps)
    row, column = seed % result.shape[0], seed % result.shape[1]
    found = pixel(image, kernel, row, column, **steps)
    assert found.value == pytest.approx(result[row, column])
    assert found.products is not None
    assert found.products.sum() == found.value
    inside = {(r, c) for r in found.rows for c in found.columns if 0 <= r < h and 0 <= c < w}
    for (i, r), (j, c) in ((a, b) for a in enumerate(found.rows) for b in enumerate(found.columns)):
        assert found.inputs[i, j] == (image[r, c] if (r, c) in inside else 0)
    # Only these pixels matter, and all of them do.
    for place in np.ndindex(h, w):
        changed = image.copy()
        changed[place] += 1
        differs = convolve(changed, kernel, **steps)[row, column] != result[row, column]
        assert differs == (place in inside)


def test_a_pixel_in_words() -> None:
    found = pixel([[1, 2], [3, 4]], [[0, -1], [2, 1]], 0, 0)
    assert found.text == "1 * 0 + 2 * (-1) + 3 * 2 + 4 * 1 = 8"
    assert (found.rows, found.columns) == ((0, 1), (0, 1))
    corner = pixel([[5]], np.ones((3, 3)), 0, 0, padding=1)
    assert (corner.rows, corner.columns) == ((-1, 0, 1), (-1, 0, 1))


@settings(max_examples=50, deadline=None)
@given(SIDES, SIDES, KERNEL_SIDES, STEPS, PADDINGS, SEEDS)
def test_a_pooled_pixel_is_made_of_those_that_are_named(
    h: int, w: int, size: int, stride: int, padding: int, seed: int
) -> None:
    padding = min(padding, size // 2)
    assume(fits((h, w), (size, size), padding, 1))
    image = numbers(h, w, seed) - 2
    for kind, what in (("max", np.max), ("mean", np.mean)):
        kind = cast(Pooling, kind)
        result = pool(image, kind, size, stride=stride, padding=padding)
        row, column = seed % result.shape[0], seed % result.shape[1]
        found = pooled_pixel(image, kind, size, row, column, stride=stride, padding=padding)
        assert found.value == pytest.approx(result[row, column])
        inside = [r in range(h) and c in range(w) for r in found.rows for c in found.columns]
        seen = found.inputs.ravel()
        assert what(seen[inside] if kind == "max" else seen) == pytest.approx(found.value)
        assert not seen[np.logical_not(inside)].any()


def test_a_pooled_pixel_in_words() -> None:
    image = [[-1.0, 2.0], [3.0, 4.5]]
    assert pooled_pixel(image, "max", 2, 0, 0).text == "max(-1, 2, 3, 4.5) = 4.5"
    assert pooled_pixel(image, "mean", 2, 0, 0).text == "((-1) + 2 + 3 + 4.5) / 4 = 2.125"
    # Padding is never the largest.
    assert pooled_pixel([[-1]], "max", 2, 0, 0, padding=1).text == "max(-1) = -1"
    with pytest.raises(UsageError, match="The row has to be"):
        pooled_pixel(image, "max", 2, 1, 0)


def test_sizes_in_words() -> None:
    assert Window(5, 5).in_words(28, 28)[0] == (
        "height = floor((height of the image + 2 * padding - dilation * (kernel - 1) - 1) "
        "/ stride) + 1 = floor((28 + 2 * 0 - 1 * (5 - 1) - 1) / 1) + 1 = floor(23 / 1) + 1 = 24"
    )
    assert Window(3, 3, stride=2).in_words(8, 9) == (
        "height = floor((height of the image + 2 * padding - dilation * (kernel - 1) - 1) "
        "/ stride) + 1 = floor((8 + 2 * 0 - 1 * (3 - 1) - 1) / 2) + 1 = floor(5 / 2) + 1 = 3; "
        "the last 1 row no window reaches",
        "width = floor((width of the image + 2 * padding - dilation * (kernel - 1) - 1) "
        "/ stride) + 1 = floor((9 + 2 * 0 - 1 * (3 - 1) - 1) / 2) + 1 = floor(6 / 2) + 1 = 4",
    )


# --- kernels ------------------------------------------------------------------------------------


def test_known_kernels_do_what_they_are_known_for() -> None:
    ramp = np.tile(np.arange(6.0), (5, 1))  # brighter to the right
    spot = np.zeros((5, 5))
    spot[2, 2] = 1
    by_name = {name: convolve(ramp, kernel.values) for name, kernel in KERNELS.items()}
    np.testing.assert_allclose(by_name["identity"], ramp[1:-1, 1:-1])
    for smooth in ("box blur", "Gaussian blur", "sharpen", "emboss"):
        assert KERNELS[smooth].values.sum() == pytest.approx(1), smooth
    for edges in ("Sobel x", "Sobel y", "Laplacian"):
        assert KERNELS[edges].values.sum() == 0, edges
    assert (by_name["Sobel x"] == 8).all()
    assert (by_name["Sobel y"] == 0).all()
    assert (convolve(ramp.T, KERNELS["Sobel y"].values) == 8).all()
    assert (by_name["Laplacian"] == 0).all()
    assert convolve(spot, KERNELS["Laplacian"].values)[1, 1] == -4
    blurred = convolve(spot, KERNELS["Gaussian blur"].values)
    assert blurred[1, 1] > blurred[0, 1] > blurred[0, 0] > 0
    assert np.ptp(convolve(spot, KERNELS["box blur"].values)) == 0
    with pytest.raises(ValueError, match="read-only"):
        KERNELS["identity"].values[0, 0] = 1


# --- what makes no sense ------------------------------------------------------------------------

FLAT = np.ones((5, 5))
ONE = np.ones((3, 3))


@pytest.mark.parametrize(
    ("image", "kernel", "steps", "said"),
    [
        (FLAT, np.ones((6, 6)), {}, "The window (6 x 6) is larger than the image (5 x 5)"),
        (FLAT, np.ones((9, 2)), {"padding": 1}, "(9 x 2) is larger than the image (7 x 7, padd"),
        (FLAT, ONE, {"dilation": 3}, "(7 x 7, dilated from 3 x 3) is larger"),
        (FLAT, ONE, {"stride": 0}, "The stride has to be a whole number from 1 to 32, got 0"),
        (FLAT, ONE, {"stride": 1.5}, "got 1.5"),
        (FLAT, ONE, {"stride": True}, "got True"),
        (FLAT, ONE, {"padding": -1}, "The padding has to be a whole number from 0"),
        (FLAT, ONE, {"dilation": 0}, "The dilation has to be"),
        (FLAT, ONE, {"padding": 33}, "from 0 to 32, got 33"),
        ([[1, 2], [3]], ONE, {}, "The image has to be rows of numbers, all of the same length"),
        ([1, 2, 3], ONE, {}, "got (3,)"),
        ([["a"]], ONE, {}, "something else"),
        ([], ONE, {}, "The image has to be rows of numbers"),
        ([[]], ONE, {}, "The image has to be rows of numbers"),
        (FLAT * np.nan, ONE, {}, "made of numbers from -1e+06 to 1e+06"),
        (FLAT, ONE * np.inf, {}, "The kernel has to be made of numbers"),
        (FLAT * 1e7, ONE, {}, "made of numbers from"),
        (np.ones((MAX_SIDE + 1, 1)), ONE, {}, f"at most {MAX_SIDE} x {MAX_SIDE}; got (257, 1)"),
        (FLAT, np.ones((1, MAX_KERNEL + 1)), {}, f"at most {MAX_KERNEL} x {MAX_KERNEL}"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_explained(
    image: Any, kernel: Any, steps: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        convolve(image, kernel, **steps)
    with pytest.raises(UsageError, match=re.escape(said)):
        pixel(image, kernel, 0, 0, **steps)


def test_there_is_no_such_pixel() -> None:
    with pytest.raises(UsageError, match="The row has to be a whole number from 0 to 2, got 3"):
        pixel(FLAT, ONE, 3, 0)
    with pytest.raises(UsageError, match="The column has to be a whole number from 0 to 2, got -1"):
        pixel(FLAT, ONE, 0, -1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kind": "median", "size": 2}, "There is no pooling 'median'. Choose max or mean."),
        ({"kind": "max", "size": 6}, "(6 x 6) is larger"),
        ({"kind": "max", "size": 0}, "a whole number from 1"),
        ({"kind": "mean", "size": 2, "stride": 0}, "The stride has to be"),
        ({"kind": "mean", "size": 3, "padding": 2}, "at most (1 of 3), got 2"),
    ],
)
def test_poolings_that_make_no_sense_are_explained(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        pool(FLAT, **options)
