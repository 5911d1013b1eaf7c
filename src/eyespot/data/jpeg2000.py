"""Estimate the cost of a JPEG 2000 from its headers (ISO/IEC 15444-1, annexes A and I).

Pillow's decoder is slow, takes four bytes per sample, and blocks all other threads. Code-blocks and
packets also take time; a small file may have millions of them.
"""

import struct
from collections.abc import Iterator

from PIL import Image
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile

from eyespot.errors import PhotoError
from eyespot.limits import MAX_FILE_PARTS, MAX_JPEG2000_PARTS, MAX_JPEG2000_SAMPLES

_START_OF_CODESTREAM = b"\xff\x4f\xff\x51"
_CODING, _CODING_OF_COMPONENT, _TILE_PART, _DATA, _END = 0xFF52, 0xFF53, 0xFF90, 0xFF93, 0xFFD9
_LARGEST_BLOCK = 12
"""Logarithm to base 2 of its samples (table A.18)."""


def decode_smaller(image: Image.Image, data: bytes, short_side: int | None) -> None:
    """Make Pillow decode `image`, opened from `data`, at the smallest 1/2, 1/4, ... of its size
    whose short side has twice `short_side` pixels, or at a size within the limit of samples.

    Raises PhotoError if no size is within the limit, or for damaged headers.
    """
    assert isinstance(image, Jpeg2KImageFile)
    try:
        (left, top, right, bottom), steps, levels = _read(data)
    except (struct.error, IndexError, ValueError, ZeroDivisionError) as error:
        raise PhotoError("damaged or truncated JPEG 2000: its headers are incomplete") from error
    width, height, components = right - left, bottom - top, len(steps)
    # Pillow decodes other layouts at full size only; palette indices cannot be averaged.
    if left or top or set(steps) != {(1, 1)} or image.mode in ("P", "PA"):
        levels = 0
    level = 0
    while level < levels and (
        (short_side and min(width, height) >> level + 1 >= 2 * short_side)
        or _shrunk(width, level) * _shrunk(height, level) * components > MAX_JPEG2000_SAMPLES
    ):
        level += 1
    size = _shrunk(width, level), _shrunk(height, level)
    if size[0] * size[1] * components > MAX_JPEG2000_SAMPLES:
        raise PhotoError(
            f"takes too long to decode: {width} x {height} pixels of {components} channels have no "
            "reduced size; save it as PNG"
        )
    if level:  # Image.reduce rounds the size differently from the decoder
        image._size = size
        (whole,) = image.tile
        assert isinstance(whole.args, tuple)
        args = (whole.args[0], level, *whole.args[2:])
        image.tile = [whole._replace(extents=(0, 0, *size), args=args)]


def _shrunk(side: int, level: int) -> int:
    return -(-side >> level)


def _read(data: bytes) -> tuple[tuple[int, int, int, int], list[tuple[int, int]], int]:
    """Left, top, right and bottom, each component's steps, and how often all can be halved."""
    start = _codestream(data)
    (length, _, right, bottom, left, top, *tile, count) = struct.unpack_from(
        ">HHIIIIIIIIH", data, start + 4
    )
    tile_width, tile_height, tiles_left, tiles_top = tile
    steps = [(data[at], data[at + 1]) for at in range(start + 43, start + 43 + 3 * count, 3)]
    if length != 38 + 3 * count or right <= left or bottom <= top or not all(map(all, steps)):
        raise ValueError
    layers, levels, blocks, precincts = zip(
        *_codings(data, start + 4 + length, wide=count > 256), strict=True
    )
    tiles = -(-(right - tiles_left) // tile_width) * -(-(bottom - tiles_top) // tile_height)
    samples = (right - left) * (bottom - top) * count
    bands = tiles * count * (3 * max(levels) + 1)
    packets = (tiles * count * (max(levels) + 1) + (samples >> min(precincts))) * max(layers)
    parts = bands + (samples >> min(_LARGEST_BLOCK, *blocks)) + packets
    if parts > MAX_JPEG2000_PARTS:
        raise PhotoError(f"takes too long to decode: it has {parts:,} parts; save it as PNG")
    return (left, top, right, bottom), steps, min(levels)


def _codestream(data: bytes) -> int:
    """Position of the codestream, which may be in a box."""
    place = 0
    while not data.startswith(_START_OF_CODESTREAM, place):
        length, kind = struct.unpack_from(">I4s", data, place)
        head = 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", data, place + 8)
            head = 16
        if kind == b"jp2c":
            place += head
            if not data.startswith(_START_OF_CODESTREAM, place):
                raise ValueError
        elif length < head:
            raise ValueError
        else:
            place += length
    return place


def _codings(data: bytes, place: int, wide: bool) -> Iterator[tuple[int, int, int, int]]:
    """Layers, levels, and logarithms to base 2 of the samples of the smallest code-block and
    precinct, for each marker. `place`: of the first marker after the size."""
    for marker, at in _segments(data, place):
        if marker == _CODING:
            style, _, layers, _ = struct.unpack_from(">BBHB", data, at)
            at += 5
        elif marker == _CODING_OF_COMPONENT:
            style, layers = data[at + 1 + wide], 1
            at += 2 + wide
        else:
            continue
        levels, width, height = data[at], data[at + 1] + 2, data[at + 2] + 2
        if levels > 32:
            raise ValueError
        sizes = data[at + 5 : at + 6 + levels] if style & 1 else b""
        precincts = [(size & 15, size >> 4) for size in sizes or b"\xff"]
        # Bands are half as wide as their precinct, and limit the width of a code-block.
        blocks = (
            min(width, max(0, across - 1)) + min(height, max(0, down - 1))
            for across, down in precincts
        )
        yield max(1, layers), levels, min(blocks), min(map(sum, precincts))


def _segments(data: bytes, place: int) -> Iterator[tuple[int, int]]:
    """Each marker of the header and of the tile-parts, with the position of its content."""
    tile_part = 0
    for _ in range(MAX_FILE_PARTS):
        if place + 2 > len(data):
            return
        (marker,) = struct.unpack_from(">H", data, place)
        if marker == _END:
            return
        if marker == _DATA:
            (length,) = struct.unpack_from(">I", data, tile_part + 6)
            if not length:
                return
            place = max(place + 2, tile_part + length)
            continue
        if marker == _TILE_PART:
            tile_part = place
        if place + 4 > len(data):
            return
        (length,) = struct.unpack_from(">H", data, place + 2)
        yield marker, place + 4
        place += 2 + max(2, length)
    raise PhotoError(f"takes too long to decode: it has more than {MAX_FILE_PARTS:,} segments")
