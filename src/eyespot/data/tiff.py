"""Decode TIFFs that Pillow reads wrongly or not at all: samples of 10 to 64 bits, floats, signed
samples, white as zero. `tiff_parts.py` reads their samples.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from eyespot.data import tiff_parts as parts
from eyespot.data.samples import to_bytes
from eyespot.data.tiff_directory import Directory
from eyespot.errors import PhotoError
from eyespot.limits import MAX_SAMPLE_BYTES

_PHOTOMETRIC, _ORIENTATION, _EXTRA, _PROFILE = 262, 274, 338, 34675
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _LAB = 0, 1, 2, 8
_GREY_OR_RGB = (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB)
_ASSOCIATED, _UNASSOCIATED = 1, 2
"""Kinds of alpha (TIFF 6.0, page 31): premultiplied or not."""

_NAMES = {1: "unsigned integers", 2: "signed integers", 3: "floats"} | dict.fromkeys(
    (5, 6), "complex numbers"
)
_COLOURS = {
    _WHITE_IS_ZERO: "grey",
    _BLACK_IS_ZERO: "grey",
    _RGB: "RGB",
    3: "palette",
    4: "mask",
    5: "CMYK",
    6: "YCbCr",
    _LAB: "L*a*b*",
    9: "ICC L*a*b*",
    10: "ITU L*a*b*",
    32803: "camera raw",
    32844: "LogL",
    32845: "LogLuv",
    34892: "camera raw",
}
_OTHER_PACKED = dict.fromkeys((2, 3, 4), "CCITT") | dict.fromkeys((50002, 52546), "JPEG XL")
_OTHER_PACKED |= {6: "old JPEG", 7: "JPEG", 34712: "JPEG 2000", 34887: "LERC", 50001: "WebP"}


@dataclass(frozen=True, slots=True)
class Kind:
    """The samples of a TIFF and their meaning. `extra`: of channels beyond grey or RGB."""

    numbers: parts.Numbers
    colour: int
    extra: tuple[int, ...]

    @classmethod
    def of(cls, directory: Directory) -> "Kind":
        """Raises DamagedTiffError."""
        numbers = parts.Numbers.of(directory)
        colour = directory.value(_PHOTOMETRIC, _RGB if numbers.channels >= 3 else _BLACK_IS_ZERO)
        extra = directory.values(_EXTRA)
        if colour == _RGB and numbers.channels == 4 and not extra:
            extra = (_UNASSOCIATED,)  # as Pillow and libvips read it
        return cls(numbers, colour, extra)

    @property
    def is_read_here(self) -> bool:
        """Whether Pillow misreads it: samples that are not bytes, grey with alpha, or planes."""
        numbers = self.numbers
        unusual = max(numbers.bits) > 8 or bool(set(numbers.formats) - {1, 4})
        if self.colour in _GREY_OR_RGB:
            return unusual or (self.colours == 1 and numbers.channels > 1)
        return numbers.has_planes and (unusual or self.colour == _LAB)

    @property
    def colours(self) -> int:
        return 3 if self.colour == _RGB else 1

    @property
    def alpha(self) -> int:
        """The kind of alpha, 0 if there is none."""
        kind = self.extra[0] if self.extra and self.numbers.channels > self.colours else 0
        return kind if kind in (_ASSOCIATED, _UNASSOCIATED) else 0

    def __str__(self) -> str:
        numbers = self.numbers
        names = " and ".join(dict.fromkeys(_NAMES.get(f, "samples") for f in numbers.formats))
        bits = "/".join(map(str, dict.fromkeys(numbers.bits)))
        plural = "s" if numbers.channels > 1 else ""
        colour = _COLOURS.get(self.colour, f"colours of kind {self.colour}")
        unknown = f"compression {numbers.compression}"
        packed = {**_OTHER_PACKED, **parts.PACKED}.get(numbers.compression, unknown)
        about = f"{names} of {bits} bits, {numbers.channels} channel{plural}, {colour}"
        return f"{about}, {packed}" if packed else about


def read_here(directory: Directory, kind: Kind) -> Image.Image:
    """The image of a directory, of mode L, RGB, RGBA or RGBa, with its orientation and profile.

    Raises PhotoError for an unsupported kind or a too large image, DamagedTiffError.
    """
    numbers = kind.numbers
    channels = range(1, 3) if kind.colours == 1 else range(3, 1000)
    known = kind.colour in _GREY_OR_RGB and numbers.channels in channels
    if not known or not numbers.can_be_read:
        raise PhotoError(
            f"unsupported kind of TIFF ({kind}); save it as PNG, or as TIFF of 8 or 16 bits"
        )
    if numbers.bytes > MAX_SAMPLE_BYTES:
        raise PhotoError(
            f"its samples take {numbers.bytes:,} bytes, the limit is {MAX_SAMPLE_BYTES:,}"
        )
    image = _image(parts.read_parts(directory, numbers, MAX_SAMPLE_BYTES), kind)
    image.getexif()[_ORIENTATION] = directory.value(_ORIENTATION, 1)
    if profile := directory.values(_PROFILE):
        image.info["icc_profile"] = bytes(profile)
    return image


def _image(numbers: NDArray[np.generic], kind: Kind) -> Image.Image:
    """Samples [H, W, channels] as an image. Raises PhotoError for NaN or Inf."""
    colours, whole = kind.colours, numbers.dtype.kind == "u"
    used = numbers[..., : colours + bool(kind.alpha)]
    inverted = kind.colour == _WHITE_IS_ZERO
    if inverted and whole:
        used[..., 0] = ((1 << kind.numbers.bits[0]) - 1) - used[..., 0]
        inverted = False
    if whole or not kind.alpha:  # the maximum alpha shows how white is stored
        bits = kind.numbers.bits[0]  # larger samples often use fewer bits than declared
        white = float(2**bits - 1) if whole and bits <= 8 else None
        pixels = to_bytes(used, white, white_is_zero=inverted)
    else:
        opaque = float(2 ** (kind.numbers.bits[0] - 1) - 1) if numbers.dtype.kind == "i" else None
        both = to_bytes(used[..., :-1], white_is_zero=inverted), to_bytes(used[..., -1:], opaque)
        pixels = np.concatenate(both, axis=2)
    if not kind.alpha:
        return Image.fromarray(pixels if colours == 3 else pixels[..., 0])
    if colours == 1:
        pixels = pixels[..., [0, 0, 0, 1]]
    mode = "RGBA" if kind.alpha == _UNASSOCIATED else "RGBa"
    height, width = pixels.shape[:2]
    return Image.frombytes(mode, (width, height), np.ascontiguousarray(pixels).tobytes())
