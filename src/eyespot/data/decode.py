"""From a photo's content to pixels: every format, upright, sRGB, and never half a picture.

The content decides what a file is, not its name. JPEG goes through libjpeg-turbo, TIFFs of more
than 8 bits through `tiff.py`, PPM through `netpbm.py`, everything else through Pillow. Sizes, and
what else makes decoding long, are checked before anything is decoded: a small file can claim any
size, and take minutes. What takes too long is refused, or decoded smaller.

One photo gives the same pixels however it comes. Whatever is no JPEG file is made RGB, put upright
and only then made smaller, so that a file, its Pillow image and its array end alike.
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

from eyespot.data import jpeg, jpeg2000, tiff
from eyespot.data.colour import to_srgb, transform_to_srgb
from eyespot.data.cost import check_file, check_parts, check_webp_size
from eyespot.data.formats import sniff, what_instead
from eyespot.data.netpbm import Netpbm
from eyespot.data.pillow import kind_of, open_image, refused
from eyespot.data.png import with_transparency
from eyespot.data.samples import check_finite, to_bytes
from eyespot.data.tiff_directory import beginning_with, main_directory
from eyespot.data.tiff_parts import count_parts
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
"""What puts a picture upright, by its EXIF orientation (Exif 2.32, section 4.6.5)."""

_ORIENTATION = 0x0112
_WHITE_IS_KNOWN = ("PNG", "PPM", "JPEG 2000")
"""Formats that define white as the largest number; a TIFF may hold 12 bits in 16."""


@dataclass(frozen=True, slots=True, repr=False)
class Picture(Brief):
    """A decoded photo: `pixels` uint8 RGB [H, W, 3].

    `width`, `height`: of the original, upright, in pixels; `pixels` may be smaller.
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int


def decode(data: bytes | NDArray[Any] | Image.Image, *, short_side: int | None = None) -> Picture:
    """Decode an encoded file, an array or a Pillow image. Safe to call from many threads.

    `short_side`: a large picture may be decoded smaller as long as its short side keeps that many
    pixels. Of animations and documents of many pages, the first picture counts; transparency is
    put on white. Arrays: [H, W], [H, W, 1], [H, W, 3] or [H, W, 4]; uint8, bool, floats in 0..1,
    or uint16. Greys of more than 8 bits, and floats in files, take the smallest usual range that
    holds them as long as their white is not known: 0..1, 8, 10, 12, 14 or 16 bits, or else their
    own. A least number below 0 is black.
    Raises PhotoError with the reason if the photo cannot be used, as with NaN or infinite numbers.
    """
    if isinstance(data, np.ndarray):
        return _fitted(_from_array(data), short_side)
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
        raise PhotoError(f"not a picture in a format that can be read{what_instead(data)}")
    if kind == "JPEG":
        try:
            return _from_jpeg(data, short_side)
        except jpeg.UnusualJpegError:
            pass
    image = _opened(data, kind)
    if kind != "JPEG 2000":
        return _from_pillow(image, kind, short_side)
    size = image.size
    jpeg2000.decode_smaller(image, data, short_side)
    return _from_pillow(image, kind, short_side, size)


def check_bytes(size: int) -> None:
    """Raise PhotoError if a photo's file has more than `MAX_PHOTO_BYTES`."""
    if size > MAX_PHOTO_BYTES:
        raise PhotoError(f"the file has {size:,} bytes, at most {MAX_PHOTO_BYTES:,} are read")


def file_of(image: Image.Image) -> bytes | None:
    """The file of a Pillow image that has not been read yet, so that it is decoded as a file is;
    None if it has, or if it shows another picture than the file's first."""
    if not isinstance(image, ImageFile) or not image.tile or image.fp is None or image.tell():
        return None
    try:
        place = image.fp.tell()
        image.fp.seek(0)
        data = image.fp.read(MAX_PHOTO_BYTES + 1)
        image.fp.seek(place)
    except (OSError, ValueError):  # closed, or not to be read twice: Pillow will say so
        return None
    return data if sniff(data) else None


