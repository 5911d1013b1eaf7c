"""SqueezeNet: the accuracy of AlexNet from a fiftieth of its parameters.

Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model
size", 2016: the fire module (section 3.2) and version 1.0 (table 1). Version 1.1, from the
authors' repository, needs 2.4 times less computation at the same accuracy.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eyespot.models.convnet import ConvNet
from eyespot.models.layers import ConvHead, initialise_gaussian, initialise_xavier, named

FIRES = {2: 16, 3: 16, 4: 32, 5: 32, 6: 48, 7: 48, 8: 64, 9: 64}
"""Channels of the squeeze layer, by number of the module; each half of the expand layer has four
times as many."""

POOLS_AFTER = {"squeezenet1_0": (4, 8), "squeezenet1_1": (3, 5)}


class Fire(nn.Module):
    """1 x 1 to few channels, then 1 x 1 and 3 x 3 beside each other: C -> 2 * `expand`."""

    def __init__(self, in_channels: int, squeeze: int, expand: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(in_channels, squeeze, 1)
        self.expand1x1 = nn.Conv2d(squeeze, expand, 1)
        self.expand3x3 = nn.Conv2d(squeeze, expand, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.squeeze(x))
        return F.relu(torch.cat([self.expand1x1(x), self.expand3x3(x)], dim=1))


def build(name: str, num_classes: int, in_channels: int) -> ConvNet:
    """`squeezenet1_0` or `squeezenet1_1`, with random weights."""
    channels, kernel = (96, 7) if name == "squeezenet1_0" else (64, 3)
    conv = nn.Conv2d(in_channels, channels, kernel, stride=2)
    stages: dict[str, nn.Module] = {
        "conv1": named(conv=conv, relu=nn.ReLU(inplace=True)),
        "pool1": nn.MaxPool2d(3, stride=2, ceil_mode=True),
    }
    for number, squeeze in FIRES.items():
        stages[f"fire{number}"] = Fire(channels, squeeze, 4 * squeeze)
        channels = 8 * squeeze
        if number in POOLS_AFTER[name]:
            stages[f"pool{number}"] = nn.MaxPool2d(3, stride=2, ceil_mode=True)
    min_size = 21 if name == "squeezenet1_0" else 17
    network = ConvNet(stages, in_channels, channels, num_classes, ConvHead, min_size=min_size)
    # As in the authors' configuration, to which the paper refers (section 3.3).
    initialise_xavier(network)
    initialise_gaussian(network.head)
    return network


def torchvision_names(name: str) -> dict[str, str]:
    """torchvision's names of layers, which it numbers, and eyespot's."""
    names = {"features.0": "stages.conv1.conv", "classifier.1": "head.conv"}
    theirs = 3
    for number in FIRES:
        names[f"features.{theirs}"] = f"stages.fire{number}"
        theirs += 2 if number in POOLS_AFTER[name] else 1
    return names
