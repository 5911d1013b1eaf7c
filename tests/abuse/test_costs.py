"""Small files that would take a decoder long: refused before they are decoded, or decoded smaller.

No test here takes a time: each file is one that took seconds to minutes, or gigabytes.
"""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from eyespot.data import jpeg, netpbm
from eyespot.data.decode import decode
from eyespot.errors import PhotoError
from eyespot.limits import MAX_FILE_PARTS, MAX_JPEG_SCANS
from tests.data.files import encode, noise, sample_image

LONG = "takes too long to decode"
MANY = MAX_FILE_PARTS + 1


def jpeg_of_scans(count: int, side: int = 16) -> bytes:
    """A progressive JPEG whose last scan, which refines its colours, comes `count` times."""
    whole = encode(noise(side, side), "JPEG", progressive=True)
    last = whole.rindex(b"\xff\xda")
    return whole[:last] + whole[last:-2] * count + whole[-2:]


def behind_start(kind: str, place: int, parts: bytes) -> bytes:
    whole = encode(sample_image(), kind)
    return whole[:place] + parts + whole[place:]


def chunk(name: bytes, content: bytes) -> bytes:
    check = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)


def png(width: int, height: int, bits: int, colour: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    content = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(99)))
    return b"\x89PNG\r\n\x1a\n" + content + chunk(b"IEND", b"")


def runs(width: int, height: int, packed: int = 1, body: bytes = b"\1\1\0\0\0\1") -> bytes:
    """The header of a BMP and what follows it."""
    sizes = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, packed, 0, 0, 0, 256, 0)
    return sizes + bytes(1024) + body


def bmp(content: bytes) -> bytes:
    return b"BM" + struct.pack("<IHHI", 0, 0, 0, 54 + 1024) + content


def heif_that_claims(kind: str, width: int, height: int) -> bytes:
    """A HEIC or AVIF of 64 x 64 pixels whose header promises another size."""
    if kind == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    size = b"ispe" + struct.pack(">III", 0, 64, 64)
    whole = encode(sample_image(64, 64), kind)
    assert size in whole
    return whole.replace(size, b"ispe" + struct.pack(">III", 0, width, height))


def ico(content: bytes) -> bytes:
    entry = struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, len(content), 22)
    return b"\0\0\1\0\1\0" + entry + content


def icons(count: int, chunks: int) -> bytes:
    """Many images, none of which has too many parts."""
    whole = behind_start("PNG", 33, chunk(b"abCd", b"") * chunks)
    start = 6 + 16 * count
    entries = b"".join(
        struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, len(whole), start + n * len(whole))
        for n in range(count)
    )
    return b"\0\0\1\0" + struct.pack("<H", count) + entries + whole * count


def gif(blocks: bytes) -> bytes:
    whole = encode(Image.new("P", (8, 8)), "GIF")
    place = 13 + (3 * 2 ** ((whole[10] & 7) + 1) if whole[10] & 0x80 else 0)
    return whole[:place] + blocks + whole[place:]


def tiff_of_strips(count: int) -> bytes:
    entries = [(256, 1, 8), (257, 1, count), (258, 1, 8), (259, 1, 1), (262, 1, 1)]
    entries += [(273, count, 122), (277, 1, 1), (278, 1, 1), (279, count, 122 + 4 * count)]
    table = b"".join(struct.pack("<HHII", tag, 4, n, value) for tag, n, value in entries)
    head = b"II*\0" + struct.pack("<IH", 8, len(entries)) + table + bytes(4)
    body = struct.pack("<I", 8) * count + struct.pack("<I", 8) * count
    return head.ljust(122, b"\0") + body


