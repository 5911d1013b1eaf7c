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
_COLOURS = {_RGB: "RGB", 3: "palette", 5: "CMYK", 6: "YCbCr", _LAB: "L*a*b*"}
_COLOURS |= dict.fromkeys((0, 1), "grey") | dict.fromkeys((32803, 34892), "camera raw")
_OTHER_PACKED = dict.fromkeys((2, 3, 4), "CCITT") | dict.fromkeys((50002, 52546), "JPEG XL")
_OTHER_PACKED |= {6: "old JPEG", 7: "JPEG", 34712: "JPEG 2000", 34887: "LERC", 50001: "WebP"}


@dataclass(frozen=True, slots=True)
class Kind:
    """The samples of a TIFF and their meaning. `extra`: of channels beyond grey or RGB."""

    samples: parts.Samples
    colour: int
    extra: tuple[int, ...]

    @classmethod
    def of(cls, directory: Directory) -> "Kind":
        """Raises DamagedTiffError."""
        samples = parts.Samples.of(directory)
        colour = directory.value(_PHOTOMETRIC, _RGB if samples.channels >= 3 else _BLACK_IS_ZERO)
        extra = directory.values(_EXTRA)
        if colour == _RGB and samples.channels == 4 and not extra:
            extra = (_UNASSOCIATED,)  # as Pillow and libvips read it
        return cls(samples, colour, extra)

    @property
    def is_read_here(self) -> bool:
        """Whether Pillow misreads it: samples that are not bytes, grey with alpha, or planes."""
        samples = self.samples
        unusual = max(samples.bits) > 8 or bool(set(samples.formats) - {1, 4})
        if self.colour in _GREY_OR_RGB:
            return unusual or (self.colours == 1 and samples.channels > 1)
        return samples.has_planes and (unusual or self.colour == _LAB)

    @property
    def colours(self) -> int:
        return 3 if self.colour == _RGB else 1

    @property
    def alpha(self) -> int:
        """The kind of alpha, 0 if there is none."""
        kind = self.extra[0] if self.extra and self.samples.channels > self.colours else 0
        return kind if kind in (_ASSOCIATED, _UNASSOCIATED) else 0

    def __str__(self) -> str:
        samples = self.samples
        names = " and ".join(dict.fromkeys(_NAMES.get(f, "samples") for f in samples.formats))
        bits = "/".join(map(str, dict.fromkeys(samples.bits)))
        plural = "s" if samples.channels > 1 else ""
        colour = _COLOURS.get(self.colour, f"colours of kind {self.colour}")
        unknown = f"compression {samples.compression}"
        packed = {**_OTHER_PACKED, **parts.PACKED}.get(samples.compression, unknown)
        about = f"{names} of {bits} bits, {samples.channels} channel{plural}, {colour}"
        return f"{about}, {packed}" if packed else about


def read_here(directory: Directory, kind: Kind) -> Image.Image:
    """The image of a directory, of mode L, RGB, RGBA or RGBa, with its orientation and profile.

    Raises PhotoError for an unsupported kind or a too large image, DamagedTiffError.
    """
    samples = kind.samples
    channels = range(1, 3) if kind.colours == 1 else range(3, 1000)
    known = kind.colour in _GREY_OR_RGB and samples.channels in channels
    if not known or not samples.can_be_read:
        raise PhotoError(
            f"unsupported kind of TIFF ({kind}); save it as PNG, or as TIFF of 8 or 16 bits"
        )
    if samples.bytes > MAX_SAMPLE_BYTES:
        raise PhotoError(
            f"its samples take {samples.bytes:,} bytes, the limit is {MAX_SAMPLE_BYTES:,}"
        )
    image = _image(parts.read_parts(directory, samples, MAX_SAMPLE_BYTES), kind)
    image.getexif()[_ORIENTATION] = directory.value(_ORIENTATION, 1)
    if profile := directory.values(_PROFILE):
        image.info["icc_profile"] = bytes(profile)
    return image


def _image(samples: NDArray[np.generic], kind: Kind) -> Image.Image:
    """Samples [H, W, channels] as an image. Raises PhotoError for NaN or Inf."""
    colours, whole = kind.colours, samples.dtype.kind == "u"
    used = samples[..., : colours + bool(kind.alpha)]
    inverted = kind.colour == _WHITE_IS_ZERO
    if inverted and whole:
        used[..., 0] = ((1 << kind.samples.bits[0]) - 1) - used[..., 0]
        inverted = False
    if whole or not kind.alpha:  # the maximum alpha shows how white is stored
        bits = kind.samples.bits[0]  # larger samples often use fewer bits than declared
        white = float(2**bits - 1) if whole and bits <= 8 else None
        pixels = to_bytes(used, white, white_is_zero=inverted)
    else:
        opaque = float(2 ** (kind.samples.bits[0] - 1) - 1) if samples.dtype.kind == "i" else None
        both = to_bytes(used[..., :-1], white_is_zero=inverted), to_bytes(used[..., -1:], opaque)
        pixels = np.concatenate(both, axis=2)
    if not kind.alpha:
        return Image.fromarray(pixels if colours == 3 else pixels[..., 0])
    if colours == 1:
        pixels = pixels[..., [0, 0, 0, 1]]
    mode = "RGBA" if kind.alpha == _UNASSOCIATED else "RGBa"
    height, width = pixels.shape[:2]
    return Image.frombytes(mode, (width, height), np.ascontiguousarray(pixels).tobytes())
