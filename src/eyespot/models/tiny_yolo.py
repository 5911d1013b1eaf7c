"""Tiny YOLOv2 with separable convolutions, a detector of faces.

Redmon and Farhadi, "YOLO9000: Better, Faster, Stronger", CVPR 2017: anchors and the grid of
predictions (section 2). Channels 16 to 512 of Tiny YOLO, each 3 x 3 after the first split in two
as in MobileNet. The first convolution of `tiny_yolo_face` does not pad, as the published weights
expect; that of `tiny_yolo_face_padded` does, and gives maps of 224 x 224 (Touretzky, "Cognitive
Robotics", lecture on convolutional neural nets, 2021).
float32 [N, 3, 224, 224] -> [N, 25, 7, 7]: for each of 5 anchors x, y, w, h and the score.
"""

from functools import partial

from torch import nn

from eyespot.models.convnet import ConvNet
from eyespot.models.layers import MaxPool2dSame, named

CHANNELS = (16, 32, 64, 128, 256, 512)

ANCHORS = (
    (1.603231, 2.094468),
    (6.041143, 7.080126),
    (2.882459, 3.518061),
    (4.266906, 5.178857),
    (9.041765, 10.66308),
)
"""Width and height of the boxes that predictions start from, in cells of the grid."""


def build(name: str, num_classes: int, in_channels: int) -> ConvNet:
    """The detector with `num_classes` numbers per grid cell (25 as published), random weights."""
    stages: dict[str, nn.Module] = {}
    channels, padding = in_channels, 1 if name.endswith("_padded") else 0
    for number, out_channels in enumerate(CHANNELS):
        activation = nn.LeakyReLU(0.1, inplace=True)
        if number == 0:
            first = nn.Conv2d(channels, out_channels, 3, padding=padding)
            conv = named(conv=first, activation=activation)
        else:
            conv = named(
                depthwise=nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False),
                pointwise=nn.Conv2d(channels, out_channels, 1),
                activation=activation,
            )
        stages[f"conv{number}"] = conv
        stages[f"pool{number}"] = MaxPool2dSame(2, 1 if number == len(CHANNELS) - 1 else 2)
        channels = out_channels
    head = partial(nn.Conv2d, kernel_size=1)
    return ConvNet(stages, in_channels, channels, num_classes, head, min_size=3 - 2 * padding)
