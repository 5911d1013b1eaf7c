"""Random augmentation of whole batches of images.

All random numbers come from torch's own generator, which `batches.py` seeds for every step, so that
a resumed run gets the same images as an uninterrupted one.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from eyespot.errors import UsageError
from eyespot.training.randaugment import GREY, STRONGEST, grey, randaugment

LIGHT = torch.tensor(
    [[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]]
)
LIGHT_VALUES = torch.tensor([0.2175, 0.0188, 0.0045])
"""Principal directions and deviations of ImageNet's colours, for pixels of 0..1 (Krizhevsky et al.
2012, section 4.1, computed for torchvision's and Facebook's ResNets)."""


def random_crops(images: Tensor, side: int, margin: int) -> Tensor:
    """A random window of `side` for each image, after `margin` pixels of zeros around it.

    uint8 or float [N, C, H, W] -> the same, [N, C, side, side].
    """
    if margin:
        images = F.pad(images, (margin,) * 4)
    count, _, height, width = images.shape
    tops = torch.randint(height - side + 1, (count,))
    lefts = torch.randint(width - side + 1, (count,))
    rows = (tops[:, None] + torch.arange(side)).to(images.device)
    columns = (lefts[:, None] + torch.arange(side)).to(images.device)
    image = torch.arange(count, device=images.device)
    # [N, side, side, C]: the indexed axes come first, the channels stay.
    windows = images.permute(0, 2, 3, 1)[image[:, None, None], rows[:, :, None], columns[:, None]]
    return windows.permute(0, 3, 1, 2)


def random_mirrors(images: Tensor) -> Tensor:
    """Mirror a random half of the images left to right."""
    chosen = (torch.rand(len(images)) < 0.5).to(images.device)
    return torch.where(chosen[:, None, None, None], images.flip(3), images)


def random_light(pixels: Tensor, strength: float = 0.1) -> Tensor:
    """Shift each image's colour along the directions in which ImageNet's colours vary.

    float [N, 3, H, W], 0..255. Raises UsageError for grey images.
    """
    if pixels.shape[1] != 3:
        raise UsageError("light changes colours, but these images are grey. Choose crops.")
    shift = 255 * strength * (torch.randn(len(pixels), 3) * LIGHT_VALUES) @ LIGHT.T
    return pixels + shift.to(pixels.device)[:, :, None, None]


def random_colour(
    pixels: Tensor,
    brightness: float = 0.4,
    contrast: float = 0.4,
    saturation: float = 0.4,
    hue: float = 0.1,
) -> Tensor:
    """Colour jitter: multiply each image's brightness, contrast and saturation by 1 ± the given
    limits, and rotate its hue by ± the given share of a circle (Howard, "Some Improvements on Deep
    Convolutional Neural Network Based Image Classification", 2013, section 2.2, without hue).

    float [N, C, H, W], 0..255. Grey images have neither saturation nor hue. Hues rotate about the
    axis of greys (Haeberli, "Matrix Operations for Image Processing", 1993), so that one product of
    matrices does everything: twenty times as fast as converting to hue, saturation and value.
    """
    count, channels = pixels.shape[:2]
    spans = torch.tensor([brightness, contrast, saturation, hue])
    drawn = ((2 * torch.rand(count, 4) - 1) * spans).to(pixels.device)
    bright, strong, colourful = (1 + drawn[:, :3, None, None]).unbind(1)
    turn = bright * strong * torch.eye(channels, device=pixels.device)
    if channels == 3:
        angle = 2 * torch.pi * drawn[:, 3, None, None]
        circle = torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]], device=pixels.device)
        whole = torch.eye(3, device=pixels.device)
        turned = angle.cos() * whole + (1 - angle.cos()) / 3 + angle.sin() / 3**0.5 * circle
        dull = GREY.to(pixels).expand(3, 3)
        turn = turn @ turned @ (colourful * whole + (1 - colourful) * dull)
    mean = bright[..., None] * (1 - strong[..., None]) * grey(pixels).mean((2, 3), keepdim=True)
    changed = (turn @ pixels.flatten(2)).view(pixels.shape) + mean
    return changed.clamp(0, 255)


def random_erasing(pixels: Tensor, share: float = 0.25) -> Tensor:
    """Fill a square of up to half the side with the image's mean, in a `share` of the images
    (Zhong et al., "Random Erasing Data Augmentation", AAAI 2020)."""
    count, _, height, width = pixels.shape
    side = (torch.rand(count) * min(height, width) / 2).ceil() * (torch.rand(count) < share)
    top, left = torch.rand(count) * (height - side), torch.rand(count) * (width - side)
    rows, columns = torch.arange(height)[None], torch.arange(width)[None]
    inside_rows = (rows >= top[:, None]) & (rows < (top + side)[:, None])
    inside_columns = (columns >= left[:, None]) & (columns < (left + side)[:, None])
    hole = (inside_rows[:, :, None] & inside_columns[:, None]).to(pixels.device)[:, None]
    return torch.where(hole, pixels.mean((2, 3), keepdim=True), pixels)


def mixup(pixels: Tensor, targets: Tensor, alpha: float) -> tuple[Tensor, Tensor]:
    """Blend every image with another, and their targets likewise (Zhang et al., ICLR 2018, section
    2)."""
    share = float(torch.distributions.Beta(alpha, alpha).sample())
    other = torch.randperm(len(pixels)).to(pixels.device)
    return (
        share * pixels + (1 - share) * pixels[other],
        share * targets + (1 - share) * targets[other],
    )


def cutmix(pixels: Tensor, targets: Tensor, alpha: float) -> tuple[Tensor, Tensor]:
    """Paste a window of another image into every image; targets by area (Yun et al., ICCV 2019,
    section 3.1)."""
    height, width = pixels.shape[2:]
    side = (1 - float(torch.distributions.Beta(alpha, alpha).sample())) ** 0.5
    row, column = int(torch.randint(height, ())), int(torch.randint(width, ()))
    half_rows, half_columns = int(height * side / 2), int(width * side / 2)
    rows = slice(max(0, row - half_rows), min(height, row + half_rows))
    columns = slice(max(0, column - half_columns), min(width, column + half_columns))
    other = torch.randperm(len(pixels)).to(pixels.device)
    pasted = pixels.clone()
    pasted[:, :, rows, columns] = pixels[other][:, :, rows, columns]
    share = (rows.stop - rows.start) * (columns.stop - columns.start) / (height * width)
    return pasted, (1 - share) * targets + share * targets[other]


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Augmentation of a batch. `stored`: side of the stored images, for a network's `side`.
    `margin`: zeros around images before cropping; None for no crops. `more`: further changes of
    float pixels."""

    stored: Callable[[int], int]
    margin: int | None
    mirrors: bool
    more: tuple[Callable[[Tensor], Tensor], ...] = ()

    def __call__(self, images: Tensor, side: int) -> Tensor:
        """uint8 [N, C, S, S] -> float32 [N, C, side, side], 0..255."""
        if self.margin is not None:
            images = random_crops(images, side, self.margin)
        if self.mirrors:
            images = random_mirrors(images)
        pixels = images.float()
        for change in self.more:
            pixels = change(pixels)
        return pixels


def _larger(side: int) -> int:
    """256 for 224, as AlexNet's crops need it."""
    return round(side * 256 / 224)


AUGMENTATIONS = {
    "none": Augmentation(lambda side: side, None, False),
    "shift": Augmentation(lambda side: side, 2, False),
    "small": Augmentation(lambda side: side, 4, True),
    "small-erasing": Augmentation(lambda side: side, 4, True, (random_erasing,)),
    "windows": Augmentation(_larger, 0, False),
    "crops": Augmentation(_larger, 0, True),
    "alexnet": Augmentation(_larger, 0, True, (random_light,)),
}
"""`shift` is for digits, `small` for images of 32 pixels (He et al. 2016, section 4.2), `crops`
and `alexnet` for photos (Krizhevsky et al. 2012, section 4.1), `windows` for photos that must not
be mirrored."""

CHANGES: dict[str, Callable[[Tensor], Tensor]] = {
    "light": random_light,
    "colour": random_colour,
    "randaugment": randaugment,
    "erasing": random_erasing,
}
"""Changes that can be added to each of AUGMENTATIONS."""


def find_augmentation(name: str) -> Augmentation:
    """One of AUGMENTATIONS with any of CHANGES, in their order, such as "crops+colour+erasing".

    "randaugment-3-15" makes 3 changes of magnitude 15 instead of 2 of 9.

    Raises UsageError for an unknown name.
    """
    first, *added = name.split("+")
    if first not in AUGMENTATIONS:
        raise UsageError(_unknown(first))
    whole = AUGMENTATIONS[first]
    return replace(whole, more=whole.more + tuple(map(_find_change, added)))


def _find_change(name: str) -> Callable[[Tensor], Tensor]:
    if name in CHANGES:
        return CHANGES[name]
    numbers = re.fullmatch(r"randaugment-([1-9])-(\d+)", name)
    if numbers is None:
        raise UsageError(_unknown(f"+{name}"))
    changes, magnitude = map(int, numbers.groups())
    if magnitude > STRONGEST:
        raise UsageError(f"The magnitude in '{name}' must be at most {STRONGEST}.")
    return partial(randaugment, changes=changes, magnitude=magnitude)


def _unknown(name: str) -> str:
    added = ", ".join(f"+{change}" for change in CHANGES)
    return (
        f"There is no augmentation '{name}'. Choose one of: {', '.join(AUGMENTATIONS)}; and add "
        f"any of: {added}. An example: crops+colour+erasing"
    )
