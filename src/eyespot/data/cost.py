"""Refuse files that take too long to decode, before decoding: a small file may take minutes.

Pillow reads the parts of a file, and some formats entirely, in Python loops. The checks of JPEG
scans are in `jpeg.py`, of JPEG 2000 in `jpeg2000.py`, of TIFF in `tiff.py`.
"""

import re
import struct
from collections.abc import Callable

from eyespot.errors import PhotoError
from eyespot.limits import (
    MAX_FILE_PARTS,
    MAX_HEIF_PIXELS,
    MAX_PHOTO_PIXELS,
    MAX_RUN_LENGTH_STEPS,
    MAX_SAMPLE_BYTES,
    MAX_WEBP_PIXELS,
)

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_NO_BLOCK = re.compile(rb"[^!,;]+")
"""Stray bytes between the blocks of a GIF."""
_SLOW = {"WebP": MAX_WEBP_PIXELS, "HEIC": MAX_HEIF_PIXELS, "AVIF": MAX_HEIF_PIXELS}
"""Pixels of formats that take more time or memory per pixel, and have no reduced size."""


def check_file(data: bytes, kind: str) -> None:
    """Raise PhotoError if Pillow would take too long to open or decode the file."""
    if check := _CHECKS.get(kind):
        try:
            check(data)
        except struct.error:
            return  # truncated: decoding reports it


def check_parts(count: int) -> None:
    """Raise PhotoError if a file has more than `MAX_FILE_PARTS` parts."""
    if count > MAX_FILE_PARTS:
        raise PhotoError(
            f"takes too long to decode: it has more than {MAX_FILE_PARTS:,} parts; save it again"
        )


def check_size(width: int, height: int, limit: int = MAX_PHOTO_PIXELS, *, kind: str = "") -> None:
    """Raise PhotoError if an image has more pixels than `limit`, or than its format may have."""
    if width * height > limit:
        raise PhotoError(f"{width} x {height} pixels are more than the limit of {limit:,}")
    if width * height > (most := _SLOW.get(kind, limit)):
        raise PhotoError(
            f"takes too long to decode: {width} x {height} pixels are more than the limit of "
            f"{most:,} for {kind}; save it as JPEG or PNG"
        )


def _check_png(data: bytes, start: int = 0, count: int = 0) -> int:
    """The number of chunks, plus `count`."""
    place = start + len(_PNG)
    while place + 12 <= len(data) and data[place + 4 : place + 8] != b"IEND":
        place += 12 + int.from_bytes(data[place : place + 4], "big")
        count += 1
        check_parts(count)
    width, height, bits, colour = struct.unpack_from(">IIBB", data, start + 16)
    size = width * height * bits * _PNG_CHANNELS.get(colour, 1) // 8
    if size > MAX_SAMPLE_BYTES and width * height <= MAX_PHOTO_PIXELS:
        raise PhotoError(
            f"takes too long to decode: its samples take {size:,} bytes, the limit is "
            f"{MAX_SAMPLE_BYTES:,}; save it with 8 bits"
        )
    return count


def _check_gif(data: bytes) -> None:
    """The blocks before the first image, the only one that is decoded."""
    place, count = 13, 0
    if len(data) > 10 and data[10] & 0x80:
        place += 3 * 2 ** ((data[10] & 7) + 1)
    while place < len(data) and data[place] not in b",;":
        if data[place] == ord("!"):
            place += 2
            while place < len(data) and (size := data[place]):
                place += 1 + size
                count += 1
                check_parts(count)
            place += 1
            count += 1
        elif between := _NO_BLOCK.match(data, place):
            count += len(between[0])
            place = between.end()
        check_parts(count)


def _check_bmp(data: bytes, start: int = 14) -> None:
    """Run-length encoding, which Pillow reads byte by byte. `start`: of the header."""
    header, width, height, _, _, packed = struct.unpack_from("<IiiHHI", data, start)
    steps = abs(width * height) + len(data)
    if header >= 40 and packed in (1, 2) and steps > MAX_RUN_LENGTH_STEPS:
        raise PhotoError(
            f"takes too long to decode: {width} x {abs(height)} run-length encoded pixels; save it "
            "as PNG"
        )


def _check_ico(data: bytes) -> None:
    """Each image of an icon, once."""
    (entries,) = struct.unpack_from("<H", data, 4)
    places = {struct.unpack_from("<I", data, 18 + 16 * n)[0] for n in range(entries)}
    count = 0
    for place in sorted(places):
        if data.startswith(_PNG, place):
            width, height = struct.unpack_from(">II", data, place + 16)
            count = _check_png(data, place, count)
        else:
            _, width, height = struct.unpack_from("<Iii", data, place)
            _check_bmp(data, place)
        check_size(width, height)


_CHECKS: dict[str, Callable[[bytes], object]] = {
    "PNG": _check_png,
    "GIF": _check_gif,
    "BMP": _check_bmp,
    "ICO": _check_ico,
}
