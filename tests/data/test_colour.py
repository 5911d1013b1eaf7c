import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from eyespot.data.decode import decode
from eyespot.limits import MAX_PROFILE_BYTES
from tests.data.files import encode, sample_image
from tests.data.profiles import ADOBE_RGB, DISPLAY_P3, grey_profile, rgb_profile

P3, ADOBE = rgb_profile(DISPLAY_P3), rgb_profile(ADOBE_RGB)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def by_pillow(image: Image.Image, profile: bytes) -> NDArray[np.int64]:
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    found = ImageCms.profileToProfile(image, source, SRGB, outputMode="RGB")
    assert found is not None
    return np.asarray(found, np.int64)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
@pytest.mark.parametrize("profile", [P3, ADOBE], ids=["P3", "Adobe RGB"])
def test_colours_become_srgb(kind: str, profile: bytes) -> None:
    if kind == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    data = encode(sample_image(), kind, icc_profile=profile)
    with Image.open(io.BytesIO(data)) as image:
        assert image.info["icc_profile"] == profile
        expected = by_pillow(image.convert("RGB"), profile)
    assert np.abs(decode(data).pixels - expected).max() <= 1
    assert np.abs(decode(data).pixels - np.asarray(sample_image(), int)).max() > 20


def test_a_large_jpeg_is_converted_at_the_size_that_is_needed() -> None:
    data = encode(sample_image(640, 480), "JPEG", icc_profile=P3, quality=95)
    small = sample_image(320, 240)
    assert np.abs(decode(data, short_side=240).pixels - by_pillow(small, P3)).mean() < 2


def test_grey_and_transparent_images() -> None:
    grey, profile = sample_image().convert("L"), grey_profile(1.0)
    for kind in ("JPEG", "PNG", "TIFF"):
        data = encode(grey, kind, icc_profile=profile, quality=100)
        with Image.open(io.BytesIO(data)) as image:
            expected = by_pillow(image, profile)
        assert np.abs(decode(data).pixels - expected).max() <= 1, kind
    clear = sample_image()
    clear.putalpha(Image.new("L", clear.size, 255))
    clear.paste((0, 0, 0, 0), (0, 0, 8, 8))
    found = decode(encode(clear, "PNG", icc_profile=P3)).pixels
    assert found[:8, :8].min() == 255
    assert np.abs(found[8:] - by_pillow(sample_image(), P3)[8:]).max() <= 1


def test_sixteen_bits_are_converted() -> None:
    wide = np.asarray(sample_image().convert("L")).astype(np.uint16) * 257
    profile = grey_profile(1.0)
    expected = by_pillow(sample_image().convert("L"), profile)
    for kind in ("PNG", "TIFF"):
        data = encode(Image.fromarray(wide), kind, icc_profile=profile)
        assert np.abs(decode(data).pixels - expected).max() <= 1, kind


@pytest.mark.parametrize(
    "profile",
    [
        SRGB.tobytes(),
        b"no profile",
        P3[:200],
        P3[:131] + b"\xff" * 40,
        grey_profile(2.2),
        ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes(),
    ],
    ids=["sRGB", "text", "cut", "overwritten", "of grey", "of L*a*b*"],
)
def test_profiles_that_change_nothing(profile: bytes) -> None:
    for kind in ("JPEG", "PNG"):
        plain = decode(encode(sample_image(), kind)).pixels
        found = decode(encode(sample_image(), kind, icc_profile=profile)).pixels
        np.testing.assert_array_equal(found, plain)


def test_a_profile_that_is_too_large_costs_no_photo() -> None:
    found = decode(encode(sample_image(), "JPEG", icc_profile=P3 + bytes(MAX_PROFILE_BYTES)))
    np.testing.assert_array_equal(found.pixels, decode(encode(sample_image(), "JPEG")).pixels)


def test_other_threads_get_the_same_colours() -> None:
    files = [encode(sample_image(90, 70), "PNG", icc_profile=p) for p in (P3, ADOBE)] * 20
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(decode, files))
    for one, other in zip(found, found[2:], strict=False):
        np.testing.assert_array_equal(one.pixels, other.pixels)
