"""From a photo's file to pixels: every format, upright, RGB, and never half a picture.

JPEG files go through libjpeg-turbo, which can decode at 1/2, 1/4 or 1/8 of the size and so skips
most of the work; everything else goes through Pillow. The content decides what a file is.
"""

import io
import math
import warnings
from dataclasses import dataclass

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps

from eyespot.errors import PhotoError

MAX_PIXELS = 100_000_000
"""Largest picture, in pixels, that is decoded: 300 MB as RGB. A small file can claim any size."""
MAX_BYTES = 200_000_000
"""Largest file, in bytes, that is read."""

ORIENTATION_TAG = 0x0112
UPRIGHT = {
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.transpose(1, 0, 2),
    6: lambda p: p.transpose(1, 0, 2)[:, ::-1],
    7: lambda p: p.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda p: p.transpose(1, 0, 2)[::-1],
}
"""What puts a picture upright, by its EXIF orientation (Exif 2.32, section 4.6.4)."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded photo: `pixels` uint8 RGB [H, W, 3].

    `width`, `height`: of the original, upright, in pixels; `pixels` may be smaller.
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int


def decode(
    data: bytes | NDArray[np.generic] | Image.Image, *, short_side: int | None = None
) -> Picture:
    """Decode an encoded file, an array or a Pillow image.

    `short_side`: a JPEG may be decoded smaller as long as its short side keeps that many pixels.
    Arrays: [H, W], [H, W, 1], [H, W, 3] or [H, W, 4]; uint8, uint16, bool, or floats in 0..1.
    Raises PhotoError with the reason if the photo cannot be used.
    """
    if isinstance(data, np.ndarray):
        pixels = _from_array(data)
    elif isinstance(data, Image.Image):
        pixels = _from_pillow(data)
    elif not data:
        raise PhotoError("the file is empty")
    elif len(data) > MAX_BYTES:
        raise PhotoError(f"the file has {len(data):,} bytes, at most {MAX_BYTES:,} are read")
    elif data[:2] == b"\xff\xd8":
        return _from_jpeg(data, short_side)
    else:
        pixels = _from_file(data)
    return Picture(pixels, pixels.shape[1], pixels.shape[0])


def _from_jpeg(data: bytes, short_side: int | None) -> Picture:
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(data)
    except ValueError as error:
        raise PhotoError(f"damaged JPEG: {error}") from error
    if colours == "CMYK":  # Adobe's files invert it or do not; Pillow knows
        pixels = _from_file(data)
        return Picture(pixels, pixels.shape[1], pixels.shape[0])
    least = 0 if short_side is None else short_side
    shrink = next((s for s in (8, 4, 2) if least and min(width, height) // s >= least), 1)
    _check_size(math.ceil(width / shrink), math.ceil(height / shrink))
    try:
        pixels = simplejpeg.decode_jpeg(
            data,
            "RGB",
            min_height=math.ceil(height / shrink),
            min_width=math.ceil(width / shrink),
            min_factor=shrink,
        )
    except ValueError as error:
        raise PhotoError(f"damaged or truncated JPEG: {error}") from error
    if not data.rstrip(b"\0\r\n ").endswith(b"\xff\xd9") and b"\xff\xd9" not in data[-65536:]:
        raise PhotoError("truncated JPEG: the end of the picture is missing")
    orientation = _jpeg_orientation(data)
    if orientation in UPRIGHT:
        pixels = np.ascontiguousarray(UPRIGHT[orientation](pixels))
        if orientation >= 5:
            width, height = height, width
    return Picture(pixels, width, height)


def _jpeg_orientation(data: bytes) -> int:
    """EXIF orientation 1..8 of a JPEG file, 1 if it has none."""
    head = data[:65536]
    if b"Exif\0\0" not in head:
        return 1
    try:
        return int(Image.open(io.BytesIO(data)).getexif().get(ORIENTATION_TAG, 1))
    except Exception:  # damaged metadata must not cost the picture
        return 1


def _from_file(data: bytes) -> NDArray[np.uint8]:
    _register_heif(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of large pictures; the limit is ours
        try:
            image = Image.open(io.BytesIO(data))
        except Exception as error:
            raise PhotoError("not a picture in any format that can be read") from error
        _check_size(*image.size)
        try:
            image.load()
            return _from_pillow(ImageOps.exif_transpose(image))
        except PhotoError:
            raise
        except Exception as error:
            raise PhotoError(f"damaged or truncated {image.format}: {error}") from error


def _register_heif(data: bytes) -> None:
    """HEIC comes with an extra; say so rather than call the photo damaged."""
    if data[4:8] != b"ftyp" or data[8:12] in (b"avif", b"avis"):
        return
    try:
        import pillow_heif
    except ImportError as error:
        raise PhotoError('HEIC photos need: pip install "eyespot[heic]"') from error
    pillow_heif.register_heif_opener()


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise PhotoError(
            f"{width} x {height} pixels are more than the {MAX_PIXELS:,} that are decoded"
        )


def _from_pillow(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        values = np.asarray(image, dtype=np.float64)
        # 16-bit greys use the full range by definition; other ranges are stretched to fit.
        low, high = (0.0, 65535.0) if image.mode != "F" else (values.min(), values.max())
        grey = np.clip((values - low) / max(high - low, 1e-12) * 255, 0, 255).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    if image.mode in ("LA", "PA", "RGBA", "RGBa", "La") or "transparency" in image.info:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        image = Image.alpha_composite(white, layer)
    return np.asarray(image.convert("RGB"))


def _from_array(array: NDArray[np.generic]) -> NDArray[np.uint8]:
    wanted = "an array of [H, W], [H, W, 1], [H, W, 3] or [H, W, 4]"
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or 0 in array.shape:
        raise PhotoError(f"expected {wanted}, got the shape {array.shape}")
    if array.dtype == np.uint16:
        pixels = (array >> 8).astype(np.uint8)
    elif array.dtype == np.bool_:
        pixels = array.astype(np.uint8) * np.uint8(255)
    elif np.issubdtype(array.dtype, np.floating):
        if not (np.isfinite(array).all() and array.min() >= 0 and array.max() <= 1):
            raise PhotoError("expected floats between 0 and 1 (or uint8), got others")
        pixels = np.round(array * 255).astype(np.uint8)
    elif array.dtype == np.uint8:
        pixels = np.asarray(array, dtype=np.uint8)
    else:
        raise PhotoError(f"expected uint8, uint16, bool or floats, got {array.dtype}")
    if pixels.shape[2] == 4:
        return _from_pillow(Image.fromarray(pixels, "RGBA"))
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels


ImageFile.LOAD_TRUNCATED_IMAGES = False


def dhash(pixels: NDArray[np.uint8]) -> int:
    """64-bit difference hash of a picture, uint8 RGB [H, W, 3]: is each of 9 x 8 grey cells
    darker than its right neighbour? Alike for copies that were resized or saved again."""
    grey = Image.fromarray(pixels).resize((9, 8), Image.Resampling.BOX).convert("L")
    cells = np.asarray(grey)
    bits = np.packbits(cells[:, :-1] < cells[:, 1:])
    return int.from_bytes(bits.tobytes(), "big")
