"""TIFFs of every kind: read as tifffile or Pillow reads them, or refused by name."""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from eyespot.data import tiff
from eyespot.data.decode import decode
from eyespot.errors import PhotoError
from tests.data.files import encode, sample_image

HEIGHT, WIDTH = 37, 53
RANGES = (1, 255, 1023, 4095, 16383, 65535)


@dataclass(frozen=True)
class Made:
    """One file of the table."""

    dtype: str
    order: str = "<"
    colour: str = "minisblack"
    alpha: str = ""
    planes: str = "contig"
    tile: tuple[int, int] | None = None
    packing: str | None = None
    predictor: bool = False
    orientation: int = 1
    big: bool = False

    def __str__(self) -> str:
        facts = (self.dtype, self.order, self.colour, self.alpha, self.planes, self.tile)
        return f"{facts}-{self.packing}-{self.predictor}-{self.orientation}-{self.big}"


def shades(dtype: np.dtype[Any], channels: int, alpha: bool) -> NDArray[Any]:
    """Numbers [H, W, channels] from nearly black to nearly white, the last of them opaque."""
    plane = np.add.outer(3 * np.arange(HEIGHT), np.arange(WIDTH)) % 200 + 20
    image = np.stack([np.roll(plane, 7 * shift, axis=1) for shift in range(channels)], axis=-1)
    white = 1.0 if dtype.kind == "f" else min(np.iinfo(dtype).max, 65535)
    image = (image / 255 * white).astype(dtype)
    if alpha:
        image[..., -1] = white if dtype.kind == "f" else np.iinfo(dtype).max
        image[:5, :, -1] = 0
    return image


def kinds() -> Iterator[Made]:
    for dtype in ("u1", "u2", "u4", "i1", "i2", "i4", "f2", "f4", "f8"):
        for order in "<>":
            for colour in ("minisblack", "miniswhite", "rgb"):
                yield Made(dtype, order, colour)
                yield Made(dtype, order, colour, packing="zlib", tile=(16, 32))
            yield Made(dtype, order, "rgb", planes="separate", packing="zlib")
            if dtype[0] != "f":
                yield Made(dtype, order, "rgb", packing="zlib", predictor=True)
    for dtype in ("u1", "u2", "i2", "f4"):
        for order in "<>":
            for alpha in ("unassalpha", "assocalpha"):
                for planes in ("contig", "separate"):
                    yield Made(dtype, order, "minisblack", alpha, planes)
                    yield Made(dtype, order, "rgb", alpha, planes, packing="zlib")
            yield Made(dtype, order, big=True)
            for orientation in range(2, 9):
                yield Made(dtype, order, orientation=orientation)


def write(made: Made) -> bytes:
    dtype = np.dtype(made.dtype)
    channels = (3 if made.colour == "rgb" else 1) + bool(made.alpha)
    image = shades(dtype, channels, bool(made.alpha))
    if made.alpha == "assocalpha":
        image[:5] = 0
    if channels == 1:
        image = image[..., 0]
    elif made.planes == "separate":
        image = np.moveaxis(image, -1, 0)
    file = io.BytesIO()
    tifffile.imwrite(
        file,
        image,
        bigtiff=made.big,
        byteorder=made.order,  # type: ignore[arg-type]
        photometric=made.colour,
        planarconfig=made.planes if channels > 1 else None,
        extrasamples=[made.alpha] if made.alpha else None,
        compression=made.packing,
        predictor=made.predictor,
        tile=made.tile,
        rowsperstrip=None if made.tile else 8,
        extratags=[(274, "H", 1, made.orientation, True)] if made.orientation > 1 else (),
        metadata=None,
    )
    return file.getvalue()