def _from_jpeg(data: bytes, short_side: int | None) -> Picture:
    header = jpeg.read_header(data)
    width, height = jpeg.size_of(data)
    shrink = jpeg.shrinking(width, height, short_side)
    _check_size(width, height, MAX_PHOTO_PIXELS if header.progressive else MAX_REDUCED_PIXELS)
    _check_size(width // shrink, height // shrink, MAX_PHOTO_PIXELS)
    pixels = jpeg.decode_jpeg(data, width, height, shrink)
    if not header.described:
        return Picture(pixels, width, height)
    # What is written in its metadata is as Pillow says: what viewers make of odd ones, it does.
    try:
        image = JpegImageFile(io.BytesIO(data))
    except Exception:  # damaged metadata must not cost the picture
        return Picture(pixels, width, height)
    transform = transform_to_srgb(image.info.get("icc_profile"), image.mode)
    if transform is not None:
        stored = pixels[..., 0] if image.mode == "L" else pixels
        pixels = np.asarray(transform.apply(Image.fromarray(stored)))
    return _upright(pixels, width, height, _orientation(image))


def _upright(pixels: NDArray[np.uint8], width: int, height: int, orientation: int) -> Picture:
    if orientation not in _UPRIGHT:
        return Picture(pixels, width, height)
    if orientation >= 5:
        width, height = height, width
    return Picture(np.ascontiguousarray(_UPRIGHT[orientation](pixels)), width, height)


def _opened(data: bytes, kind: str) -> Image.Image:
    if kind == "TIFF":
        return _open_tiff(data)
    if kind == "PPM":
        netpbm = Netpbm(data)
        _check_size(netpbm.width, netpbm.height, MAX_PHOTO_PIXELS)
        return netpbm.read()
    check_file(data, kind)
    image = open_image(data, kind)
    _check_size(*image.size, MAX_PHOTO_PIXELS)
    if kind == "WebP":
        check_webp_size(*image.size)
    if kind != "PNG":
        return image
    try:
        return with_transparency(image, data)
    except Exception as error:
        raise refused(kind, error) from error


def _open_tiff(data: bytes) -> Image.Image:
    try:
        directory = main_directory(data)
        kind = tiff.Kind.of(directory)
        _check_size(kind.numbers.width, kind.numbers.height, MAX_PHOTO_PIXELS)
        if not kind.is_read_here and kind.numbers.compression in COMPRESSION_INFO:
            check_parts(count_parts(directory, kind.numbers))
            with suppress(PhotoError):  # the directory is sound, but the kind strange to Pillow
                return open_image(beginning_with(directory), "TIFF")
        return tiff.read_here(directory, kind)
    except PhotoError:
        raise
    except Exception as error:  # offsets and counts may be any number of 64 bits
        raise refused("TIFF", error) from error


def _check_size(width: int, height: int, limit: int) -> None:
    if width * height > limit:
        raise PhotoError(f"{width} x {height} pixels are more than the {limit:,} that are decoded")


def _from_pillow(
    image: Image.Image, kind: str, short_side: int | None, size: tuple[int, int] | None = None
) -> Picture:
    """`size`: of the original, where the image is smaller."""
    _check_size(*image.size, MAX_PHOTO_PIXELS)
    try:
        image.load()
        pixels = _to_rgb(image, 65535.0 if kind in _WHITE_IS_KNOWN else None)
    except PhotoError:
        raise
    except Exception as error:
        raise refused(kind, error) from error
    upright = _upright(pixels, *(size or image.size), _orientation(image))
    return Picture(_fitted(upright.pixels, short_side).pixels, upright.width, upright.height)


def _orientation(image: Image.Image) -> int:
    """As `ImageOps.exif_transpose` takes it, from EXIF or XMP; 1 if there is none."""
    try:
        orientation = image.getexif().get(_ORIENTATION)
        return int(orientation) if orientation in _UPRIGHT else 1
    except Exception:  # damaged metadata must not cost the picture
        return 1


def _to_rgb(image: Image.Image, white: float | None) -> NDArray[np.uint8]:
    """Any mode of Pillow's as uint8 sRGB [H, W, 3]; greys may be [H, W]."""
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        return _grey_numbers(image, white)
    profile = image.info.get("icc_profile")
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        image = to_srgb(image if image.mode == "RGBA" else image.convert("RGBA"), profile)
        paper = Image.new("RGB", image.size, "white")
        paper.paste(image, mask=image.getchannel("A"))
        return np.asarray(paper)
    image = image if image.mode in ("L", "RGB", "CMYK") else image.convert("RGB")
    image = to_srgb(image, profile)
    return np.asarray(image if image.mode in ("L", "RGB") else image.convert("RGB"))


def _grey_numbers(image: Image.Image, white: float | None) -> NDArray[np.uint8]:
    numbers = np.asarray(image)
    grey = to_bytes(numbers, white)
    if isinstance(clear := image.info.get("transparency"), int):
        grey[numbers == clear] = 255
    return np.asarray(to_srgb(Image.fromarray(grey), image.info.get("icc_profile")))


def _fitted(whole: NDArray[np.uint8], short_side: int | None) -> Picture:
    """uint8 [H, W] or RGB [H, W, 3], smaller if it is far larger than needed.

    A gap of 2 to the final size leaves the quality to the final resampling.
    """
    height, width = whole.shape[:2]
    pixels = whole
    if short_side and (factor := min(width, height) // (2 * short_side)) > 1:
        pixels = np.asarray(Image.fromarray(whole).reduce(factor))
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[:, :, None], 3, axis=2)
    return Picture(pixels, width, height)


def _from_array(array: NDArray[Any]) -> NDArray[np.uint8]:
    """An array as uint8 [H, W] or RGB [H, W, 3]."""
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or 0 in array.shape:
        raise PhotoError(
            "expected an array of [H, W], [H, W, 1], [H, W, 3] or [H, W, 4], got the shape "
            f"{array.shape}"
        )
    if array.dtype == np.uint8:
        pixels = np.asarray(array, dtype=np.uint8)
    elif array.dtype == np.uint16:
        pixels = to_bytes(array)
    elif array.dtype == np.bool_:
        pixels = array.astype(np.uint8) * np.uint8(255)
    elif np.issubdtype(array.dtype, np.floating):
        check_finite(array)
        low, high = float(array.min()), float(array.max())
        if not 0 <= low <= high <= 1:
            raise PhotoError(f"expected floats in 0..1 (or uint8), got {low:.3g}..{high:.3g}")
        pixels = np.round(array * 255).astype(np.uint8)
    else:
        raise PhotoError(f"expected uint8, uint16, bool or floats in 0..1, got {array.dtype}")
    if pixels.shape[2] == 4:
        return _to_rgb(Image.fromarray(np.ascontiguousarray(pixels)), None)
    return pixels[:, :, 0] if pixels.shape[2] == 1 else pixels


def dhash(pixels: NDArray[np.uint8]) -> int:
    """64-bit difference hash of a picture, uint8 RGB [H, W, 3]: is each of 9 x 8 grey cells
    darker than its right neighbour? Alike for copies that were resized or saved again
    (N. Krawetz, "Kind of Like That", 2013)."""
    grey = Image.fromarray(pixels).convert("L")
    cells = np.asarray(grey.resize((9, 8), Image.Resampling.BOX))
    bits = np.packbits(cells[:, :-1] < cells[:, 1:])
    return int.from_bytes(bits.tobytes(), "big")
