import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from eyespot.data import decode as decoding
from eyespot.data import pillow
from eyespot.data.decode import decode
from eyespot.data.duplicates import dhash
from eyespot.data.formats import sniff
from eyespot.errors import PhotoError
from tests.data.files import encode, noise, png_that_claims, sample_image

LOSSLESS = ["PNG", "BMP", "TIFF", "PPM"]
LOSSY = ["JPEG", "WEBP", "JPEG2000", "AVIF"]
RAMP = np.linspace(0, 255, 256).astype(np.uint8)[None].repeat(16, axis=0)


def difference(pixels: NDArray[np.uint8], expected: Image.Image | NDArray[np.uint8]) -> float:
    """Mean absolute difference, in grey levels."""
    wanted = np.asarray(expected, dtype=np.float64)
    assert pixels.shape == wanted.shape
    return float(np.abs(pixels - wanted).mean())


@pytest.mark.parametrize("kind", LOSSLESS)
def test_lossless_formats_keep_every_pixel(kind: str) -> None:
    found = decode(encode(noise(), kind))
    assert found.pixels.dtype == np.uint8
    assert (found.width, found.height) == (64, 48)
    np.testing.assert_array_equal(found.pixels, np.asarray(noise()))


@pytest.mark.parametrize("kind", LOSSY)
def test_lossy_formats_come_close(kind: str) -> None:
    assert difference(decode(encode(sample_image(), kind)).pixels, sample_image()) < 4


def test_heic(monkeypatch: pytest.MonkeyPatch) -> None:
    heif = pytest.importorskip("pillow_heif")
    heif.register_heif_opener()
    data = encode(sample_image(), "HEIF", quality=90)
    assert sniff(data) == "HEIC"
    assert difference(decode(data).pixels, sample_image()) < 4
    monkeypatch.setattr(pillow, "_heic_is_installed", lambda: False)
    with pytest.raises(PhotoError, match=r"eyespot\[heic\]"):
        decode(data)