def as_tifffile_says(data: bytes, made: Made) -> NDArray[np.float64]:
    """tifffile's numbers as grey levels 0..255 [H, W, 3]."""
    page = tifffile.TiffFile(io.BytesIO(data)).pages[0]
    numbers = np.asarray(page.asarray(), np.float64)
    if numbers.ndim == 2:
        numbers = numbers[..., None]
    elif made.planes == "separate":
        numbers = np.moveaxis(numbers, 0, -1)
    kind, bits = made.dtype[0], 8 * int(made.dtype[1])
    colours = numbers[..., :-1] if made.alpha else numbers
    if made.dtype == "u1" or (made.alpha and kind == "u"):
        white = float(2**bits - 1)
    else:
        if kind == "u" and made.colour == "miniswhite":
            colours = 2**bits - 1 - colours
        white = next((w for w in RANGES if colours.max() <= w), colours.max())
    low = min(0.0, colours.min())
    levels = (colours - low) / (white - low) * 255
    if made.colour == "miniswhite" and not (kind == "u" and made.dtype != "u1"):
        levels = 255 - levels
    if made.alpha:
        levels = np.where(numbers[..., -1:] > 0, levels, 255)
    if made.orientation in (5, 7):  # TIFF 6.0, page 36: the first row is the left or right side
        levels = np.swapaxes(levels, 0, 1)
    levels = np.rot90(levels, {3: 2, 4: 2, 6: -1, 7: 2, 8: 1}.get(made.orientation, 0))
    if made.orientation in (2, 4):
        levels = levels[:, ::-1]
    return np.broadcast_to(levels, (*levels.shape[:2], 3))


@pytest.mark.parametrize("made", list(kinds()), ids=str)
def test_the_pixels_are_those_of_tifffile(made: Made) -> None:
    data = write(made)
    found = decode(data)
    expected = as_tifffile_says(data, made)
    assert found.pixels.shape == expected.shape
    assert (found.height, found.width) == expected.shape[:2]
    assert np.abs(found.pixels - expected).max() <= 1


def test_there_are_enough_of_them() -> None:
    assert len(list(kinds())) > 200


@pytest.mark.parametrize(
    "compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits", "zstd", "lzma"]
)
@pytest.mark.parametrize("kind", ["I;16", "I", "F", "L", "RGB"])
def test_every_compression_of_pillow(kind: str, compression: str) -> None:
    # Levels that fill the range, so that the pixels are the numbers themselves.
    grey = np.linspace(0, 255, WIDTH * HEIGHT).astype(np.uint8).reshape(HEIGHT, WIDTH)
    images = {
        "I;16": Image.fromarray(grey.astype(np.uint16) * 257),
        "I": Image.fromarray(grey.astype(np.int32) * 257),
        "F": Image.fromarray(grey.astype(np.float32) / 255),
        "L": Image.fromarray(grey),
        "RGB": Image.fromarray(grey).convert("RGB"),
    }
    found = decode(encode(images[kind], "TIFF", compression=compression)).pixels
    assert np.abs(found[..., 1].astype(int) - grey).max() <= 1


def by_hand(
    rows: bytes, bits: int, width: int, height: int, **tags: int | tuple[int, ...]
) -> bytes:
    """A little-endian TIFF of one strip. `tags`: t259=5 and so on."""
    entries: dict[int, tuple[int, ...]] = {256: (width,), 257: (height,), 258: (bits,), 259: (1,)}
    entries |= {262: (1,), 273: (8,), 277: (1,), 278: (height,), 279: (len(rows),)}
    for name, value in tags.items():
        entries[int(name[1:])] = value if isinstance(value, tuple) else (value,)
    at = 8 + len(rows)
    directory, more = struct.pack("<H", len(entries)), b""
    end = at + 2 + 12 * len(entries) + 4
    for tag, values in sorted(entries.items()):
        packed = struct.pack(f"<{len(values)}I", *values)
        place = packed if len(packed) == 4 else struct.pack("<I", end + len(more))
        more += packed if len(packed) > 4 else b""
        directory += struct.pack("<HHI", tag, 4, len(values)) + place
    return b"II*\0" + struct.pack("<I", at) + rows + directory + bytes(4) + more


def packed(numbers: NDArray[np.int64], bits: int) -> bytes:
    ones = (numbers[..., None] >> np.arange(bits - 1, -1, -1)) & 1
    return np.packbits(ones.reshape(len(numbers), -1).astype(bool), axis=1).tobytes()


