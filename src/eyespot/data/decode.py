"""From a photo's content to pixels: every format, upright, RGB, and never half a picture.

The content decides what a file is, not its name. JPEG goes through libjpeg-turbo, everything else
through Pillow. Sizes are checked before anything is decoded: a small file can claim any size.
"""

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from eyespot.data import jpeg
from eyespot.data.formats import sniff
from eyespot.errors import PhotoError
from eyespot.shown import Brief

MAX_PIXELS = 100_000_000
"""Largest picture, in pixels, that is held in memory: 300 MB as RGB."""
MAX_SHRUNK_PIXELS = 4 * MAX_PIXELS
"""Largest picture that is decoded at a fraction of its size, row by row."""
MAX_BYTES = 200_000_000
"""Largest file, in bytes, that is read."""
LONGEST_REASON = 200
"""Characters of what a decoder says is wrong."""

_PLUGINS = {
    "JPEG": ("JPEG", "MPO"),
    "PNG": ("PNG",),
    "WebP": ("WEBP",),
    "BMP": ("BMP",),
    "TIFF": ("TIFF",),
    "GIF": ("GIF",),
    "HEIC": ("HEIF",),
    "AVIF": ("AVIF",),
    "PPM": ("PPM",),
    "JPEG 2000": ("JPEG2000",),
    "ICO": ("ICO",),
}
"""What Pillow calls the formats. Its others stay closed: some start other programs."""

_UPRIGHT: dict[int, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.transpose(1, 0, 2),
    6: lambda p: p.transpose(1, 0, 2)[:, ::-1],
    7: lambda p: p.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda p: p.transpose(1, 0, 2)[::-1],
}
"""What puts a picture upright, by its EXIF orientation (Exif 2.32, section 4.6.5)."""

_FULL_RANGES = (1.0, 255.0, 1023.0, 4095.0, 16383.0, 65535.0)
"""White in pictures of 1, 8, 10, 12, 14 and 16 bits."""

# What is wrong with a photo is told in a PhotoError; Pillow's warnings would say it again, without
# the photo's name. warnings.catch_warnings would be narrower, but is not safe among threads.
warnings.filterwarnings("ignore", module=r"PIL\.")


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
        pixels = _from_array(data)
        return Picture(pixels, pixels.shape[1], pixels.shape[0])
    if isinstance(data, Image.Image):
        return _from_pillow(data, data.format or "image", short_side)
    if not data:
        raise PhotoError("the file is empty")
    if len(data) > MAX_BYTES:
        raise PhotoError(f"the file has {len(data):,} bytes, at most {MAX_BYTES:,} are read")
    kind = sniff(data)
    if kind is None:
        raise PhotoError(f"not a picture in a format that can be read{_what_instead(data)}")
    if kind == "JPEG":
        try:
            return _from_jpeg(data, short_side)
        except jpeg.UnusualJpegError:
            pass
    return _from_pillow(_open(data, kind), kind, short_side)


def _from_jpeg(data: bytes, short_side: int | None) -> Picture:
    width, height = jpeg.size_of(data)
    header = jpeg.read_header(data)
    shrink = jpeg.shrinking(width, height, short_side)
    _check_size(width, height, MAX_PIXELS if header.progressive else MAX_SHRUNK_PIXELS)
    _check_size(width // shrink, height // shrink, MAX_PIXELS)
    pixels = jpeg.decode_jpeg(data, width, height, shrink)
    return _upright(pixels, width, height, header.orientation)


def _upright(pixels: NDArray[np.uint8], width: int, height: int, orientation: int) -> Picture:
    if orientation not in _UPRIGHT:
        return Picture(pixels, width, height)
    if orientation >= 5:
        width, height = height, width
    return Picture(np.ascontiguousarray(_UPRIGHT[orientation](pixels)), width, height)


def _open(data: bytes, kind: str) -> Image.Image:
    if kind == "HEIC" and not _heic_is_installed():
        raise PhotoError('HEIC photos need: pip install "eyespot[heic]"')
    try:
        return Image.open(io.BytesIO(data), formats=_PLUGINS[kind])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PhotoError(f"more pixels than the {MAX_PIXELS:,} that are decoded") from error
    except KeyError as error:
        raise PhotoError(f"this Pillow cannot read {kind}; install a newer one") from error
    except Exception as error:
        raise PhotoError(f"damaged or truncated {kind}: its header cannot be read") from error


@lru_cache(maxsize=1)
def _heic_is_installed() -> bool:
    try:
        import pillow_heif
    except ImportError:
        return False
    pillow_heif.register_heif_opener()
    return True


def _check_size(width: int, height: int, limit: int) -> None:
    if width * height > limit:
        raise PhotoError(f"{width} x {height} pixels are more than the {limit:,} that are decoded")


def _from_pillow(image: Image.Image, kind: str, short_side: int | None) -> Picture:
    _check_size(*image.size, MAX_PIXELS)
    try:
        image.load()
        orientation = _orientation(image)
        # Formats that define white as the largest number; a TIFF may hold 12 bits in 16.
        white = 65535.0 if kind in ("PNG", "PPM", "JPEG 2000") else None
        pixels = _to_rgb(image, short_side, white)
    except PhotoError:
        raise
    except Exception as error:
        # Whatever a library wrote in it, it must fit into a line of a table.
        reason = " ".join(str(error).split())[:LONGEST_REASON] or type(error).__name__
        raise PhotoError(f"damaged or truncated {kind}: {reason}") from error
    return _upright(pixels, *image.size, orientation)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(jpeg.ORIENTATION_TAG, 1))
    except Exception:  # damaged metadata must not cost the picture
        return 1


