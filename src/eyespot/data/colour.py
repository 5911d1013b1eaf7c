"""Convert colours to sRGB by the ICC profile of a file (ICC.1:2022).

Phones write Display P3, cameras Adobe RGB, print shops CMYK: read as sRGB, their colours would be
pale or wrong.
"""

import io
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image

from eyespot.limits import MAX_PROFILE_BYTES

_MODES = ("RGB", "RGBA", "L", "CMYK")
_ROUNDING = 2
"""Levels by which an sRGB profile may differ: programs round its curve differently."""


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """An image of mode RGB, RGBA, L or CMYK in sRGB; a profiled L becomes RGB.

    `profile`: ICC. A profile that is sRGB, damaged, larger than `MAX_PROFILE_BYTES`, or for other
    modes changes nothing. Thread-safe.
    """
    transform = transform_to_srgb(profile, image.mode)
    return image if transform is None else transform.apply(image)


def transform_to_srgb(profile: bytes | None, mode: str) -> Any:
    """Pillow's perceptual transform for images of a mode; None if nothing changes."""
    if not profile or len(profile) > MAX_PROFILE_BYTES or mode not in _MODES:
        return None
    return _transform(profile, mode)


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> Any:
    try:
        from PIL import ImageCms  # 0.01 s; most photos do not need it

        source = ImageCms.getOpenProfile(io.BytesIO(profile))
        target = "RGBA" if mode == "RGBA" else "RGB"
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, target)
        if mode != "CMYK" and _changes_nothing(transform, mode):
            return None
    except Exception:  # a damaged profile must not cost the photo
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
