"""Colour profiles: a photo's colours as sRGB, whatever the camera or scanner calls red.

A profile says what a file's numbers mean (ICC.1:2022). Phones write Display P3, cameras Adobe RGB,
printers' files CMYK: taken for sRGB, their colours come out pale or wrong.
"""

import io
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image

from eyespot.limits import MAX_PROFILE_BYTES

_MODES = ("RGB", "RGBA", "L", "CMYK")
_ROUNDING = 2
"""Levels by which a profile of sRGB may differ: programs round its curve in many ways."""


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """An image of mode RGB, RGBA, L or CMYK in sRGB; a profiled L becomes RGB.

    `profile`: ICC. One that is sRGB, damaged, larger than `MAX_PROFILE_BYTES`, or made for other
    modes changes nothing. Safe to call from many threads.
    """
    transform = transform_to_srgb(profile, image.mode)
    return image if transform is None else transform.apply(image)


def transform_to_srgb(profile: bytes | None, mode: str) -> Any:
    """Pillow's transform of images of a mode, perceptual; None if there is nothing to do."""
    if not profile or len(profile) > MAX_PROFILE_BYTES or mode not in _MODES:
        return None
    return _transform(profile, mode)


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> Any:
    try:
        from PIL import ImageCms  # 0.01 s, which most photos need not pay

        source = ImageCms.getOpenProfile(io.BytesIO(profile))
        target = "RGBA" if mode == "RGBA" else "RGB"
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, target)
        if mode != "CMYK" and _changes_nothing(transform, mode):
            return None
    except Exception:  # a damaged profile must not cost the picture
        return None
    return transform


def _changes_nothing(transform: Any, mode: str) -> bool:
    levels = np.arange(0, 256, 17, dtype=np.uint8)
    if mode == "L":
        probe = Image.fromarray(levels[None])
    else:
        grid = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(16, 256, 3)
        probe = Image.fromarray(grid).convert(mode)
    found = np.asarray(transform.apply(probe).convert("RGB"), dtype=int)
    return bool(np.abs(found - np.asarray(probe.convert("RGB"))).max() <= _ROUNDING)