@pytest.mark.parametrize("bits", [10, 12, 14])
@pytest.mark.parametrize("reversed_bits", [False, True])
def test_numbers_that_share_bytes(bits: int, reversed_bits: bool) -> None:
    numbers = np.linspace(0, 2**bits - 1, WIDTH * HEIGHT).astype(int).reshape(HEIGHT, WIDTH)
    rows = packed(numbers, bits)
    if reversed_bits:
        rows = bytes(int(f"{byte:08b}"[::-1], 2) for byte in rows)
    found = decode(by_hand(rows, bits, WIDTH, HEIGHT, t266=1 + reversed_bits)).pixels[..., 0]
    assert np.abs(found - numbers / (2**bits - 1) * 255).max() <= 1
    inverted = decode(by_hand(rows, bits, WIDTH, HEIGHT, t266=1 + reversed_bits, t262=0)).pixels
    assert np.abs(255 - inverted[..., 0] - numbers / (2**bits - 1) * 255).max() <= 1


@pytest.mark.parametrize("size", [2, 4, 8])
def test_differences_of_floats(size: int) -> None:
    values = np.linspace(0, 1, WIDTH * HEIGHT).reshape(HEIGHT, WIDTH).astype(f">f{size}")
    by_byte = values.view(np.uint8).reshape(HEIGHT, WIDTH, size).transpose(0, 2, 1)
    rows = by_byte.reshape(HEIGHT, WIDTH * size)
    rows = np.diff(rows, axis=1, prepend=np.uint8(0)).astype(np.uint8)
    data = by_hand(rows.tobytes(), 8 * size, WIDTH, HEIGHT, t317=3, t339=3)
    assert np.abs(decode(data).pixels[..., 0] - values.astype(float) * 255).max() <= 1


def test_a_preview_before_the_image_is_passed_over() -> None:
    small, large = np.zeros((8, 8), np.uint8), np.full((40, 50), 200, np.uint8)
    for dtype in ("u1", "u2"):
        file = io.BytesIO()
        with tifffile.TiffWriter(file) as writer:
            writer.write(small.astype(dtype), subfiletype=1, metadata=None)
            writer.write(large if dtype == "u1" else large.astype(dtype) * 257)
        found = decode(file.getvalue())
        assert (found.width, found.height) == (50, 40)
        assert found.pixels.min() == found.pixels.max() == 200
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        writer.write(small, subifds=1, subfiletype=1, metadata=None)
        writer.write(large, metadata=None)
    assert decode(file.getvalue()).width == 50


def test_the_first_of_many_pages_counts() -> None:
    for dtype in ("u1", "u2", "f4"):
        pages = np.stack(
            [shades(np.dtype(dtype), 1, False)[..., 0], np.zeros((HEIGHT, WIDTH), dtype)]
        )
        file = io.BytesIO()
        tifffile.imwrite(file, pages, photometric="minisblack")
        assert decode(file.getvalue()).pixels.max() > 170


ROW = bytes(WIDTH * 16)
UNREAD = {
    "complex": (by_hand(ROW * HEIGHT, 64, WIDTH, HEIGHT, t339=5), "complex numbers of 64 bits"),
    "24 bits": (by_hand(ROW * HEIGHT, 24, WIDTH, HEIGHT), "24 bits"),
    "channels": (by_hand(ROW * HEIGHT, 16, WIDTH, HEIGHT, t277=5), "5 channels, grey"),
    "JPEG": (by_hand(ROW * HEIGHT, 12, WIDTH, HEIGHT, t259=7), "12 bits, .* JPEG"),
    "LERC": (by_hand(ROW * HEIGHT, 8, WIDTH, HEIGHT, t259=34887), "LERC"),
    "unknown": (by_hand(ROW * HEIGHT, 8, WIDTH, HEIGHT, t259=12345), "compression 12345"),
    "raw": (by_hand(ROW * HEIGHT, 16, WIDTH, HEIGHT, t262=32803), "camera raw"),
    "Lab": (by_hand(ROW * HEIGHT, 16, WIDTH, HEIGHT, t262=8, t277=3), r"L\*a\*b\*"),
    "palette": (by_hand(ROW * HEIGHT, 16, WIDTH, HEIGHT, t262=3), "16 bits, 1 channel, palette"),
    "mixed": (
        by_hand(ROW * HEIGHT, 8, WIDTH, HEIGHT, t258=(8, 16, 8), t277=3, t262=2),
        "8/16 bits",
    ),
    "damaged": (
        by_hand(ROW * HEIGHT, 8, WIDTH, HEIGHT, t258=tuple(range(9, 90)), t277=3, t262=2),
        "9/10/11/12 bits",
    ),
}


