"""Decode a photo: every format becomes upright sRGB pixels, and a damaged image an error.

The content decides the format, not the file's name. libjpeg-turbo decodes JPEG, `tiff.py` TIFFs of
more than 8 bits, `netpbm.py` PPM, and Pillow everything else. Sizes and other costs are checked
before decoding: a small file can claim any size or take minutes. Expensive photos are refused, or
decoded at a reduced size.

A photo gives the same pixels as a file, a Pillow image and an array: all formats but JPEG become
RGB, then upright, and only then smaller.
"""

import io
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.TiffImagePlugin import COMPRESSION_INFO

from eyespot.data import jpeg, jpeg2000
from eyespot.data.colour import transform_to_srgb
from eyespot.data.cost import check_file, check_parts, check_size
from eyespot.data.formats import other_content, sniff
from eyespot.data.netpbm import Netpbm
from eyespot.data.pillow import kind_of, open_image, refused, with_transparency
from eyespot.data.pixels import pixels_of_array, pixels_of_image, reduced
from eyespot.data.tiff import read_here
from eyespot.data.tiff_directory import beginning_with, main_directory
from eyespot.data.tiff_kind import Kind
from eyespot.errors import PhotoError
from eyespot.limits import MAX_PHOTO_BYTES, MAX_PHOTO_PIXELS, MAX_REDUCED_PIXELS
from eyespot.shown import Brief

_UPRIGHT: dict[int, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.swapaxes(0, 1),
    6: lambda p: p.swapaxes(0, 1)[:, ::-1],
    7: lambda p: p.swapaxes(0, 1)[::-1, ::-1],
    8: lambda p: p.swapaxes(0, 1)[::-1],
}
"""How an image becomes upright, by EXIF orientation (Exif 2.32, section 4.6.5)."""

_ORIENTATION = 0x0112
_WHITE_IS_KNOWN = ("PNG", "PPM", "JPEG 2000")
"""Formats in which white is the largest number; a TIFF may hold 12 bits in 16."""


@dataclass(frozen=True, slots=True, repr=False)
class DecodedImage(Brief):
    """`pixels`: uint8 RGB [H, W, 3], perhaps of a reduced size. `width`, `height`: of the upright
    original, in pixels."""

    pixels: NDArray[np.uint8]
    width: int
    height: int


def decode(
    data: bytes | NDArray[Any] | Image.Image, *, short_side: int | None = None
) -> DecodedImage:
    """Decode an encoded file, an array or a Pillow image. Thread-safe.

    `short_side`: a large image may be decoded at a reduced size whose short side has at least so
    many pixels. Animations and documents give their first image; transparency becomes white.
    Arrays: [H, W], [H, W, 1], [H, W, 3] or [H, W, 4] of uint8, bool, uint16, or floats in 0..1.
    Greys of more than 8 bits and floats in files, unless the format defines white, are scaled by
    the smallest range that holds them: 0..1, 8, 10, 12, 14 or 16 bits, or their own. The minimum
    is black if it is below 0.
    Raises PhotoError, with the reason, for anything that cannot be decoded, and for NaN or Inf.
    """
    if isinstance(data, np.ndarray):
        pixels = pixels_of_array(data)
        return DecodedImage(reduced(pixels, short_side), pixels.shape[1], pixels.shape[0])
    if isinstance(data, Image.Image):
        file = file_of(data)
        if file is None:
            return _from_pillow(data, kind_of(data), short_side)
        data = file
    if not data:
        raise PhotoError("the file is empty")
    check_bytes(len(data))
    kind = sniff(data)
    if kind is None:
        raise PhotoError(f"not an image in a supported format{other_content(data)}")
    if kind == "JPEG":
        with suppress(jpeg.UnusualJpegError):
            return _from_jpeg(data, short_side)
    image = _opened(data, kind)
    size = image.size
    if kind == "JPEG 2000":
        jpeg2000.decode_smaller(image, data, short_side)
    return _from_pillow(image, kind, short_side, size)


def check_bytes(size: int) -> None:
    """Raise PhotoError if a photo's file has more than `MAX_PHOTO_BYTES`."""
    if size > MAX_PHOTO_BYTES:
        raise PhotoError(f"the file has {size:,} bytes; the limit is {MAX_PHOTO_BYTES:,}")


