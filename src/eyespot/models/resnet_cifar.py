"""The small ResNets for CIFAR-10, and their twins without shortcuts.

He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition", CVPR 2016, section 4.2:
6n + 2 layers, three stages of n blocks with 16, 32 and 64 maps, shortcut A.
"""

from functools import partial

from torch import nn

from eyespot.models.convnet import ConvNet
from eyespot.models.layers import initialise_he, named
from eyespot.models.resnet import Shortcut, basic_block, stack


def build(name: str, num_classes: int, in_channels: int) -> ConvNet:
    """`resnet20` to `resnet110`, or `plain20` to `plain110`, with random weights."""
    plain = name.startswith("plain")
    shortcut: Shortcut = "none" if plain else "A"
    depth = int(name.removeprefix("plain" if plain else "resnet"))
    block = partial(basic_block, shortcut=shortcut)
    stages: dict[str, nn.Module] = {
        "conv1": named(
            conv=nn.Conv2d(in_channels, 16, 3, padding=1, bias=False),
            bn=nn.BatchNorm2d(16),
            relu=nn.ReLU(inplace=True),
        )
    }
    channels = 16
    for number, out_channels in enumerate((16, 32, 64), start=1):
        stride = 2 if number > 1 else 1
        stages[f"stage{number}"] = stack(block, (depth - 2) // 6, channels, out_channels, stride)
        channels = out_channels
    return initialise_he(ConvNet(stages, in_channels, channels, num_classes))
