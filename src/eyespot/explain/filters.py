"""First-layer filters: the kernels of a network's first layer as images.

Krizhevsky, Sutskever and Hinton, "ImageNet Classification with Deep Convolutional Neural
Networks", NIPS 2012, figure 3, shows the filters of AlexNet.
"""

from math import isqrt

import numpy as np
from PIL import Image
from torch import nn

from eyespot.arrays import U8
from eyespot.errors import UsageError
from eyespot.explain.sheet import WIDTH, grid, page
from eyespot.models.convnet import ConvNet


def filters(network: ConvNet) -> U8:
    """The first layer's kernels, uint8 RGB [N, h, w, 3], in colour for three input channels.

    Each is scaled by its largest absolute weight: middle grey is zero, brighter is positive. If
    the first layer is fully connected, the weights of a unit have the size of the input image.
    Raises UsageError for other than one or three input channels.
    """
    layer = next(m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear))
    weight = layer.weight.detach().cpu().float()
    if isinstance(layer, nn.Linear):
        side = isqrt(layer.in_features // network.in_channels)
        weight = weight.reshape(-1, network.in_channels, side, side)
    if weight.shape[1] not in (1, 3):
        raise UsageError(
            "Filters can be drawn for 1 input channel (grey) or 3 (RGB); this network has "
            f"{weight.shape[1]}. Choose another network."
        )
    kernels = weight.permute(0, 2, 3, 1).numpy()
    greatest = np.abs(kernels).max((1, 2, 3), keepdims=True)
    scaled = kernels / np.where(greatest > 0, greatest, 1)
    images = np.round(127.5 + 127.5 * scaled).astype(np.uint8)
    return images.repeat(3 // images.shape[3], axis=3)


def towers(network: ConvNet) -> int:
    """The number of separate towers after the first layer: 2 for AlexNet on two GPUs.

    A depthwise second layer, which separates all channels, does not count."""
    convolutions = (m for m in network.modules() if isinstance(m, nn.Conv2d))
    next(convolutions, None)
    second = next(convolutions, None)
    return second.groups if second and second.groups < second.in_channels else 1


def draw_filters(network: ConvNet, name: str) -> Image.Image:
    """A page with all first-layer filters of `network`. `name`: for the title."""
    kernels = filters(network)
    count, height, width = kernels.shape[:3]
    parts = np.split(kernels, towers(network))
    title = f"{name}: first-layer filters"
    size = f"of {height} x {width} pixels"
    if len(parts) == 1:
        return page(title, [(f"{count} filters {size}", grid(kernels))])
    panels = [
        (f"tower {number}: {len(part)} filters {size}", grid(part, WIDTH // len(parts)))
        for number, part in enumerate(parts, start=1)
    ]
    return page(title, panels)
