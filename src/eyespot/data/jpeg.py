"""Decode JPEG files with libjpeg-turbo at full size, 1/2, 1/4 or 1/8.

A reduced size skips most of the inverse cosine transform, which is most of the work.
"""

import re

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from eyespot.data.cost import check_parts
from eyespot.errors import PhotoError
from eyespot.limits import MAX_JPEG_SCANS, MAX_SCANNED_PIXELS

_PROGRESSIVE = (0xC2, 0xC6, 0xCA, 0xCE)
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_START_OF_SCAN, _END = 0xDA, 0xD9
_MARKER = re.compile(rb"\xff[\x02-\xcf\xd9-\xfe]")
"""A marker that ends a scan; FF 00 and restart markers belong to the scan."""
_DESCRIPTIONS = (0xE1, 0xE2)
"""Markers of segments that hold EXIF, XMP or colour profiles (ITU-T T.81, table B.1)."""
TOLERATED_STRAY = 0.02
"""Maximum share of stray bytes between the segments of a file."""


class UnusualJpegError(Exception):
    """A JPEG that Pillow must decode."""


def read_header(data: bytes) -> tuple[bool, bool]:
    """Whether a JPEG is progressive: decoding needs memory for the full-size image, even at a
    reduced size; and whether it may have an orientation or a colour profile.

    Reads the markers up to the pixels; decoding reports damage. Raises PhotoError if the file takes
    too long to decode.
    """
    progressive = described = False
    position, parts, pixels = 2, 0, 0
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        parts += 1
        check_parts(parts)
        if marker == 0xFF:  # padding
            position += 1
            continue
        if marker == _START_OF_SCAN:
            _check_scans(data, position, pixels)
            return progressive, described
        if marker in _FRAMES:
            height, width = data[position + 5 : position + 7], data[position + 7 : position + 9]
            pixels = int.from_bytes(height, "big") * int.from_bytes(width, "big")
        progressive |= marker in _PROGRESSIVE
        described |= marker in _DESCRIPTIONS
        position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return True, True  # unknown: be careful


def _check_scans(data: bytes, position: int, pixels: int) -> None:
    """Raise PhotoError for too many scans. `position`: of the first scan."""
    most = max(1, min(MAX_JPEG_SCANS, MAX_SCANNED_PIXELS // max(1, pixels)))
    if data.count(bytes((0xFF, _START_OF_SCAN)), position) <= most:
        return  # more may be in a preview, or in a video after the image
    scans = parts = 0
    while found := _MARKER.search(data, position):
        position, marker = found.start(), data[found.start() + 1]
        if marker == _END:
            return
        scans += marker == _START_OF_SCAN
        parts += 1
        check_parts(parts)
        if scans > most:
            raise PhotoError(
                f"takes too long to decode: a JPEG of {pixels:,} pixels in more than {most} scans; "
                "save it again"
            )
        position += 2 + max(2, int.from_bytes(data[position + 2 : position + 4], "big"))


def size_of(data: bytes) -> tuple[int, int]:
    """Width and height in pixels as stored, before any rotation.

    Raises PhotoError for a damaged header, UnusualJpegError for colours other than grey, YCbCr and
    RGB.
    """
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(data, strict=False)
    except (ValueError, KeyError) as error:  # KeyError: no colour space
        raise _reason(error, len(data)) from error
    if colours not in ("Gray", "YCbCr", "RGB"):
        raise UnusualJpegError(colours)  # CMYK: Pillow knows which programs invert it
    return int(width), int(height)


def shrinking(width: int, height: int, short_side: int | None) -> int:
    """The largest factor (8, 4, 2 or 1) that leaves at least `short_side` pixels."""
    if not short_side:
        return 1
    return next((s for s in (8, 4, 2) if min(width, height) >= s * short_side), 1)


def decode_jpeg(data: bytes, width: int, height: int, shrink: int) -> NDArray[np.uint8]:
    """Pixels uint8 RGB [ceil(height / shrink), ceil(width / shrink), 3].

    Raises PhotoError for a damaged or truncated image, UnusualJpegError for a few stray bytes
    between its segments, as some cameras write them.
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
    # Some cameras write a few stray bytes; many mean that a part of the image is lost.
    if "Unsupported" in text or (stray and int(stray[1]) <= size * TOLERATED_STRAY):
        return UnusualJpegError(text)
    if "remature end" in text:
        return PhotoError("truncated JPEG: the end of the image is missing")
    return PhotoError(f"damaged JPEG: {text.removeprefix('Corrupt JPEG data: ')}")
