"""PNGs that name a transparent colour (tRNS): it becomes white, whatever the number of bits."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from eyespot.data.decode import decode

GREY = np.repeat(np.array([[0, 40, 80, 255]], np.uint8), 4, axis=0)


def png(image: Image.Image, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", **options)
    return file.getvalue()


@pytest.mark.parametrize("level", [0, 40, 255])
def test_a_transparent_grey_of_sixteen_bits_is_white_as_one_of_eight(level: int) -> None:
    eight = decode(png(Image.fromarray(GREY), transparency=level)).pixels
    wide = Image.fromarray(GREY.astype(np.uint16) * 257)
    sixteen = decode(png(wide, transparency=level * 257)).pixels
    expected = np.where(level == GREY, 255, GREY)
    np.testing.assert_array_equal(eight, np.repeat(expected[..., None], 3, axis=2))
    assert np.abs(sixteen.astype(int) - eight).max() <= 1


def test_a_transparent_colour_is_white() -> None:
    pixels = np.stack([GREY, GREY // 2, GREY], axis=2)
    found = decode(png(Image.fromarray(pixels), transparency=(80, 40, 80))).pixels
    expected = np.where(GREY[..., None] == 80, 255, pixels)
    np.testing.assert_array_equal(found, expected)


def test_the_shared_cases(shared_cases: Path) -> None:
    eight, sixteen = (
        decode((shared_cases / "png-grey16-trns" / f"trns{bits}.png").read_bytes()).pixels
        for bits in (8, 16)
    )
    assert np.abs(eight.astype(int) - sixteen).max() <= 1
    assert (sixteen[:, -1] == 255).all()