def _to_rgb(image: Image.Image, short_side: int | None, white: float | None) -> NDArray[np.uint8]:
    """Any mode of Pillow's as uint8 RGB [H, W, 3], smaller if it is far larger than needed."""
    clear = image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info
    if image.mode.startswith("I;16"):
        image = image.convert("I")
    elif clear:
        image = image if image.mode == "RGBA" else image.convert("RGBA")
    elif image.mode not in ("L", "RGB", "I", "F"):
        image = image.convert("RGB")
    # Halves and the like are averaged away early: 100 million pixels would take gigabytes below.
    # A gap of 2 to the final size leaves the quality to the final resampling.
    if short_side and (factor := min(image.size) // (2 * short_side)) > 1:
        image = image.reduce(factor)
    if image.mode in ("I", "F"):
        grey = _to_bytes(np.asarray(image), white)
        return np.repeat(grey[:, :, None], 3, axis=2)
    if image.mode == "RGBA":
        paper = Image.new("RGB", image.size, "white")
        paper.paste(image, mask=image.getchannel("A"))
        image = paper
    return np.asarray(image.convert("RGB"))


def _to_bytes(values: NDArray[Any], white: float | None = None) -> NDArray[np.uint8]:
    """Numbers of any range as 0..255: up to `white`, or to the smallest usual one that fits."""
    numbers = values.astype(np.float32)
    _check_finite(numbers)
    low, high = min(0.0, float(numbers.min())), float(numbers.max())
    if white is None:
        white = next((full for full in _FULL_RANGES if high <= full * 1.001), high)
    scale = 255.0 / max(white - low, 1e-12)
    scaled = numbers * scale + (0.5 - low * scale)  # numbers - low may be too large for a float32
    return scaled.clip(0, 255).astype(np.uint8)


def _check_finite(numbers: NDArray[Any]) -> None:
    wrong = int(numbers.size - np.count_nonzero(np.isfinite(numbers)))
    if wrong:
        raise PhotoError(
            f"expected numbers as pixels, {wrong:,} of {numbers.size:,} are NaN or infinite; put "
            "numbers in their place"
        )


def _from_array(array: NDArray[Any]) -> NDArray[np.uint8]:
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
        pixels = _to_bytes(array)
    elif array.dtype == np.bool_:
        pixels = array.astype(np.uint8) * np.uint8(255)
    elif np.issubdtype(array.dtype, np.floating):
        _check_finite(array)
        low, high = float(array.min()), float(array.max())
        if not 0 <= low <= high <= 1:
            raise PhotoError(f"expected floats in 0..1 (or uint8), got {low:.3g}..{high:.3g}")
        pixels = np.round(array * 255).astype(np.uint8)
    else:
        raise PhotoError(f"expected uint8, uint16, bool or floats in 0..1, got {array.dtype}")
    if pixels.shape[2] == 4:
        return _to_rgb(Image.fromarray(np.ascontiguousarray(pixels)), None, None)
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels


def _what_instead(data: bytes) -> str:
    start = data[:512].lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return " (it is a web page)"
    if start.startswith(b"%pdf"):
        return " (it is a PDF)"
    if start.startswith((b"<svg", b"<?xml")):
        return " (it is SVG or XML)"
    if data[4:8] == b"ftyp":
        return " (it is a video)"
    if not data.strip(b"\0"):
        return " (it holds nothing but zeros)"
    return ""


def dhash(pixels: NDArray[np.uint8]) -> int:
    """64-bit difference hash of a picture, uint8 RGB [H, W, 3]: is each of 9 x 8 grey cells
    darker than its right neighbour? Alike for copies that were resized or saved again
    (N. Krawetz, "Kind of Like That", 2013)."""
    grey = Image.fromarray(pixels).convert("L")
    cells = np.asarray(grey.resize((9, 8), Image.Resampling.BOX))
    bits = np.packbits(cells[:, :-1] < cells[:, 1:])
    return int.from_bytes(bits.tobytes(), "big")
