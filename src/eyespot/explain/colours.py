"""A perceptually uniform colour map: dark violet, blue, green, bright yellow."""

from functools import cache

import numpy as np
from PIL import Image

from eyespot.arrays import F32, F64, U8

LIGHTNESS = (0.28, 0.92)
HUE = (300.0, 110.0)
"""In degrees: violet and yellow, with green between them."""
CHROMA = 0.099
"""sRGB contains this chroma at all these hues and lightnesses, but not 0.1."""
SHOWN = 0.6
"""Opacity of the brightest colour in `overlaid`."""

# B. Ottosson, "A perceptual color space for image processing", 2020: Oklab to linear sRGB.
_TO_CONES = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.2914855480],
    ]
)
_TO_LINEAR = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


def helix() -> F64:
    """256 colours [256, 3] (L, a, b) in Oklab, at equal distances."""
    hue = np.radians(np.linspace(*HUE, 256))
    return np.stack(
        [np.linspace(*LIGHTNESS, 256), CHROMA * np.cos(hue), CHROMA * np.sin(hue)], axis=1
    )


def linear_rgb(oklab: F64) -> F64:
    """Oklab to linear sRGB, 0..1 inside the gamut: [N, 3] -> [N, 3]."""
    light: F64 = (oklab @ _TO_CONES.T) ** 3 @ _TO_LINEAR.T
    return light


@cache
def palette() -> U8:
    """The 256 colours as sRGB, uint8 [256, 3]. Gamma: IEC 61966-2-1."""
    light = linear_rgb(helix()).clip(0, 1)
    encoded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.round(255 * encoded).astype(np.uint8)


def coloured(maps: F32) -> U8:
    """Maps [N, h, w] as images, uint8 [N, h, w, 3]: dark is low, bright is high.

    Each map has its own scale, from its minimum to its maximum. Maps of one pixel share a scale,
    because they would all look alike. A constant map is dark.
    """
    axes = (0, 1, 2) if maps.shape[1:] == (1, 1) else (1, 2)
    low = maps.min(axes, keepdims=True)
    span = maps.max(axes, keepdims=True) - low
    scaled = (maps - low) / np.where(span > 0, span, 1)
    return _colours(scaled)


def overlaid(heat: F32, prepared: U8) -> U8:
    """`heat` [h, w] in 0..1 over its photo, uint8 [S, S, 3]."""
    side = prepared.shape[1], prepared.shape[0]
    smooth = np.asarray(Image.fromarray(heat).resize(side, Image.Resampling.BICUBIC)).clip(0, 1)
    opacity = SHOWN * smooth[:, :, None]
    return np.round((1 - opacity) * prepared + opacity * _colours(smooth)).astype(np.uint8)


def _colours(shares: F32) -> U8:
    colours: U8 = palette()[np.round(255 * shares).astype(np.uint8)]
    return colours