def file_of(image: Image.Image) -> bytes | None:
    """The file of a Pillow image that is not loaded yet, so that it is decoded as a file; None if
    it is loaded or does not show its file's first image."""
    if not isinstance(image, ImageFile) or not image.tile or image.fp is None or image.tell():
        return None
    try:
        place = image.fp.tell()
        image.fp.seek(0)
        data = image.fp.read(MAX_PHOTO_BYTES + 1)
        image.fp.seek(place)
    except (OSError, ValueError):  # closed, or not seekable: loading it reports the error
        return None
    return data if sniff(data) else None


def _from_jpeg(data: bytes, short_side: int | None) -> DecodedImage:
    progressive, described = jpeg.read_header(data)
    width, height = jpeg.size_of(data)
    shrink = jpeg.shrinking(width, height, short_side)
    check_size(width, height, MAX_PHOTO_PIXELS if progressive else MAX_REDUCED_PIXELS)
    check_size(width // shrink, height // shrink, MAX_PHOTO_PIXELS)
    pixels = jpeg.decode_jpeg(data, width, height, shrink)
    if not described:
        return DecodedImage(pixels, width, height)
    try:
        image = JpegImageFile(io.BytesIO(data))  # Pillow reads odd metadata as viewers do
    except Exception:  # damaged metadata must not cost the photo
        return DecodedImage(pixels, width, height)
    transform = transform_to_srgb(image.info.get("icc_profile"), image.mode)
    if transform is not None:
        stored = pixels[..., 0] if image.mode == "L" else pixels
        pixels = np.asarray(transform.apply(Image.fromarray(stored)))
    return _upright(pixels, width, height, orientation_of(image))


def _opened(data: bytes, kind: str) -> Image.Image:
    if kind == "TIFF":
        return _open_tiff(data)
    if kind == "PPM":
        netpbm = Netpbm(data)
        check_size(netpbm.width, netpbm.height)
        return netpbm.read()
    check_file(data, kind)
    image = open_image(data, kind)
    check_size(*image.size, kind=kind)
    if kind != "PNG":
        return image
    try:
        return with_transparency(image, data)
    except Exception as error:
        raise refused(kind, error) from error


def _open_tiff(data: bytes) -> Image.Image:
    try:
        directory = main_directory(data)
        kind = Kind.of(directory)
        check_size(kind.width, kind.height)
        if not kind.is_read_here and kind.compression in COMPRESSION_INFO:
            check_parts(kind.parts)
            with suppress(PhotoError):  # a valid directory of a kind that Pillow does not read
                return open_image(beginning_with(directory), "TIFF")
        return read_here(directory, kind)
    except PhotoError:
        raise
    except Exception as error:  # offsets and counts may be any number of 64 bits
        raise refused("TIFF", error) from error


def _from_pillow(
    image: Image.Image, kind: str, short_side: int | None, size: tuple[int, int] | None = None
) -> DecodedImage:
    """`size`: of the original, where the image is smaller."""
    check_size(*image.size)
    try:
        image.load()
        pixels = pixels_of_image(image, 65535.0 if kind in _WHITE_IS_KNOWN else None)
    except PhotoError:
        raise
    except Exception as error:
        raise refused(kind, error) from error
    upright = _upright(pixels, *(size or image.size), orientation_of(image))
    return DecodedImage(reduced(upright.pixels, short_side), upright.width, upright.height)


def _upright(pixels: NDArray[np.uint8], width: int, height: int, orientation: int) -> DecodedImage:
    if orientation not in _UPRIGHT:
        return DecodedImage(pixels, width, height)
    if orientation >= 5:
        width, height = height, width
    return DecodedImage(np.ascontiguousarray(_UPRIGHT[orientation](pixels)), width, height)


def orientation_of(image: Image.Image) -> int:
    """From EXIF or XMP, as `ImageOps.exif_transpose` reads it; 1 if there is none."""
    try:
        orientation = image.getexif().get(_ORIENTATION)
        return int(orientation) if orientation in _UPRIGHT else 1
    except Exception:  # damaged metadata must not cost the photo
        return 1
