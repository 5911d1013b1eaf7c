"""Encoded files as Pillow opens them: the formats that it may, and what its complaints mean."""

import io
import re
import warnings
from functools import lru_cache

from PIL import Image

from eyespot.errors import PhotoError

LONGEST_REASON = 200
"""Characters of what a decoder says is wrong."""

PLUGINS = {
    "JPEG": ("JPEG",),
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

_NOT_READ = re.compile(
    "unsupported|not (supported|implemented)|cannot handle|unknown|too large", re.I
)
"""How Pillow says that a file is sound but of a kind that it does not read."""

# What is wrong with a photo is told in a PhotoError; Pillow's warnings would say it again, without
# the photo's name. warnings.catch_warnings would be narrower, but is not safe among threads.
warnings.filterwarnings("ignore", module=r"PIL\.")


def kind_of(image: Image.Image) -> str:
    """The format of a Pillow image, "image" if it is of none that is opened here."""
    name = "JPEG" if image.format == "MPO" else image.format  # two photos in one file
    return next((kind for kind, names in PLUGINS.items() if name in names), "image")


def open_image(data: bytes, kind: str) -> Image.Image:
    """Open an encoded file; its pixels are not read yet. Raises PhotoError."""
    if kind == "HEIC" and not _heic_is_installed():
        raise PhotoError('HEIC photos need: pip install "eyespot[heic]"')
    try:
        return Image.open(io.BytesIO(data), formats=PLUGINS[kind])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PhotoError("more pixels than are decoded") from error
    except KeyError as error:
        raise PhotoError(f"this Pillow cannot read {kind}; install a newer one") from error
    except Exception as error:
        refusal = refused(kind, _reason(data, kind) or error)
        raise refusal from error


def refused(kind: str, error: Exception) -> PhotoError:
    """Why a file cannot be used. Not all are damaged: some are sound, but Pillow cannot."""
    reason = " ".join(str(error).split())[:LONGEST_REASON] or type(error).__name__
    if isinstance(error, MemoryError):
        return PhotoError("it needs more memory than there is")
    if _NOT_READ.search(reason):
        return PhotoError(f"this kind of {kind} is not read ({reason}); save it as PNG")
    return PhotoError(f"damaged or truncated {kind}: {reason}")


def _reason(data: bytes, kind: str) -> Exception | None:
    """Why Pillow does not open a file, which `Image.open` keeps to itself."""
    for plugin in PLUGINS[kind]:
        try:
            Image.OPEN[plugin][0](io.BytesIO(data), "")
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