def test_animations_and_pages_give_the_first_image() -> None:
    frames = [Image.new("RGB", (9, 9), color) for color in ("red", "blue", "lime")]
    for kind in ("GIF", "TIFF", "WEBP", "PNG"):
        data = encode(frames[0], kind, save_all=True, append_images=frames[1:])
        red = decode(data).pixels[4, 4].astype(int)
        assert red[0] > 240, kind
        assert red[1:].max() < 15, kind


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_photos_stand_upright(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(sample_image(), kind, exif=exif)
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    found = decode(data)
    assert (found.width, found.height) == expected.size
    assert difference(found.pixels, expected) < 2


def test_tiff_and_pillow_images_stand_upright() -> None:
    data = encode(sample_image(), "TIFF", tiffinfo={0x0112: 6})
    assert decode(data).pixels.shape == (64, 48, 3)
    exif = Image.Exif()
    exif[0x0112] = 6
    opened = Image.open(io.BytesIO(encode(sample_image(), "PNG", exif=exif)))
    assert (decode(opened).width, decode(opened).height) == (48, 64)


@pytest.mark.parametrize(
    ("exif", "side"),
    [(b"Exif\0\0garbage", 64), (b"Exif\0\0II*\0\xff\xff\xff\xff", 64), (b"Exif\0\0", 64)],
)
def test_damaged_exif_does_not_cost_the_photo(exif: bytes, side: int) -> None:
    assert decode(encode(sample_image(), "JPEG", exif=exif)).width == side


@pytest.mark.parametrize("short_side", [1, 20, 50, 51, 100, 101, 200, 400])
@pytest.mark.parametrize("progressive", [False, True])
def test_large_jpegs_are_decoded_smaller_but_not_too_small(
    short_side: int, progressive: bool
) -> None:
    original = sample_image(530, 401)
    data = encode(original, "JPEG", quality=95, progressive=progressive)
    found = decode(data, short_side=short_side)
    height, width = found.pixels.shape[:2]
    assert (found.width, found.height) == (530, 401)
    assert height >= min(short_side, 401)
    assert height < 2 * short_side or height == 401 or height == 51  # no less than 1/8
    assert difference(found.pixels, original.resize((width, height))) < 6


def test_large_pngs_are_shrunk_in_memory() -> None:
    found = decode(encode(sample_image(1000, 800), "PNG"), short_side=100)
    assert (found.width, found.height) == (1000, 800)
    assert found.pixels.shape == (200, 250, 3)
    assert difference(found.pixels, sample_image(1000, 800).resize((250, 200))) < 2


def test_grey_palette_and_two_levels() -> None:
    grey = sample_image().convert("L")
    expected = np.asarray(grey.convert("RGB"))
    np.testing.assert_array_equal(decode(encode(grey, "PNG")).pixels, expected)
    assert difference(decode(encode(grey, "JPEG")).pixels, expected) < 4
    colours = sample_image().quantize(64)
    np.testing.assert_array_equal(
        decode(encode(colours, "PNG")).pixels, np.asarray(colours.convert("RGB"))
    )
    two = Image.fromarray(np.eye(8) > 0)
    np.testing.assert_array_equal(decode(encode(two, "PNG")).pixels[..., 1], np.eye(8) * 255)
    np.testing.assert_array_equal(decode(encode(two, "TIFF")).pixels[..., 1], np.eye(8) * 255)


def test_transparency_is_put_on_white() -> None:
    values = np.zeros((4, 4, 4), dtype=np.uint8)
    values[..., 0] = 200
    values[:, 2:, 3] = 255
    values[:, 1, 3] = 128
    for kind in ("PNG", "TIFF"):
        row = decode(encode(Image.fromarray(values), kind)).pixels[0]
        assert row[0].tolist() == [255, 255, 255]
        assert row[3].tolist() == [200, 0, 0]
        assert np.abs(row[1] - [227.4, 127, 127]).max() <= 1
    np.testing.assert_array_equal(
        decode(values).pixels, decode(encode(Image.fromarray(values), "PNG")).pixels
    )
    grey = Image.fromarray(values).convert("LA")
    assert decode(encode(grey, "PNG")).pixels[0, 0].tolist() == [255, 255, 255]
    palette = Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 200, 100, 50])
    palette.putdata([0, 1])
    row = decode(encode(palette, "PNG", transparency=0)).pixels[0]
    assert row.tolist() == [[255, 255, 255], [200, 100, 50]]
    assert decode(encode(palette, "GIF", transparency=0)).pixels[0].tolist() == row.tolist()


def test_cmyk() -> None:
    for kind in ("JPEG", "TIFF"):
        data = encode(sample_image().convert("CMYK"), kind)
        assert difference(decode(data).pixels, sample_image()) < 4, kind


def test_sixteen_bits_and_floats_are_scaled_to_their_white() -> None:
    expected = np.repeat(RAMP[:, :, None], 3, axis=2)
    wide = (RAMP.astype(np.uint16) * 257)[:, :]
    twelve = RAMP.astype(np.uint16) * 16
    cases: dict[str, bytes | NDArray[Any] | Image.Image] = {
        "png": encode(Image.fromarray(wide), "PNG"),
        "tiff": encode(Image.fromarray(wide), "TIFF"),
        "tiff of 12 bits": encode(Image.fromarray(twelve), "TIFF"),
        "tiff of 32 bits": encode(Image.fromarray(wide.astype(np.int32)), "TIFF"),
        "tiff of floats": encode(Image.fromarray(RAMP.astype(np.float32) / 255), "TIFF"),
        "tiff of floats to 255": encode(Image.fromarray(RAMP.astype(np.float32)), "TIFF"),
        "array": wide,
        "array of floats": RAMP / 255,
        "array of small floats": (RAMP / 255).astype(np.float16),
        "image": Image.fromarray(wide),
        "pgm": b"P5 256 16 65535\n" + wide.astype(">u2").tobytes(),
    }
    for name, data in cases.items():
        assert np.abs(decode(data).pixels.astype(int) - expected).max() <= 1, name


