"""MobileNet: depthwise separable convolutions.

Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision
Applications", 2017: depthwise separable convolution (section 3.1), table 1, width and resolution
multipliers (3.3, 3.4). Padding, batch norm's epsilon, ReLU6 and dropout are those of the
authors' TensorFlow-Slim code, whose weights fit here.
"""

from functools import partial

from torch import nn

from eyespot.models.convnet import ConvNet
from eyespot.models.layers import ConvNorm, LinearHead, initialise_he, named

BLOCKS = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *((512, 1),) * 5,
    (1024, 2),
    (1024, 1),
)
"""Channels and stride of the separable convolutions of table 1."""


def build(name: str, num_classes: int, in_channels: int) -> ConvNet:
    """`mobilenet_v1`, or `mobilenet_v1_WIDTH_SIZE`, with random weights.

    The size, by the resolution multiplier, is that of the images; the layers are the same.
    """
    width = 1.0 if name == "mobilenet_v1" else float(name.split("_")[2])
    channels = int(32 * width)
    conv = partial(ConvNorm, same=True)
    stages: dict[str, nn.Module] = {"conv0": conv(in_channels, channels, 3, stride=2)}
    for number, (wanted, stride) in enumerate(BLOCKS, start=1):
        out_channels = int(wanted * width)
        stages[f"conv{number}"] = named(
            depthwise=conv(channels, channels, 3, stride, groups=channels),
            pointwise=conv(channels, out_channels),
        )
        channels = out_channels
    head = partial(LinearHead, dropout=0.001)
    return initialise_he(ConvNet(stages, in_channels, channels, num_classes, head))
