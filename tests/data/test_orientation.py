"""EXIF and XMP: a photo stands as `exif_transpose` puts it, and libvips where it is there."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from eyespot.data.decode import decode
from tests.data.files import encode, noise, sample_image

ORIENTATION = 0x0112
TYPES = {"BYTE": 1, "ASCII": 2, "SHORT": 3, "LONG": 4, "UNDEFINED": 7, "SSHORT": 8, "SLONG": 9}
XMP = b"http://ns.adobe.com/xap/1.0/\0" + b'<x:xmpmeta tiff:Orientation="6"/>'


def exif(order: str, value: int = 6, kind: str = "SHORT", count: int = 1) -> bytes:
    """An EXIF block with nothing but an orientation."""
    code = TYPES[kind]
    number = {1: f"{value:c}", 2: str(value), 7: f"{value:c}"}.get(code, "").encode()
    number = number or struct.pack(order + {3: "H", 4: "I", 8: "h", 9: "i"}[code], value)
    entry = struct.pack(order + "HHI", ORIENTATION, code, count) + number.ljust(4, b"\0")
    mark = b"II" if order == "<" else b"MM"
    return mark + struct.pack(order + "HIH", 42, 8, 1) + entry + bytes(4)


def jpeg(*segments: tuple[int, bytes], grey: bool = False) -> bytes:
    """A JPEG of 64 x 48 with these application segments."""
    data = encode(sample_image().convert("L") if grey else sample_image(), "JPEG")
    parts = [bytes((0xFF, mark)) + struct.pack(">H", len(s) + 2) + s for mark, s in segments]
    return data[:2] + b"".join(parts) + data[2:]


def as_pillow_says(data: bytes) -> None:
    with Image.open(io.BytesIO(data)) as image:
        expected = ImageOps.exif_transpose(image).convert("RGB")
    found = decode(data)
    assert (found.width, found.height) == expected.size
    assert np.abs(found.pixels.astype(int) - np.asarray(expected)).mean() < 1


@pytest.mark.filterwarnings("ignore:Metadata Warning")
@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("order", "<>")
def test_every_type_and_byte_order(order: str, kind: str, count: int) -> None:
    block = exif(order, 6, kind, count)
    as_pillow_says(jpeg((0xE1, b"Exif\0\0" + block)))
    as_pillow_says(encode(sample_image(), "PNG", exif=block))
    as_pillow_says(encode(sample_image(), "WEBP", exif=block))
    if kind in ("SHORT", "LONG") and count == 1:
        assert decode(jpeg((0xE1, b"Exif\0\0" + block))).width == 48


EXIF_6 = (0xE1, b"Exif\0\0" + exif("<"))
SEGMENTS = {
    "goes on in a second": [EXIF_6, (0xE1, b"Exif\0\0" + b"text" * 100)],
    "a second without orientation": [EXIF_6, (0xE1, b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0")],
    "an empty second": [EXIF_6, (0xE1, b"Exif\0\0")],
    "a second of another mind": [EXIF_6, (0xE1, b"Exif\0\0" + exif("<", 3))],
    "behind others": [(0xE0, b"JFIF\0\1\2"), (0xED, b"Photoshop 3.0\0"), (0xE3, b"?"), EXIF_6],
    "XMP alone": [(0xE1, XMP)],
    "XMP of another mind": [(0xE1, XMP), (0xE1, b"Exif\0\0" + exif("<", 3))],
    "out of range": [(0xE1, b"Exif\0\0" + exif("<", 9))],
}


@pytest.mark.parametrize("name", SEGMENTS)
def test_several_segments(name: str) -> None:
    as_pillow_says(jpeg(*SEGMENTS[name]))
    as_pillow_says(jpeg(*SEGMENTS[name], grey=True))


def test_exif_behind_the_frame() -> None:
    data = jpeg()
    scan = data.index(b"\xff\xda")
    block = EXIF_6[1]
    segment = b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block
    as_pillow_says(data[:scan] + segment + data[scan:])


def test_text_of_a_png_holds_exif() -> None:
    from PIL.PngImagePlugin import PngInfo

    info, block = PngInfo(), b"Exif\0\0" + exif(">")
    info.add_text("Raw profile type exif", f"\nexif\n{len(block):8}\n{block.hex()}\n")
    data = encode(sample_image(), "PNG", pnginfo=info)
    as_pillow_says(data)
    assert decode(data).width == 48


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["AVIF", "TIFF", "HEIF"])
def test_other_formats_turn_once(kind: str, orientation: int) -> None:
    if kind == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    if kind == "TIFF":
        data = encode(sample_image(), "TIFF", tiffinfo={ORIENTATION: orientation})
    else:
        data = encode(sample_image(), kind, exif=exif("<", orientation))
    as_pillow_says(data)
    expected = np.asarray(ImageOps.exif_transpose(_turned(orientation)), int)
    assert np.abs(decode(data).pixels - expected).mean() < 4


def _turned(orientation: int) -> Image.Image:
    image = sample_image()
    image.getexif()[ORIENTATION] = orientation
    return image


def test_large_turned_jpegs_are_decoded_smaller() -> None:
    data = encode(sample_image(800, 600), "JPEG", exif=b"Exif\0\0" + exif(">", 6, "LONG"))
    found = decode(data, short_side=100)
    assert (found.width, found.height) == (600, 800)
    assert found.pixels.shape == (200, 150, 3)


@given(st.binary() | st.builds(bytes.__add__, st.sampled_from([b"II*\0", b"MM\0*"]), st.binary()))
@example(b"II*\0\xff\xff\xff\xff")
@example(b"MM\0*\0\0\0\x08\xff\xff")
@example(b"II")
def test_any_exif_leaves_a_image(block: bytes) -> None:
    assert decode(jpeg((0xE1, (b"Exif\0\0" + block)[:60000]))).width in (48, 64)


def test_libvips_agrees() -> None:
    pyvips = pytest.importorskip("pyvips")
    for order in "<>":
        for orientation in range(1, 9):
            for kind in ("SHORT", "LONG"):
                data = jpeg((0xE1, b"Exif\0\0" + exif(order, orientation, kind)))
                wanted = pyvips.Image.new_from_buffer(data, "").autorot().numpy()
                assert np.abs(decode(data).pixels.astype(int) - wanted).mean() < 1


def test_shared_cases(shared_cases: Path) -> None:
    expected = decode((shared_cases / "exif-second-block" / "good.jpg").read_bytes())
    assert (expected.width, expected.height) == (32, 48)
    for path in sorted((shared_cases / "exif-second-block").glob("*.jpg")):
        as_pillow_says(path.read_bytes())
        np.testing.assert_array_equal(decode(path.read_bytes()).pixels, expected.pixels)


def test_a_pillow_image_stands_upright_before_and_after_it_is_read() -> None:
    data = encode(noise(), "PNG", exif=exif("<"))
    image = Image.open(io.BytesIO(data))
    np.testing.assert_array_equal(decode(image).pixels, decode(data).pixels)
    image.load()
    np.testing.assert_array_equal(decode(image).pixels, decode(data).pixels)