def test_a_dark_sixteen_bit_png_stays_dark() -> None:
    dark = Image.fromarray(np.full((4, 4), 1000, dtype=np.uint16))
    assert decode(encode(dark, "PNG")).pixels.max() == 4


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("short_side", [None, 4])
def test_numbers_that_are_no_colours_are_refused(wrong: float, short_side: int | None) -> None:
    values = RAMP.astype(np.float32) / 255
    values[1, 2] = wrong
    image = Image.fromarray(values)
    for data in (encode(image, "TIFF"), image, values.astype(np.float64)):
        with pytest.raises(PhotoError, match=r"^expected finite pixels.* NaN or infinite"):
            decode(data, short_side=short_side)


def test_floats_of_a_file_take_the_range_that_holds_them() -> None:
    for top in (1.0, 255.0, 4095.0, 65535.0, 1e6):
        values = np.array([[0.0, top / 2, top]], np.float32)
        found = decode(encode(Image.fromarray(values), "TIFF")).pixels[0, :, 0]
        assert found.tolist() == pytest.approx([0, 128, 255], abs=1), top
    for top in (1.0, 1e6, 3e38):  # their difference is too large for a float32
        values = np.array([[-top, 0.0, top]], np.float32)
        found = decode(encode(Image.fromarray(values), "TIFF")).pixels[0, :, 0]
        assert found.tolist() == pytest.approx([0, 128, 255], abs=1), top


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.zeros((4, 4, 2), np.uint8), "shape"),
        (np.zeros((4,), np.uint8), "shape"),
        (np.zeros((0, 4, 3), np.uint8), "shape"),
        (np.zeros((2, 4, 4, 3), np.uint8), "shape"),
        (np.zeros((4, 4), np.int64), "int64"),
        (np.array([["a"]]), "<U1"),
        (np.full((4, 4), 1.5), "0..1"),
        (np.full((4, 4), -0.5), "0..1"),
        (np.full((4, 4), np.nan), "NaN"),
    ],
)
def test_arrays_that_are_not_images(array: NDArray[Any], reason: str) -> None:
    with pytest.raises(PhotoError, match=reason):
        decode(array)


def test_arrays_that_are_images() -> None:
    rgb = np.asarray(noise())
    np.testing.assert_array_equal(decode(rgb).pixels, rgb)
    np.testing.assert_array_equal(decode(rgb[::-1, ::2]).pixels, rgb[::-1, ::2])
    np.testing.assert_array_equal(decode(rgb[..., :1]).pixels, rgb[..., :1].repeat(3, axis=2))
    np.testing.assert_array_equal(decode(rgb[..., 0] > 9).pixels[..., 2] > 0, rgb[..., 0] > 9)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "PPM", "AVIF", "JPEG2000"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.9, 0.98])
def test_truncated_files_are_refused(kind: str, share: float) -> None:
    data = encode(noise(200, 150), kind)
    with pytest.raises(PhotoError):
        decode(data[: int(len(data) * share)])


