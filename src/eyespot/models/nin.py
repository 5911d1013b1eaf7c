"""Network in Network: a small network at every position, and no fully connected layer.

Lin, Chen and Yan, "Network In Network", ICLR 2014: `mlpconv` layers (section 3.1) and global
average pooling (3.2). The paper gives no channels; those here are the authors' own, from the
models that they published for CIFAR-10 (cuda-convnet) and ImageNet (Caffe).
"""

from functools import partial

from torch import nn

from eyespot.models.convnet import ConvNet
from eyespot.models.layers import ConvHead, initialise_he


def build(name: str, num_classes: int, in_channels: int) -> ConvNet:
    """`nin_imagenet` or `nin_cifar10`, with random weights."""
    stages, num_features = (imagenet if name == "nin_imagenet" else cifar10)(in_channels)
    head, min_size = partial(ConvHead, dropout=0.0), 39 if name == "nin_imagenet" else 4
    return initialise_he(
        ConvNet(stages, in_channels, num_features, num_classes, head, min_size=min_size)
    )


def imagenet(in_channels: int) -> tuple[dict[str, nn.Module], int]:
    return {
        "block1": mlpconv(in_channels, 96, 96, 96, kernel=11, stride=4),
        "pool1": nn.MaxPool2d(3, stride=2, ceil_mode=True),
        "block2": mlpconv(96, 256, 256, 256, kernel=5, padding=2),
        "pool2": nn.MaxPool2d(3, stride=2, ceil_mode=True),
        "block3": mlpconv(256, 384, 384, 384, kernel=3, padding=1),
        "pool3": nn.Sequential(nn.MaxPool2d(3, stride=2, ceil_mode=True), nn.Dropout(0.5)),
        "block4": mlpconv(384, 1024, 1024, kernel=3, padding=1),
    }, 1024


def cifar10(in_channels: int) -> tuple[dict[str, nn.Module], int]:
    return {
        "block1": mlpconv(in_channels, 192, 160, 96, kernel=5, padding=2),
        "pool1": nn.Sequential(nn.MaxPool2d(3, stride=2, ceil_mode=True), nn.Dropout(0.5)),
        "block2": mlpconv(96, 192, 192, 192, kernel=5, padding=2),
        "pool2": nn.Sequential(nn.AvgPool2d(3, stride=2, ceil_mode=True), nn.Dropout(0.5)),
        "block3": mlpconv(192, 192, 192, kernel=3, padding=1),
    }, 192


def mlpconv(
    in_channels: int, *channels: int, kernel: int, stride: int = 1, padding: int = 0
) -> nn.Sequential:
    """A convolution, then a 1 x 1 convolution for each further number of channels, all ReLU."""
    block = nn.Sequential()
    for index, out_channels in enumerate(channels):
        first = (kernel, stride, padding) if index == 0 else (1, 1, 0)
        block.append(nn.Conv2d(in_channels, out_channels, *first))
        block.append(nn.ReLU(inplace=True))
        in_channels = out_channels
    return block
