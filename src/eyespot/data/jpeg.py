"""JPEG files through libjpeg-turbo, at full size or at 1/2, 1/4 or 1/8 of it.

Decoding at a fraction skips most of the inverse cosine transform, which is most of the work.
"""

import re
import struct
from dataclasses import dataclass

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from eyespot.errors import PhotoError

_NOT_FRAMES = (0xC4, 0xC8, 0xCC)
"""Markers among C0..CF that start no frame (ITU-T T.81, table B.1)."""
_PROGRESSIVE = (0xC2, 0xC6, 0xCA, 0xCE)
ORIENTATION_TAG = 0x0112
TOLERATED_STRAY = 0.02
"""Share of a file that may be bytes between its parts."""


class UnusualJpegError(Exception):
    """A JPEG that needs a more tolerant or more capable decoder."""


@dataclass(frozen=True, slots=True)
class JpegHeader:
    """`orientation`: EXIF, 1..8. `progressive`: decoding needs memory for the whole picture,
    however small the result."""

    orientation: int
    progressive: bool


def read_header(data: bytes) -> JpegHeader:
    """Walk the markers of a JPEG file up to its frame. Never raises: damage shows in decoding."""
    orientation, position = 1, 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xFF:  # padding
            position += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in _NOT_FRAMES:
            return JpegHeader(orientation, marker in _PROGRESSIVE)
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        if marker == 0xE1 and data[position + 4 : position + 10] == b"Exif\0\0":
            orientation = read_orientation(data[position + 10 : position + 2 + length])
        position += 2 + length
    return JpegHeader(orientation, progressive=True)  # unknown: be careful


def read_orientation(tiff: bytes) -> int:
    """Orientation 1..8 in an EXIF block (Exif 2.32, section 4.5); 1 if none can be read."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, start)
        for entry in range(start + 2, start + 2 + 12 * count, 12):
            tag, _, _, value = struct.unpack_from(f"{order}HHIH", tiff, entry)
            if tag == ORIENTATION_TAG:
                return int(value) if 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1


def size_of(data: bytes) -> tuple[int, int]:
    """Width and height in pixels as stored, before any rotation.

    Raises PhotoError if the header is damaged, UnusualJpegError if it is not grey, YCbCr or RGB.
    """
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(data, strict=False)
    except (ValueError, KeyError) as error:  # KeyError: colours were never told
        raise _reason(error, len(data)) from error
    if colours not in ("Gray", "YCbCr", "RGB"):
        raise UnusualJpegError(colours)  # CMYK: some programs invert it, Pillow knows which
    return int(width), int(height)


def shrinking(width: int, height: int, short_side: int | None) -> int:
    """By how much (8, 4, 2 or 1) a JPEG may shrink and keep a short side of `short_side`."""
    if not short_side:
        return 1
    return next((s for s in (8, 4, 2) if min(width, height) >= s * short_side), 1)


def decode_jpeg(data: bytes, width: int, height: int, shrink: int) -> NDArray[np.uint8]:
    """Pixels uint8 RGB [ceil(height / shrink), ceil(width / shrink), 3].

    Raises PhotoError if the picture is damaged or incomplete, UnusualJpegError if there are
    stray bytes between its parts, as some cameras leave them.
    """
    try:
        pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(
            data,
            "RGB",
            min_height=-(-height // shrink),
            min_width=-(-width // shrink),
            min_factor=shrink,
        )
    except ValueError as error:
        raise _reason(error, len(data)) from error
    return pixels


def _reason(error: Exception, size: int) -> PhotoError | UnusualJpegError:
    text = str(error)
    stray = re.search(r"(\d+) extraneous bytes", text)
    # A few stray bytes are a camera's bad habit; many are a part of the picture that was lost.
    if "Unsupported" in text or (stray and int(stray[1]) <= size * TOLERATED_STRAY):
        return UnusualJpegError(text)
    if "remature end" in text:
        return PhotoError("truncated JPEG: the end of the picture is missing")
    return PhotoError(f"damaged JPEG: {text.removeprefix('Corrupt JPEG data: ')}")