@pytest.mark.parametrize("name", UNREAD)
def test_kinds_that_are_not_read_are_named(name: str) -> None:
    data, reason = UNREAD[name]
    with pytest.raises(PhotoError, match=f"^unsupported kind of TIFF .*{reason}"):
        decode(data)


@pytest.mark.parametrize("packing", [None, "zlib"])
@pytest.mark.parametrize("dtype", ["u2", "f8"])
@pytest.mark.parametrize("share", [0.1, 0.4, 0.9])
def test_cut_files_are_damaged(dtype: str, packing: str | None, share: float) -> None:
    data = write(Made(dtype, packing=packing))
    with pytest.raises(PhotoError, match=r"^damaged or truncated TIFF"):
        decode(data[: int(len(data) * share)])


def test_limits_come_before_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    claim = by_hand(b"\0\0", 16, 60_000, 60_000)
    with pytest.raises(PhotoError, match="60000 x 60000 pixels are more"):
        decode(claim)
    with pytest.raises(PhotoError, match="bytes, the limit is"):
        decode(by_hand(b"\0\0", 64, 9_000, 9_000))
    with pytest.raises(PhotoError, match="2,000,000 parts"):
        decode(by_hand(b"\0\0", 16, 2, 2_000_000, t278=1))
    with pytest.raises(PhotoError, match="damaged"):  # one strip, named again and again
        decode(by_hand(bytes(99), 16, 8, 99, t278=1, t273=(8,) * 99, t279=(99,) * 99))
    monkeypatch.setattr(tiff, "MAX_SAMPLE_BYTES", 1000)
    with pytest.raises(PhotoError, match="4096 x 4096 pixels, more"):
        decode(by_hand(b"\0\0", 16, 9, 9, t322=4096, t323=4096, t324=8, t325=2))


@pytest.mark.parametrize("start", [16, 2**31, 2**63, 2**64 - 1])
def test_directories_of_bigtiff_that_lie_anywhere(start: int) -> None:
    for order, mark in (("<", b"II+\0"), (">", b"MM\0+")):
        header = mark + struct.pack(order + "HHQ", 8, 0, start)
        with pytest.raises(PhotoError, match=r"^damaged or truncated TIFF"):
            decode(header + b"\xff" * 64)


def test_parts_are_unpacked_in_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = {made: decode(write(made)).pixels for made in kinds() if made.dtype in ("u2", "f4")}
    monkeypatch.setattr(tiff, "_AT_ONCE", 20 * WIDTH * 16)
    for made, pixels in whole.items():
        np.testing.assert_array_equal(decode(write(made)).pixels, pixels)


def test_libvips_agrees() -> None:
    pyvips = pytest.importorskip("pyvips")
    for made in kinds():
        if made.dtype in ("u2", "f4") and made.colour != "rgb" and not made.alpha:
            image = pyvips.Image.new_from_buffer(write(made), "").autorot()
            levels = image.numpy() * (1.0 if made.dtype == "f4" else 1 / 65535) * 255
            found = decode(write(made)).pixels[..., 0]
            if made.colour == "minisblack" or made.dtype == "u2":
                assert np.abs(found - levels).max() <= 1, made


def test_shared_cases(shared_cases: Path) -> None:
    expected = decode((shared_cases / "tiff-white-is-zero-16" / "right.tif").read_bytes())
    assert expected.pixels.mean() == pytest.approx(53, abs=1)
    for path in sorted((shared_cases / "tiff-white-is-zero-16").glob("*.tif")):
        np.testing.assert_array_equal(decode(path.read_bytes()).pixels, expected.pixels)
    for path in sorted((shared_cases / "tiff-sound-but-called-damaged").glob("*.tif")):
        found = decode(path.read_bytes())
        assert (found.width, found.height) == (48, 32)


def test_other_formats_that_pillow_cannot_are_not_called_damaged() -> None:
    data = bytearray(encode(sample_image(), "JPEG"))
    data[data.index(b"\xff\xc0") + 4] = 12
    with pytest.raises(PhotoError, match=r"^unsupported kind of JPEG .*12-bit"):
        decode(bytes(data))
