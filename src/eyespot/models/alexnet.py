"""AlexNet, the network that won ILSVRC 2012.

Krizhevsky, Sutskever and Hinton, "ImageNet Classification with Deep Convolutional Neural
Networks", NIPS 2012: two towers on two GPUs (section 3.5, figure 2).
Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014: one tower,
fewer channels, no response normalisation; the form whose weights torchvision publishes.
"""

from torch import nn

from eyespot.models.convnet import ConvNet
from eyespot.models.layers import Dense, initialise_gaussian

BIASED = ("conv2", "conv4", "conv5", "fc6", "fc7")
"""Layers whose biases begin at 1, so that their ReLUs get positive inputs (section 5)."""


def build(name: str, num_classes: int, in_channels: int) -> ConvNet:
    """`alexnet_2012` (two towers) or `alexnet` (one tower), with random weights."""
    if name == "alexnet":
        return ConvNet(one_tower(in_channels), in_channels, 4096, num_classes, min_size=63)
    stages = two_towers(in_channels)
    network = ConvNet(stages, in_channels, 4096, num_classes, min_size=224, fixed_size=True)
    initialise_gaussian(network)
    for layer in BIASED:
        nn.init.ones_(network.get_parameter(f"stages.{layer}.0.bias"))
    return network


def two_towers(in_channels: int) -> dict[str, nn.Module]:
    """Section 3. Convolutions 2, 4 and 5 see only the maps on their own GPU: two groups."""
    return {
        "conv1": conv(in_channels, 96, 11, stride=4, padding=2),
        "pool1": nn.Sequential(response_norm(), overlapping_pool()),
        "conv2": conv(96, 256, 5, padding=2, groups=2),
        "pool2": nn.Sequential(response_norm(), overlapping_pool()),
        "conv3": conv(256, 384, 3, padding=1),
        "conv4": conv(384, 384, 3, padding=1, groups=2),
        "conv5": conv(384, 256, 3, padding=1, groups=2),
        "pool5": overlapping_pool(),
        "fc6": dense(256 * 6 * 6),
        "fc7": dense(4096),
    }


def one_tower(in_channels: int) -> dict[str, nn.Module]:
    return {
        "conv1": conv(in_channels, 64, 11, stride=4, padding=2),
        "pool1": overlapping_pool(),
        "conv2": conv(64, 192, 5, padding=2),
        "pool2": overlapping_pool(),
        "conv3": conv(192, 384, 3, padding=1),
        "conv4": conv(384, 256, 3, padding=1),
        "conv5": conv(256, 256, 3, padding=1),
        "pool5": nn.Sequential(overlapping_pool(), nn.AdaptiveAvgPool2d(6)),
        **{  # torchvision's drop the inputs of these layers, not the outputs
            name: nn.Sequential(nn.Dropout(0.5), Dense(inputs, 4096), nn.ReLU(inplace=True))
            for name, inputs in (("fc6", 256 * 6 * 6), ("fc7", 4096))
        },
    }


def dense(inputs: int) -> nn.Sequential:
    """A hidden layer of 4096, whose outputs drop out by half (section 4.2)."""
    return nn.Sequential(Dense(inputs, 4096), nn.ReLU(inplace=True), nn.Dropout(0.5))


def conv(
    in_channels: int,
    out_channels: int,
    kernel: int,
    stride: int = 1,
    padding: int = 0,
    groups: int = 1,
) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel, stride, padding, groups=groups),
        nn.ReLU(inplace=True),
    )


def overlapping_pool() -> nn.MaxPool2d:
    """Windows of 3 a step of 2 apart (section 3.4)."""
    return nn.MaxPool2d(3, stride=2)


def response_norm() -> nn.LocalResponseNorm:
    """Section 3.3: k = 2, n = 5, alpha = 1e-4, beta = 0.75. torch divides alpha by n."""
    return nn.LocalResponseNorm(size=5, alpha=5 * 1e-4, beta=0.75, k=2.0)


def torchvision_names(name: str) -> dict[str, str]:
    """torchvision's names of the one tower's layers, and eyespot's."""
    return {
        "features.0": "stages.conv1.0",
        "features.3": "stages.conv2.0",
        "features.6": "stages.conv3.0",
        "features.8": "stages.conv4.0",
        "features.10": "stages.conv5.0",
        "classifier.1": "stages.fc6.1",
        "classifier.4": "stages.fc7.1",
        "classifier.6": "head.linear",
    }
