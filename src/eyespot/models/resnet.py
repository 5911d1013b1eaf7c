"""ResNet: layers learn what to add to their input, so that a hundred of them can be trained.

He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition", CVPR 2016, table 1. The
bottlenecks of `resnet50` and deeper halve the maps in their 3 x 3 convolution, as torchvision's
weights need it; `resnet50_2015` and its like do so in the first 1 x 1, as the paper does.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from eyespot.models.convnet import ConvNet
from eyespot.models.layers import initialise_he, named

Shortcut = Literal["A", "B", "C", "none"]
"""Section 4.1: A pads new channels with zeros, B projects where the shape changes, C everywhere;
"none" makes a plain network."""
SHORTCUTS: dict[str, Shortcut] = {"a": "A", "c": "C"}

DEPTHS = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}
"""Blocks of conv2 to conv5; of two layers each up to 34, of three from 50 on."""


class Block(nn.Module):
    """F(x) + shortcut(x), then ReLU: [N, C, H, W] -> [N, O, ceil(H / stride), ceil(W / stride)].

    `layers`: input and output channels, kernel and stride of each convolution of F.
    """

    def __init__(self, layers: Sequence[tuple[int, int, int, int]], shortcut: Shortcut) -> None:
        super().__init__()
        in_channels, out_channels = layers[0][0], layers[-1][1]
        stride = max(stride for *_, stride in layers)
        self.plain = shortcut == "none"
        changes = stride != 1 or in_channels != out_channels
        if shortcut == "C" or (shortcut == "B" and changes):
            self.downsample: nn.Module = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride, bias=False),
                nn.BatchNorm2d(out_channels),
            )
        elif shortcut == "A" and changes:
            self.downsample = PadChannels(out_channels - in_channels, stride)
        else:
            self.downsample = nn.Identity()
        self.names = [str(number) for number in range(1, len(layers) + 1)]
        for name, (inputs, outputs, kernel, step) in zip(self.names, layers, strict=True):
            conv = nn.Conv2d(inputs, outputs, kernel, step, padding=kernel // 2, bias=False)
            self.add_module(f"conv{name}", conv)
            self.add_module(f"bn{name}", nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for name in self.names:
            y = self.get_submodule(f"bn{name}")(self.get_submodule(f"conv{name}")(y))
            if name != self.names[-1]:
                y = F.relu(y)
        return F.relu(y if self.plain else y + self.downsample(x))


class PadChannels(nn.Module):
    """Shortcut A: every `stride`-th position, and zeros for the new channels."""

    def __init__(self, new_channels: int, stride: int) -> None:
        super().__init__()
        self.new_channels = new_channels
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.new_channels))


def basic_block(in_channels: int, out_channels: int, stride: int, shortcut: Shortcut) -> Block:
    """Two 3 x 3 convolutions (figure 5, left)."""
    layers = ((in_channels, out_channels, 3, stride), (out_channels, out_channels, 3, 1))
    return Block(layers, shortcut)


def bottleneck(
    in_channels: int, out_channels: int, stride: int, shortcut: Shortcut, stride_in_3x3: bool
) -> Block:
    """1 x 1 to a quarter of the channels, 3 x 3, and 1 x 1 back (figure 5, right)."""
    narrow = out_channels // 4
    first, second = (1, stride) if stride_in_3x3 else (stride, 1)
    layers = (
        (in_channels, narrow, 1, first),
        (narrow, narrow, 3, second),
        (narrow, out_channels, 1, 1),
    )
    return Block(layers, shortcut)


def stack(
    block: Callable[[int, int, int], nn.Module],
    count: int,
    in_channels: int,
    out_channels: int,
    stride: int,
) -> nn.Sequential:
    """`count` blocks, the first of which has `stride` and takes `in_channels`."""
    first = block(in_channels, out_channels, stride)
    return nn.Sequential(first, *(block(out_channels, out_channels, 1) for _ in range(count - 1)))


def build(name: str, num_classes: int, in_channels: int) -> ConvNet:
    """`resnet18` to `resnet152`, with `_a`, `_c` or `_2015` at its end, or `plain18` and `plain34`,
    with random weights."""
    plain = name.startswith("plain")
    depth, _, variant = name.removeprefix("plain" if plain else "resnet").partition("_")
    shortcut = "none" if plain else SHORTCUTS.get(variant, "B")
    wide = int(depth) >= 50
    block = partial(bottleneck, stride_in_3x3=variant != "2015") if wide else basic_block
    stages: dict[str, nn.Module] = {
        "conv1": named(
            conv=nn.Conv2d(in_channels, 64, 7, stride=2, padding=3, bias=False),
            bn=nn.BatchNorm2d(64),
            relu=nn.ReLU(inplace=True),
        ),
        "pool1": nn.MaxPool2d(3, stride=2, padding=1),
    }
    channels = 64
    for number, count in enumerate(DEPTHS[int(depth)], start=2):
        out_channels = 64 * 2 ** (number - 2) * (4 if wide else 1)
        stride = 2 if number > 2 else 1
        make = partial(block, shortcut=shortcut)
        stages[f"conv{number}"] = stack(make, count, channels, out_channels, stride)
        channels = out_channels
    return initialise_he(ConvNet(stages, in_channels, channels, num_classes))


def torchvision_names(name: str) -> dict[str, str]:
    """torchvision's names of layers, and eyespot's; those within blocks are the same."""
    return {
        "conv1": "stages.conv1.conv",
        "bn1": "stages.conv1.bn",
        **{f"layer{number}": f"stages.conv{number + 1}" for number in range(1, 5)},
        "fc": "head.linear",
    }
