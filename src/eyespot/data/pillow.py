"""Open encoded files with Pillow, for allowed formats only, and translate its errors."""

import io
import re
import warnings
from functools import lru_cache

import numpy as np
from PIL import Image

from eyespot.errors import PhotoError
from eyespot.limits import MAX_PHOTO_PIXELS

LONGEST_REASON = 200
"""Characters of a decoder's error in a message."""

_SAME_NAME = ("JPEG", "PNG", "WebP", "BMP", "TIFF", "GIF", "AVIF", "PPM", "ICO")
PLUGINS = {kind: kind.upper() for kind in _SAME_NAME} | {"HEIC": "HEIF", "JPEG 2000": "JPEG2000"}
"""Pillow's names of the allowed formats. Some of its others start external programs."""

_NOT_READ = re.compile(
    "unsupported|not (supported|implemented)|cannot handle|unknown|data too large", re.I
)
"""Pillow's errors for valid files of an unsupported kind."""

# A PhotoError reports each problem; Pillow's warnings would repeat it without the photo's name.
# warnings.catch_warnings would be narrower, but is not thread-safe.
warnings.filterwarnings("ignore", module=r"PIL\.")


def kind_of(image: Image.Image) -> str:
    """The format of a Pillow image; "image" for any other."""
    name = "JPEG" if image.format == "MPO" else image.format  # two photos in one file
    return next((kind for kind, plugin in PLUGINS.items() if plugin == name), "image")


def open_image(data: bytes, kind: str) -> Image.Image:
    """Open an encoded file without decoding its pixels. Raises PhotoError."""
    if kind == "HEIC" and not _heic_is_installed():
        raise PhotoError('HEIC photos need: pip install "eyespot[heic]"')
    try:
        return Image.open(io.BytesIO(data), formats=(PLUGINS[kind],))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PhotoError(f"more pixels than the limit of {MAX_PHOTO_PIXELS:,}") from error
    except KeyError as error:
        raise PhotoError(f"the installed Pillow cannot read {kind}; update Pillow") from error
    except Exception as error:
        refusal = refused(kind, _reason(data, kind) or error)
        raise refusal from error


def with_transparency(image: Image.Image, data: bytes) -> Image.Image:
    """A PNG, as Pillow opened it from `data`, with the file's transparent colour (PNG, third
    edition, 11.3.1.1), which Pillow leaves at the file's number of bits. 16-bit colours are decoded
    here."""
    clear, bits = image.info.get("transparency"), data[24]  # the bit depth (11.2.1)
    if image.mode == "L" and isinstance(clear, int) and bits in (2, 4):
        image.info["transparency"] = clear * 255 // (2**bits - 1)
    elif image.mode == "RGB" and isinstance(clear, tuple) and bits == 16:
        low = Image.open(io.BytesIO(data), formats=("PNG",))
        # Pillow keeps the first byte of each sample; told that bytes are swapped, the second.
        low.tile = [part._replace(args="RGB;16L") for part in low.tile]
        halves = zip((np.asarray(image), np.asarray(low)), (8, 0), strict=True)
        same = [half == [number >> shift & 255 for number in clear] for half, shift in halves]
        del image.info["transparency"]
        opaque = ~np.logical_and(*same).all(axis=2)
        image.putalpha(Image.fromarray(opaque.astype(np.uint8) * np.uint8(255)))
    return image


def refused(kind: str, error: Exception) -> PhotoError:
    """The PhotoError for an error of Pillow: damaged, too large, or an unsupported kind."""
    reason = " ".join(str(error).split())[:LONGEST_REASON] or type(error).__name__
    if isinstance(error, MemoryError):
        return PhotoError("not enough memory to decode it")
    if _NOT_READ.search(reason):
        return PhotoError(f"unsupported kind of {kind} ({reason}); save it as PNG")
    return PhotoError(f"damaged or truncated {kind}: {reason}")


def _reason(data: bytes, kind: str) -> Exception | None:
    """The error of Pillow's plugin, which `Image.open` hides."""
    try:
        Image.OPEN[PLUGINS[kind]][0](io.BytesIO(data), "")
    except Exception as error:
        return error
    return None


@lru_cache(maxsize=1)
def _heic_is_installed() -> bool:
    try:
        import pillow_heif
    except ImportError:
        return False
    pillow_heif.register_heif_opener()
    return True
