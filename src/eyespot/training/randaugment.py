"""RandAugment: a few random changes of equal strength for every image.

Cubuk et al., "RandAugment: Practical Automated Data Augmentation with a Reduced Search Space",
NeurIPS 2020, section 3, names the changes. Their largest strengths and the magnitudes of 0 to 30
follow torchvision. Changes take a whole batch, float32 [N, C, S, S] of whole numbers 0..255, a
strength of 0..1, and signs [N], 1 or -1, for those with two directions. Grey images keep
their colours.
"""

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

STRONGEST = 30
"""The largest magnitude."""
GREY = torch.tensor([0.299, 0.587, 0.114])
"""Brightness of red, green and blue (ITU-R BT.601), as Pillow's "L"."""
SOFT = torch.tensor([[1.0, 1, 1], [1, 5, 1], [1, 1, 1]]) / 13
"""The kernel of Pillow's SMOOTH."""


def randaugment(pixels: Tensor, changes: int = 2, magnitude: int = 9) -> Tensor:
    """Apply `changes` random changes of strength `magnitude` (0..30) to each image.

    float [N, C, S, S], 0..255 -> the same, whole numbers.
    """
    strength = magnitude / STRONGEST
    pixels = pixels.round()
    for _ in range(changes):
        chosen = torch.randint(len(CHANGES), (len(pixels),)).to(pixels.device)
        signs = (2.0 * torch.randint(2, (len(pixels),)) - 1).to(pixels.device)
        changed = pixels.clone()
        for number, change in enumerate(CHANGES.values()):
            members = (chosen == number).nonzero()[:, 0]
            if len(members):
                changed[members] = change(pixels[members], strength, signs[members])
        pixels = changed
    return pixels


def grey(pixels: Tensor) -> Tensor:
    """[N, C, H, W] -> [N, 1, H, W]."""
    if pixels.shape[1] == 1:
        return pixels
    return torch.einsum("nchw,c->nhw", pixels, GREY.to(pixels))[:, None]


# --- colours ------------------------------------------------------------------------------------


def autocontrast(pixels: Tensor, strength: float, signs: Tensor) -> Tensor:
    """Stretch each channel to 0..255; a channel of a single value stays."""
    low, high = pixels.amin((2, 3), keepdim=True), pixels.amax((2, 3), keepdim=True)
    stretched = ((pixels - low) * (255 / (high - low).clamp(min=1))).floor()
    return torch.where(high > low, stretched, pixels)


def equalize(pixels: Tensor, strength: float, signs: Tensor) -> Tensor:
    """Equalize each channel's histogram, as Pillow does."""
    flat = pixels.flatten(2).flatten(0, 1).long()
    rows = torch.arange(len(flat), device=flat.device)[:, None]
    counts = (flat + 256 * rows).flatten().bincount(minlength=256 * len(flat)).view(-1, 256)
    brightest = counts.gather(1, flat.amax(1, keepdim=True))
    step = (flat.shape[1] - brightest) // 255
    table = ((counts.cumsum(1) - counts + step // 2) // step.clamp(min=1)).clamp(max=255)
    spread = torch.where(step > 0, table.gather(1, flat), flat)
    return spread.view(pixels.shape).to(pixels)


def solarize(pixels: Tensor, strength: float, signs: Tensor) -> Tensor:
    """Invert values from a threshold on, which falls with the strength."""
    return torch.where(pixels >= 255 * (1 - strength), 255 - pixels, pixels)


def posterize(pixels: Tensor, strength: float, signs: Tensor) -> Tensor:
    """Keep the highest 8 to 4 bits of each value."""
    step = 2.0 ** round(4 * strength)
    return (pixels / step).floor() * step


def color(pixels: Tensor, strength: float, signs: Tensor) -> Tensor:
    return _away_from(grey(pixels).round(), pixels, strength, signs)


def contrast(pixels: Tensor, strength: float, signs: Tensor) -> Tensor:
    mean = grey(pixels).round().mean((2, 3), keepdim=True).round()
    return _away_from(mean, pixels, strength, signs)


def brightness(pixels: Tensor, strength: float, signs: Tensor) -> Tensor:
    return _away_from(torch.zeros_like(pixels), pixels, strength, signs)


def sharpness(pixels: Tensor, strength: float, signs: Tensor) -> Tensor:
    """Move away from or towards a smoothed image; the outermost pixels stay."""
    channels = pixels.shape[1]
    kernel = SOFT.to(pixels).expand(channels, 1, 3, 3)
    smooth = pixels.clone()
    smooth[:, :, 1:-1, 1:-1] = F.conv2d(pixels, kernel, groups=channels).round()
    return _away_from(smooth, pixels, strength, signs)


def _away_from(dull: Tensor, pixels: Tensor, strength: float, signs: Tensor) -> Tensor:
    """`dull` + (1 ± 0.9 strength) (`pixels` - `dull`), as Pillow's ImageEnhance."""
    factors = (1 + 0.9 * strength * signs)[:, None, None, None]
    return (dull + factors * (pixels - dull)).clamp(0, 255).floor()


# --- places -------------------------------------------------------------------------------------
# Each output pixel takes the value of one place of the image; outside is black. Places are from -1
# to 1, so the upper left corner, about which the paper shears, is (-1, -1).


def rotate(pixels: Tensor, strength: float, signs: Tensor) -> Tensor:
    """Rotate by up to 30 degrees about the centre; counterclockwise for a positive sign."""
    angles = torch.deg2rad(30 * strength * signs)
    cos, sin = angles.cos(), angles.sin()
    return _moved(pixels, (cos, -sin, 0), (sin, cos, 0))


def shear(pixels: Tensor, strength: float, signs: Tensor, across: bool) -> Tensor:
    """Move rows (`across`) by up to 0.3 of their distance from the top, or columns by as much of
    that from the left."""
    slope = 0.3 * strength * signs
    if across:
        return _moved(pixels, (1, slope, slope), (0, 1, 0))
    return _moved(pixels, (1, 0, 0), (slope, 1, slope))


def translate(pixels: Tensor, strength: float, signs: Tensor, across: bool) -> Tensor:
    """Move by up to 150 / 331 of the side, in whole pixels; to the left (`across`) or upwards for a
    positive sign."""
    side = pixels.shape[3]
    shift = 2 * int(150 / 331 * side * strength) / side * signs
    return _moved(pixels, (1, 0, shift if across else 0), (0, 1, 0 if across else shift))


def _moved(pixels: Tensor, x: tuple[Tensor | float, ...], y: tuple[Tensor | float, ...]) -> Tensor:
    """Sample the pixel at (x, y) from [x · (x, y, 1), y · (x, y, 1)]; factors are [N], or equal for
    all images."""
    places = pixels.new_empty(len(pixels), 6)
    for column, factor in enumerate((*x, *y)):
        places[:, column] = factor
    grid = F.affine_grid(places.view(-1, 2, 3), list(pixels.shape), align_corners=False)
    return F.grid_sample(pixels, grid, mode="nearest", align_corners=False)


CHANGES: dict[str, Callable[[Tensor, float, Tensor], Tensor]] = {
    "identity": lambda pixels, strength, signs: pixels,
    "autocontrast": autocontrast,
    "equalize": equalize,
    "rotate": rotate,
    "solarize": solarize,
    "color": color,
    "posterize": posterize,
    "contrast": contrast,
    "brightness": brightness,
    "sharpness": sharpness,
    "shear-x": partial(shear, across=True),
    "shear-y": partial(shear, across=False),
    "translate-x": partial(translate, across=True),
    "translate-y": partial(translate, across=False),
}