def jpeg2000(width: int, height: int, components: int = 3, **change: Any) -> bytes:
    """The headers of a JPEG 2000, and a tile without packets.

    `change`: the tile's side, quality layers, levels, the logarithm of a code-block's side less 2.
    """
    made = {"tile": 2**31 - 1, "layers": 1, "levels": 5, "block": 4, "precinct": 15} | change
    tile = made["tile"]
    sizes = struct.pack(">H8IH", 0, width, height, 0, 0, tile, tile, 0, 0, components)
    sizes += b"\7\1\1" * components
    levels, block, precinct = made["levels"], made["block"], made["precinct"]
    coding = struct.pack(">BBHBBBBBB", 1, 0, made["layers"], 0, levels, block, block, 0, 1)
    coding += bytes([17 * precinct]) * (levels + 1)
    quantised = bytes([0x40]) + bytes([0x40]) * (3 * levels + 1)
    head = b"\xff\x4f" + b"".join(
        struct.pack(">HH", marker, len(content) + 2) + content
        for marker, content in ((0xFF51, sizes), (0xFF52, coding), (0xFF5C, quantised))
    )
    return head + struct.pack(">HHHIBBH", 0xFF90, 10, 0, 14, 0, 1, 0xFF93) + b"\xff\xd9"


def with_coding_in_a_tile() -> bytes:
    """Code-blocks that only the header of a tile makes small."""
    whole = jpeg2000(4000, 4000)
    small = jpeg2000(4000, 4000, block=0)
    start, end = small.index(b"\xff\x52"), small.index(b"\xff\x5c")
    place, more = whole.index(b"\xff\x93"), small[start:end]
    part = struct.pack(">HHHIBB", 0xFF90, 10, 0, 14 + len(more), 0, 1)
    return whole[: place - 12] + part + more + whole[place:]


