import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from eyespot.data.transforms import Preprocessing, prepare
from eyespot.errors import UsageError
from eyespot.imagenet_eval.views import Views

CROP = Preprocessing(56, (0.0,) * 3, (1.0,) * 3)


def noise(width: int, height: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(("width", "height"), [(300, 201), (97, 301), (64, 64), (40, 51)])
@pytest.mark.parametrize("scales", [(), (64,)])
def test_the_centre_crop_is_what_a_classifier_sees(
    width: int, height: int, scales: tuple[int, ...]
) -> None:
    pixels = noise(width, height)
    expected = prepare(pixels, CROP)
    np.testing.assert_array_equal(Views(CROP, 1, scales).of(pixels), expected[None])
    np.testing.assert_array_equal(Views(CROP, 10, scales).of(pixels)[4], expected)


def test_ten_crops_are_corners_and_centre_of_the_central_square_and_their_mirror_images() -> None:
    pixels = noise(100, 64)  # short side 64: nothing is resized
    square = pixels[:, 18:82]
    corners = [square[:56, :56], square[:56, 8:], square[8:, :56], square[8:, 8:]]
    five = np.stack([*corners, square[4:60, 4:60]])
    views = Views(CROP, 10).of(pixels)
    np.testing.assert_array_equal(views, np.concatenate([five, five[:, :, ::-1]]))


def test_scales_are_the_short_side_before_the_crop() -> None:
    pixels = noise(160, 128)
    views = Views(CROP, 1, (64, 72))
    assert (len(views), views.short_sides) == (2, (64, 72))
    for view, side in zip(views.of(pixels), (64, 72), strict=True):
        whole = Image.fromarray(pixels).resize((side * 5 // 4, side), Image.Resampling.BICUBIC)
        left, top = (side * 5 // 4 - 56) // 2, (side - 56) // 2
        by_hand = np.asarray(whole)[top : top + 56, left : left + 56]
        assert np.abs(view.astype(int) - by_hand).max() <= 1  # the last bit of a rounding


@pytest.mark.parametrize(("crops", "scales"), [(5, ()), (1, (55,)), (10, (64, 64)), (1, (-1,))])
def test_views_that_cannot_be_are_refused(crops: int, scales: tuple[int, ...]) -> None:
    with pytest.raises(UsageError):
        Views(CROP, crops, scales)
