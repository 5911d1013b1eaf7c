"""What a network's first layer looks for: its kernels as pictures.

Krizhevsky, Sutskever and Hinton, "ImageNet Classification with Deep Convolutional Neural
Networks", NIPS 2012, figure 3, shows those of AlexNet.
"""

from math import isqrt

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from eyespot.errors import UsageError
from eyespot.explain.sheet import WIDTH, grid, page
from eyespot.models.convnet import ConvNet


def filters(network: ConvNet) -> NDArray[np.uint8]:
    """The first layer's kernels, uint8 RGB [N, h, w, 3], in colour if they see colours.

    Each is scaled by its own greatest weight: middle grey is zero, brighter is positive. If the
    first layer is fully connected, a unit's weights are as large as the picture it looks at.
    Raises UsageError if the kernels see neither one channel nor three.
    """
    layer = next(m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear))
    weight = layer.weight.detach().cpu().float()
    if isinstance(layer, nn.Linear):
        side = isqrt(layer.in_features // network.in_channels)
        weight = weight.reshape(-1, network.in_channels, side, side)
    if weight.shape[1] not in (1, 3):
        raise UsageError(
            f"Kernels over 1 channel (grey) or 3 (colours) can be drawn, and these see "
            f"{weight.shape[1]}. Choose another network."
        )
    kernels = weight.permute(0, 2, 3, 1).numpy()
    greatest = np.abs(kernels).max((1, 2, 3), keepdims=True)
    scaled = kernels / np.where(greatest > 0, greatest, 1)
    pictures = np.round(127.5 + 127.5 * scaled).astype(np.uint8)
    return pictures.repeat(3 // pictures.shape[3], axis=3)


def towers(network: ConvNet) -> int:
    """Into how many parts the first layer's maps go that do not see each other: 2 for AlexNet's
    two GPUs. A depthwise layer behind the first, which parts all of them, does not count."""
    convolutions = (m for m in network.modules() if isinstance(m, nn.Conv2d))
    next(convolutions, None)
    second = next(convolutions, None)
    return second.groups if second and second.groups < second.in_channels else 1


def draw_filters(network: ConvNet, name: str) -> Image.Image:
    """A page with all kernels of the first layer of `network`, which is called `name`."""
    kernels = filters(network)
    count, height, width = kernels.shape[:3]
    parts = np.split(kernels, towers(network))
    title = f"{name}: what its first layer looks for"
    size = f"of {height} x {width} pixels"
    if len(parts) == 1:
        return page(title, [(f"{count} kernels {size}", grid(kernels))])
    panels = [
        (f"tower {number}: {len(part)} kernels {size}", grid(part, WIDTH // len(parts)))
        for number, part in enumerate(parts, start=1)
    ]
    return page(title, panels)
