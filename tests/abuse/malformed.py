"""Malformed images of every format, the same ones for the same seed.

Whole files in all the modes of a format are damaged in ten ways; beside them stand crafted ones:
headers that claim absurd sizes, bombs, hostile EXIF and colour profiles.
"""

import io
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from itertools import chain, islice

import numpy as np
from PIL import Image

from tests.data.files import encode, noise, png_that_claims, sample_image

FORMATS = {
    "JPEG": "jpg",
    "PNG": "png",
    "GIF": "gif",
    "BMP": "bmp",
    "TIFF": "tif",
    "WEBP": "webp",
    "PPM": "ppm",
    "JPEG2000": "jp2",
    "ICO": "ico",
    "AVIF": "avif",
    "HEIF": "heic",
}
"""What Pillow calls them, and how their files end."""

MODES = {
    "JPEG": ("RGB", "L", "CMYK"),
    "PNG": ("RGB", "RGBA", "L", "LA", "P", "1", "I;16"),
    "GIF": ("RGB", "P", "L", "1"),
    "BMP": ("RGB", "L", "P", "1"),
    "TIFF": ("RGB", "RGBA", "L", "LA", "P", "1", "I;16", "F", "CMYK", "LAB"),
    "WEBP": ("RGB", "RGBA"),
    "PPM": ("RGB", "L", "1", "I"),
    "JPEG2000": ("RGB", "RGBA", "L"),
    "ICO": ("RGBA",),
    "AVIF": ("RGB", "RGBA"),
    "HEIF": ("RGB", "RGBA"),
}
MORE = {
    "JPEG": ({"progressive": True}, {"quality": 100, "subsampling": 0}, {"comment": b"x" * 60_000}),
    "TIFF": tuple({"compression": name} for name in ("tiff_lzw", "tiff_deflate", "jpeg", "raw")),
    "WEBP": ({"lossless": True}, {"save_all": True, "append_images": [noise(48, 40)]}),
    "GIF": ({"save_all": True, "append_images": [noise(48, 40)], "duration": 10},),
    "PNG": ({"save_all": True, "append_images": [noise(48, 40)]},),
}
"""Other ways to write them."""
WITH_METADATA = ("JPEG", "PNG", "TIFF", "WEBP", "AVIF", "HEIF")
EXTREMES = (0, 1, 2, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def malformed(kind: str, count: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """`count` files (name, content) of the format `kind`, crafted ones first."""
    files = chain(crafted(kind), damaged(kind, seed))
    for number, (how, data) in enumerate(islice(files, count)):
        yield f"{number:04}-{how}.{FORMATS[kind]}", data


def damaged(kind: str, seed: int) -> Iterator[tuple[str, bytes]]:
    """Whole files of a format, damaged in all ways in turn; without end."""
    rng = np.random.default_rng([seed, *kind.encode()])
    whole = originals(kind)
    while True:
        for damage in DAMAGES:
            yield damage.__name__, damage(bytearray(whole[rng.integers(len(whole))]), rng)


def originals(kind: str) -> list[bytes]:
    """Whole files: every mode and way of writing that the format has."""
    image = sample_image(48, 40)
    files = [encode(_in_mode(image, mode), kind) for mode in MODES[kind]]
    files += [encode(image, kind, **options) for options in MORE.get(kind, ())]
    if kind in WITH_METADATA:
        files.append(encode(image, kind, exif=exif_with(6), icc_profile=b"\0" * 128))
    return files


def _in_mode(image: Image.Image, mode: str) -> Image.Image:
    if mode == "I;16":
        return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    return image.convert("LA" if mode == "LA" else mode)


# --- damage ------------------------------------------------------------------------------------

Damage = Callable[[bytearray, np.random.Generator], bytes]


def truncated(data: bytearray, rng: np.random.Generator) -> bytes:
    return bytes(data[: rng.integers(len(data))])


def bits_flipped(data: bytearray, rng: np.random.Generator) -> bytes:
    for place in rng.integers(0, len(data), 1 + rng.integers(20)):
        data[place] ^= 1 << rng.integers(8)
    return bytes(data)


def header_flipped(data: bytearray, rng: np.random.Generator) -> bytes:
    for place in rng.integers(0, min(64, len(data)), 3):
        data[place] = rng.integers(256)
    return bytes(data)


def number_changed(data: bytearray, rng: np.random.Generator) -> bytes:
    """A size, a count or an offset among the first bytes becomes an extreme one."""
    value, width = int(rng.choice(EXTREMES)), int(rng.choice([2, 4]))
    place = int(rng.integers(2, max(3, min(200, len(data) - width))))
    order = "big" if rng.integers(2) else "little"
    data[place : place + width] = (value % 256**width).to_bytes(width, order)
    return bytes(data)


def wiped(data: bytearray, rng: np.random.Generator) -> bytes:
    start, stop = _part(data, rng)
    data[start:stop] = bytes([int(rng.choice([0, 0xFF, 0x55]))]) * (stop - start)
    return bytes(data)


def cut_out(data: bytearray, rng: np.random.Generator) -> bytes:
    start, stop = _part(data, rng)
    del data[start:stop]
    return bytes(data)


def repeated(data: bytearray, rng: np.random.Generator) -> bytes:
    start, stop = _part(data, rng)
    data[start:start] = data[start:stop] * int(rng.integers(1, 9))
    return bytes(data)


def scrambled(data: bytearray, rng: np.random.Generator) -> bytes:
    start, stop = _part(data, rng)
    data[start:stop] = rng.bytes(stop - start)
    return bytes(data)


def wrong_start(data: bytearray, rng: np.random.Generator) -> bytes:
    """The first bytes of another format, and the rest of this one."""
    others = (b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"II*\0", b"MM\0*")
    more = (b"RIFF\xff\xff\xff\xffWEBP", b"P6 9 9 255 ", b"\0\0\1\0\1\0", b"\0\0\0\x18ftypavif")
    start = (*others, *more)[rng.integers(10)]
    return start + bytes(data[len(start) :])


def followed(data: bytearray, rng: np.random.Generator) -> bytes:
    """Something else after the end: rubbish, zeros, a web page, a zip file, itself."""
    tails = (rng.bytes(5000), bytes(100_000), b"<script>alert(1)</script>", b"PK\3\4" * 99, data)
    return bytes(data) + bytes(tails[rng.integers(5)])


DAMAGES: tuple[Damage, ...] = (
    truncated,
    bits_flipped,
    header_flipped,
    number_changed,
    wiped,
    cut_out,
    repeated,
    scrambled,
    wrong_start,
    followed,
)


def _part(data: bytearray, rng: np.random.Generator) -> tuple[int, int]:
    start = int(rng.integers(len(data)))
    return start, min(len(data), start + int(rng.integers(1, 400)))


# --- crafted -------------------------------------------------------------------------------------


def crafted(kind: str) -> Iterator[tuple[str, bytes]]:
    """Files that are hostile by design."""
    yield "empty", b""
    yield "start-alone", encode(sample_image(48, 40), kind)[:12]
    yield from claims(kind)
    yield from _bombs(kind)
    if kind in WITH_METADATA:
        yield from _metadata(kind)


def claims(kind: str) -> Iterator[tuple[str, bytes]]:
    """Small files that claim absurd sizes, none at all, or negative ones."""
    sizes = [(0, 0), (0, 5), (1, 2**16 - 1), (2**15, 2**15), (2**16 - 1, 2**16 - 1)]
    if kind in ("PNG", "BMP", "TIFF", "PPM", "JPEG2000"):
        sizes += [(2**31 - 1, 2**31 - 1), (2**31, 1), (2**32 - 1, 2**32 - 1)]
    whole = encode(sample_image(48, 40), kind)
    for width, height in sizes:
        yield f"claims-{width}x{height}", _claiming(kind, whole, width, height)


def _claiming(kind: str, whole: bytes, width: int, height: int) -> bytes:
    data = bytearray(whole)
    if kind == "PNG":
        return png_that_claims(width, height)
    if kind == "PPM":
        return b"P6 %d %d 255\n" % (width, height) + bytes(99)
    if kind == "GIF":
        data[6:10] = struct.pack("<HH", width, height)
        frame = data.index(b",", 13 + 3 * 2 ** ((data[10] & 7) + 1))
        data[frame + 5 : frame + 9] = struct.pack("<HH", width, height)
    elif kind == "BMP":
        data[18:26] = struct.pack("<II", width, height)
    elif kind == "JPEG":
        frame = data.index(b"\xff\xc0")
        data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    elif kind == "TIFF":
        return _tiff([(256, 4, 1, width), (257, 4, 1, height), (262, 3, 1, 2), (277, 3, 1, 3)])
    elif kind == "WEBP":
        sides = width.to_bytes(3, "little") + height.to_bytes(3, "little")
        chunk = b"VP8X" + struct.pack("<I", 10) + bytes(4) + sides
        return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk + bytes(data[12:])
    elif kind == "JPEG2000":
        frame = data.index(b"ihdr")
        data[frame + 4 : frame + 12] = struct.pack(">II", height, width)
    elif kind == "ICO":
        data[6], data[7] = width % 256, height % 256
        data[14:22] = struct.pack("<II", width, height)  # the length of the image, and its position
    else:  # a HEIF or AVIF says its size in the box "ispe"
        frame = data.index(b"ispe")
        data[frame + 8 : frame + 16] = struct.pack(">II", width, height)
    return bytes(data)


def _tiff(entries: list[tuple[int, int, int, int]], following: int = 0) -> bytes:
    """A little-endian TIFF of one directory: (tag, type, count, value) each."""
    table = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + table + struct.pack("<I", following)


def _bombs(kind: str) -> Iterator[tuple[str, bytes]]:
    """Small files of many pixels, or whose parts unpack to gigabytes."""
    flat = Image.new("1" if kind in ("PNG", "TIFF") else "L", (12_000, 12_000))
    if kind in ("PNG", "GIF"):
        yield "bomb", encode(flat, kind)
    if kind == "WEBP":
        yield "bomb", encode(flat.convert("RGB"), kind, lossless=True, method=0, quality=0)
    if kind == "TIFF":
        yield "bomb", encode(flat, kind, compression="group4")
        yield "loop", _tiff([(256, 4, 1, 9), (257, 4, 1, 9)], following=8)
        yield (
            "endless-strips",
            _tiff(
                [(256, 4, 1, 100), (257, 4, 1, 100), (273, 4, 2**32 - 1, 8), (279, 4, 2**32 - 1, 8)]
            ),
        )
        yield "endless-bits", _tiff([(256, 4, 1, 9), (257, 4, 1, 9), (258, 3, 2**31, 8)])
    if kind == "PNG":
        for name in (b"zTXt", b"iCCP"):  # 100 MB of text, a profile of 100 MB
            text = b"x\0\0" + zlib.compress(bytes(100_000_000), 9)
            yield f"bomb-{name.decode()}", _with_chunk(encode(sample_image(9, 9), kind), name, text)
        many = b"".join(_chunk(b"tEXt", b"a\0" + b"b" * 50) for _ in range(20_000))
        whole = encode(sample_image(9, 9), kind)
        yield "many-chunks", whole[:33] + many + whole[33:]
    if kind == "GIF":
        frames = [Image.new("L", (64, 64), n % 256) for n in range(500)]
        yield (
            "many-frames",
            encode(frames[0], kind, save_all=True, append_images=frames[1:], optimize=False),
        )
    if kind == "JPEG":
        scan = encode(sample_image(64, 64), kind, progressive=True)
        start = scan.rindex(b"\xff\xda")
        yield "many-scans", scan[:start] + scan[start:-2] * 2000 + b"\xff\xd9"
        yield "many-comments", scan[:2] + (b"\xff\xfe\xff\xff" + bytes(65_533)) * 100 + scan[2:]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _with_chunk(png: bytes, kind: bytes, data: bytes) -> bytes:
    return png[:33] + _chunk(kind, data) + png[33:]  # after the header


def exif_with(orientation: int, kind: int = 3, count: int = 1) -> bytes:
    """An EXIF block with an orientation."""
    return b"Exif\0\0" + _tiff([(0x0112, kind, count, orientation)])


def _metadata(kind: str) -> Iterator[tuple[str, bytes]]:
    """A whole image each, with EXIF or a colour profile that lies."""
    head = b"Exif\0\0II*\0"
    blocks = {
        "no-orientation": exif_with(0),
        "orientation-9": exif_with(9),
        "orientation-65535": exif_with(65_535),
        "orientation-of-a-strange-type": exif_with(6, kind=99),
        "orientation-of-four-thousand-million": exif_with(6, count=2**32 - 1),
        "exif-loop": b"Exif\0\0" + _tiff([(0x8769, 4, 1, 8), (0x0112, 3, 1, 6)], following=8),
        "exif-to-itself": head + struct.pack("<IH", 8, 1) + struct.pack("<HHII", 0x8769, 4, 1, 8),
        "exif-beyond": head + struct.pack("<I", 0xFFFFFFF0),
        "exif-of-65535-entries": head + struct.pack("<IH", 8, 65_535) + bytes(99),
        "exif-of-text": b"Exif\0\0<script>alert(1)</script>",
        "exif-alone": b"Exif\0\0",
    }
    for name, block in blocks.items():
        if data := _saved(kind, exif=block):
            yield name, data
    acsp = bytearray(struct.pack(">I", 2**32 - 1) + bytes(124))
    acsp[36:40] = b"acsp"
    for name, profile in {
        "icc-short": b"\0",
        "icc-that-lies": bytes(acsp),
        "icc-of-endless-tags": bytes(acsp) + struct.pack(">I", 2**32 - 1) * 9,
        "icc-of-60-kB": b"\xff" * 60_000,
    }.items():
        if data := _saved(kind, icc_profile=profile):
            yield name, data


def _saved(kind: str, **metadata: bytes) -> bytes | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return encode(sample_image(48, 40), kind, **metadata)
        except Exception:  # Pillow will not write that into this format
            return None


def heic_can_be_written() -> bool:
    """Registers HEIC with Pillow, where its extra is there."""
    try:
        import pillow_heif
    except ImportError:
        return False
    pillow_heif.register_heif_opener()
    try:
        sample_image(48, 40).save(io.BytesIO(), "HEIF")
    except Exception:  # without an encoder
        return False
    return True