COSTLY: dict[str, Callable[[], bytes]] = {
    "JPEG of scans": lambda: jpeg_of_scans(MAX_JPEG_SCANS),
    "JPEG of segments": lambda: behind_start("JPEG", 2, b"\xff\xe5\0\2" * MANY),
    "JPEG of comments": lambda: behind_start("JPEG", 2, b"\xff\xfe\0\2" * MANY),
    "JPEG of padding": lambda: behind_start("JPEG", 2, b"\xff" * MANY),
    "PNG of chunks": lambda: behind_start("PNG", 33, chunk(b"abCd", b"") * MANY),
    "PNG of text": lambda: behind_start("PNG", 33, chunk(b"tEXt", b"a\0b") * MANY),
    "PNG of numbers": lambda: png(9990, 9990, 16, 6),
    "GIF of comments": lambda: gif(b"\x21\xfe\x01a\0" * MANY),
    "GIF of blocks": lambda: gif(b"\x21\xfe" + b"\x01a" * MANY + b"\0"),
    "GIF of nothing": lambda: gif(b"?" * MANY),
    "BMP of runs, wide": lambda: bmp(runs(99_999_999, 1)),
    "BMP of runs, high": lambda: bmp(runs(1, -99_999_999)),
    "BMP of half bytes": lambda: bmp(runs(9990, 9990, 2)),
    "BMP of many runs": lambda: bmp(runs(9, 9, body=b"\0\0" * 2_000_001)),
    "ICO of runs": lambda: ico(runs(9990, 9990)),
    "ICO of chunks": lambda: ico(behind_start("PNG", 33, chunk(b"abCd", b"") * MANY)),
    "ICO of icons": lambda: icons(MANY // 10, 11),
    "PPM of comments": lambda: b"P3 99 99 255\n" + b"#\n" * MANY,
    "WebP": lambda: encode(
        Image.new("RGB", (7100, 7100)), "WEBP", lossless=True, quality=0, method=0
    ),
    "AVIF": lambda: heif_that_claims("AVIF", 7100, 7100),
    "HEIC": lambda: heif_that_claims("HEIF", 7100, 7100),
    "TIFF of strips": lambda: tiff_of_strips(MANY),
    "JPEG 2000 at full size alone": lambda: jpeg2000(5000, 5000, levels=0),
    "JPEG 2000 of channels": lambda: jpeg2000(3600, 3600, components=4, levels=0),
    "JPEG 2000 of tiles": lambda: jpeg2000(9000, 9000, tile=40),
    "JPEG 2000 of layers": lambda: jpeg2000(2000, 2000, layers=65_535),
    "JPEG 2000 of code-blocks": lambda: jpeg2000(4000, 4000, block=0),
    "JPEG 2000 of precincts": lambda: jpeg2000(4000, 4000, precinct=2),
    "JPEG 2000 of code-blocks in a tile": with_coding_in_a_tile,
}


@pytest.mark.parametrize("name", COSTLY)
def test_refused_before_it_is_decoded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = COSTLY[name]()

    def never(*_: object, **__: object) -> None:
        raise AssertionError("decoding began")

    for loader in ("PIL.ImageFile.ImageFile.load", "eyespot.data.jpeg.decode_jpeg"):
        monkeypatch.setattr(loader, never)
    with pytest.raises(PhotoError, match=LONG):
        decode(data, short_side=64)


def test_an_icon_cannot_hold_more_pixels_than_a_photo() -> None:
    inside = encode(Image.new("1", (12_000, 12_000)), "PNG")
    with pytest.raises(PhotoError, match="pixels are more than"):
        decode(ico(inside))


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_shared_cases(shared_cases: Path) -> None:
    with pytest.raises(PhotoError, match=LONG):
        decode((shared_cases / "attack/jpeg-scan-bomb/scans-2000.jpg").read_bytes())
    flat = (shared_cases / "attack/jpeg2000-stops-the-server/flat.jp2").read_bytes()
    for short_side in (224, None):
        found = decode(flat, short_side=short_side)
        assert (found.width, found.height) == (9990, 9990)
        assert found.pixels.shape[0] < 5000


# --- what stays as it was ------------------------------------------------------------------------


def test_scans_as_programs_write_them() -> None:
    whole = encode(noise(64, 64), "JPEG", progressive=True)
    behind = b"\xff\xda" * 3 * MAX_JPEG_SCANS  # a video behind the image
    preview = b"\xff\xe5\2\x5a" + b"\xff\xda" * 300
    for data in (whole, whole + behind, whole[:2] + preview + whole[2:]):
        np.testing.assert_array_equal(decode(data).pixels, decode(whole).pixels)


def test_scans_count_by_pixels() -> None:
    whole = jpeg_of_scans(60)
    frame = whole.index(b"\xff\xc2")
    large = whole[: frame + 5] + struct.pack(">HH", 9000, 9000) + whole[frame + 9 :]
    jpeg.read_header(whole)
    with pytest.raises(PhotoError, match=LONG):
        jpeg.read_header(large)


@pytest.mark.parametrize("options", [{}, {"tile_size": (64, 64)}, {"no_jp2": True}], ids=str)
@pytest.mark.parametrize("size", [(301, 205), (300, 201), (256, 1000)])
def test_jpeg_2000_is_decoded_at_a_fraction(size: tuple[int, int], options: dict[str, Any]) -> None:
    small = sample_image(*size)
    data = encode(small, "JPEG2000", **options)
    full = decode(data)
    assert full.pixels.shape[:2] == size[::-1]
    for short_side in (10, 25, 50, 100, 300):
        found = decode(data, short_side=short_side)
        assert (found.width, found.height) == size
        height, width = found.pixels.shape[:2]
        assert min(width, height) >= min(2 * short_side, *size)
        assert min(width, height) < max(4 * short_side, 10)
        expected = small.resize((width, height), Image.Resampling.BOX)
        assert np.abs(found.pixels - np.asarray(expected, int)).mean() < 4


def test_a_palette_has_no_mean() -> None:
    """Colours of a JPEG 2000 with a palette are numbers of its colours: no fraction of them."""
    whole = encode(sample_image(256, 256).convert("L"), "JPEG2000")
    header = whole.index(b"jp2h") - 4
    length = struct.unpack_from(">I", whole, header)[0]
    ramp = bytes(value for n in range(256) for value in (255 - n, 0, n))
    palette = struct.pack(">I4sHB3B", 8 + 6 + 768, b"pclr", 256, 3, 7, 7, 7) + ramp
    mapping = struct.pack(">I4s", 8 + 12, b"cmap") + b"".join(
        struct.pack(">HBB", 0, 1, n) for n in range(3)
    )
    colours = whole.index(b"colr") - 4
    boxes = whole[header + 8 : colours] + struct.pack(">I4sBBBI", 15, b"colr", 1, 0, 0, 16)
    boxes += palette + mapping
    start = struct.pack(">I4s", 8 + len(boxes), b"jp2h")
    data = whole[:header] + start + boxes + whole[header + length :]
    with Image.open(io.BytesIO(data)) as image:
        assert image.mode == "P"
    assert decode(data, short_side=16).width == 256


PLAIN = {
    "P1": b"P1 3 2\n010 #black\n1 1 0",
    "P2": b"P2\n# made by hand\n3 2 7\n0 1 2\n3 7 #white\n6\n",
    "P2 of 16 bits": b"P2 2 2 300 0 1 150 300",
    "P3": b"P3 2 1 100\n0 50 100\n1 2 3",
    "P4": b"P4 10 2\n\x55\x80\xff\x40",
    "P5": b"P5 3 1 7\n\0\3\7",
    "P5 beyond its largest": b"P5 3 1 7\n\0\3\x09",
    "P5 of 255": b"P5 3 1 255\n\0\3\xff",
    "P5 of 16 bits": b"P5 2 1 65535\n\x12\x34\xff\xff",
    "P5 of 12 bits": b"P5 2 1 4095\n\x01\x23\x0f\xff",
    "P6": b"P6 1 1 9\r\1\2\x09",
    "P6 of 16 bits": b"P6 1 2 65535 " + bytes(range(100, 112)),
}


@pytest.mark.parametrize("name", PLAIN)
def test_netpbm_is_read_as_pillow_reads_it(name: str) -> None:
    data = PLAIN[name]
    found = netpbm.Netpbm(data).read()
    with Image.open(io.BytesIO(data), formats=["PPM"]) as image:
        np.testing.assert_array_equal(np.asarray(found, int) > 0, np.asarray(image, int) > 0)
        expected = image.convert("L") if image.mode == "1" else image
        np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"P5 3 3 255\n12345678", "the end of the image is missing"),
        (b"P2 3 3 255\n1 2 3 4 5 6 7 8", "the end of the image is missing"),
        (b"P4 9 9\n12345678", "the end of the image is missing"),
        (b"P1 9 9\n1 1 1", "the end of the image is missing"),
        (b"P1 2 1\n1 2", "expected digits"),
        (b"P3 1 1 255\n1 2 x", "expected numbers"),
        (b"P3 1 1 255\n1 -2 3", "expected numbers"),
        (b"P3 1 1 9\n1 2 99999999999999999999999", "larger than 9"),
        (b"P5 3 3 0\n12345678", "values up to 0"),
        (b"P5 0 3 255\n", "0 x 3 pixels"),
        (b"P5 3", "its size is missing"),
        (b"P5 3 3", "its maximum value is missing"),
        (b"P5 1 1 255", "the end of the image is missing"),
        (b"P6\n#" + b"a" * 1_000_000, "its size is missing"),
        (b"P6" + b" " * 1_000_000, "its size is missing"),
    ],
)
def test_damaged_netpbm(data: bytes, reason: str) -> None:
    with pytest.raises(PhotoError, match=reason):
        decode(data)


def test_runs_and_parts_below_the_limit() -> None:
    body = b"".join(bytes([8, n, 0, 0]) for n in range(8)) + b"\0\1"
    assert decode(bmp(runs(8, 8, body=body))).pixels.shape == (8, 8, 3)
    assert decode(gif(b"\x21\xfe\x01a\0" * 50)).width == 8
    assert decode(behind_start("PNG", 33, chunk(b"tEXt", b"a\0b") * 50)).width == 64
    assert decode(ico(encode(sample_image(16, 16), "PNG"))).width == 16
