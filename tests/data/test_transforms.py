import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from eyespot.data.transforms import TALL, Preprocessing, needed_short_side, prepare

CROP = Preprocessing(64, (0.0,) * 3, (1.0,) * 3)
STRETCH = Preprocessing(64, (0.0,) * 3, (1.0,) * 3, fit="stretch")


def noise(width: int, height: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("width", "height"), [(300, 200), (200, 301), (64, 64), (40, 50), (180, 130)]
)
def test_the_central_square_is_what_pillow_makes_of_the_whole(width: int, height: int) -> None:
    pixels = noise(width, height)
    side = min(width, height) * 0.875
    left, top = (width - side) / 2, (height - side) / 2
    whole = Image.fromarray(pixels).resize(
        (64, 64), Image.Resampling.BICUBIC, box=(left, top, left + side, top + side)
    )
    # The box begins elsewhere in the part, which can turn the last bit of a rounding.
    apart = np.abs(prepare(pixels, CROP).astype(int) - np.asarray(whole))
    assert apart.max() <= 1
    assert apart.mean() < 0.01


def test_stretching_keeps_everything() -> None:
    pixels = noise(300, 200)
    whole = Image.fromarray(pixels).resize((64, 64), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(prepare(pixels, STRETCH), np.asarray(whole))
    assert prepare(pixels[:64, :64], STRETCH) is not None
    square = noise(64, 64)
    assert prepare(square, STRETCH) is square


def test_no_detail_is_lost_before() -> None:
    assert needed_short_side(STRETCH) == 64
    assert needed_short_side(CROP) * CROP.crop_fraction == pytest.approx(64, abs=0.5)


@pytest.mark.parametrize("change", [{"fit": "squash"}, {"mean": [1, 2]}, {"size": "big"}])
def test_damaged_values_are_refused(change: dict[str, object]) -> None:
    assert Preprocessing.from_dict(CROP.to_dict()) == CROP
    with pytest.raises((KeyError, TypeError, ValueError)):
        Preprocessing.from_dict({**CROP.to_dict(), **change})


@pytest.mark.parametrize(("width", "height"), [(300, 300), (400, 100), (100, 800), (1, 3000)])
def test_rows_come_first_in_every_pillow(width: int, height: int) -> None:
    # Pillow's own order depends on its version; each pass by itself leaves no choice.
    image = Image.fromarray(noise(width, height))
    steps = [(64, height), (64, 64)] if height <= TALL * width else [(width, 64), (64, 64)]
    for size in steps:
        image = image.resize(size, Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(prepare(noise(width, height), STRETCH), np.asarray(image))