@pytest.mark.parametrize("fill", [b"\0", b"\xff\xd9", b"\0\0\xff\xd9"])
@pytest.mark.parametrize("progressive", [False, True])
def test_half_a_jpeg_is_not_passed_off_as_a_whole(fill: bytes, progressive: bool) -> None:
    data = encode(noise(200, 150), "JPEG", progressive=progressive)
    half = data[: len(data) // 2]
    padded = half + fill * ((len(data) - len(half)) // len(fill))
    for broken in (half + fill, padded):
        with pytest.raises(PhotoError, match=r"truncated|damaged"):
            decode(broken, short_side=60)


def test_a_few_stray_bytes_cost_no_photo() -> None:
    data = encode(noise(200, 150), "JPEG", quality=90)
    scan = data.find(b"\xff\xda")
    stray = data[:scan] + b"\0\0\0" + data[scan:]
    assert difference(decode(stray).pixels, decode(data).pixels) == 0
    np.testing.assert_array_equal(
        decode(data + b"appended by a camera").pixels, decode(data).pixels
    )


def test_bombs_are_refused_before_they_are_unpacked() -> None:
    for width, height in ((30_000, 30_000), (11_000, 11_000)):
        with pytest.raises(PhotoError, match="pixels"):
            decode(png_that_claims(width, height), short_side=224)
    data = bytearray(encode(noise(), "JPEG"))
    frame = data.find(b"\xff\xc0")
    data[frame + 5 : frame + 9] = b"\xff\x00\xff\x00"
    with pytest.raises(PhotoError, match="65280 x 65280 pixels"):
        decode(bytes(data), short_side=224)


def test_a_progressive_jpeg_counts_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "MAX_PHOTO_PIXELS", 20_000)
    monkeypatch.setattr(decoding, "MAX_REDUCED_PIXELS", 80_000)
    plain, progressive = (
        encode(sample_image(300, 200), "JPEG", progressive=p) for p in (False, True)
    )
    assert decode(plain, short_side=50).pixels.shape == (50, 75, 3)
    for data, short_side in ((progressive, 50), (plain, None)):
        with pytest.raises(PhotoError, match="300 x 200 pixels are more"):
            decode(data, short_side=short_side)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"hello, this is text", "not an image"),
        (b"<!DOCTYPE html><html>not found</html>", "web page"),
        (b"%PDF-1.7 ...", "PDF"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b"\0\0\0\x20ftypisom" + bytes(40), "video"),
        (bytes(5000), "zeros"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "not an image"),
        (b"\xff\xd8", "damaged"),
        (b"\xff\xd8\xff\xe0", "damaged"),
        (b"\x89PNG\r\n\x1a\n", "damaged"),
        (b"GIF89a", "damaged"),
        (b"BM" + bytes(12) + b"\x28" + bytes(40), "Unsupported BMP pixel depth"),
        (b"P6\n9", "damaged"),
    ],
)
def test_files_that_are_not_images(data: bytes, reason: str) -> None:
    with pytest.raises(PhotoError, match=reason):
        decode(data)


def test_oversize_files_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "MAX_PHOTO_BYTES", 1000)
    with pytest.raises(PhotoError, match="the limit is 1,000"):
        decode(encode(noise(), "PNG"))


def test_other_threads_get_the_same_pixels() -> None:
    files = [encode(noise(90, 70, seed), kind) for seed, kind in enumerate(["JPEG", "PNG"] * 20)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(decode, files))
    for data, one in zip(files, found, strict=True):
        np.testing.assert_array_equal(one.pixels, decode(data).pixels)


def test_sniffing() -> None:
    kinds = {
        "JPEG": "JPEG",
        "PNG": "PNG",
        "WEBP": "WebP",
        "BMP": "BMP",
        "TIFF": "TIFF",
        "GIF": "GIF",
        "PPM": "PPM",
        "JPEG2000": "JPEG 2000",
        "AVIF": "AVIF",
        "ICO": "ICO",
    }
    for kind, name in kinds.items():
        assert sniff(encode(sample_image(), kind)[:32]) == name
    assert sniff(b"BMW is a car, and this is text about it") is None
    assert sniff(b"P6") is None


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "smaller": lambda image: image.resize((image.width // 2, image.height // 2)),
    "darker": lambda image: image.point(lambda value: value * 0.8),
    "recompressed": lambda image: Image.open(io.BytesIO(encode(image, "JPEG", quality=40))),
}


def test_dhash_survives_what_happens_to_photos(shared_data: Path) -> None:
    files = sorted((shared_data / "photos" / "dogs-cats").glob("*/*.jpg"))[:40]
    photos = [Image.open(file).convert("RGB") for file in files]
    hashes = [dhash(np.asarray(photo)) for photo in photos]
    for change in CHANGES.values():
        for photo, known in zip(photos, hashes, strict=True):
            assert (dhash(np.asarray(change(photo))) ^ known).bit_count() <= 6
    distances = [(a ^ b).bit_count() for i, a in enumerate(hashes) for b in hashes[:i]]
    assert min(distances) > 8
    assert dhash(RAMP[:, :, None].repeat(3, axis=2)) == 2**64 - 1
