"""Three networks for MNIST's digits, each a step further: linear, one hidden layer, convolution.

After the lecture on convolutional nets of "Cognitive Robotics" (Touretzky). float32
[N, 1, 28, 28] -> logits [N, 10]; 7,850, 15,950 and 63,626 parameters.
"""

from torch import nn

from eyespot.models.convnet import ConvNet
from eyespot.models.layers import Dense

SIDE = 28


def build(name: str, num_classes: int, in_channels: int) -> ConvNet:
    """`mnist_linear`, `mnist_hidden` or `mnist_conv`, with random weights."""
    families = {"mnist_linear": linear, "mnist_hidden": hidden, "mnist_conv": conv}
    stages, num_features = families[name](in_channels)
    return ConvNet(stages, in_channels, num_features, num_classes, min_size=SIDE, fixed_size=True)


def linear(in_channels: int) -> tuple[dict[str, nn.Module], int]:
    """Multinomial logistic regression on the pixels."""
    pixels = in_channels * SIDE * SIDE
    return {"pixels": flat(pixels)}, pixels


def hidden(in_channels: int, units: int = 20) -> tuple[dict[str, nn.Module], int]:
    pixels = in_channels * SIDE * SIDE
    return {
        "hidden": nn.Sequential(Dense(pixels, units), nn.BatchNorm2d(units), nn.ReLU(inplace=True))
    }, units


def conv(in_channels: int, kernels: int = 32) -> tuple[dict[str, nn.Module], int]:
    positions = (SIDE // 2) ** 2
    return {
        "conv": nn.Sequential(
            nn.Conv2d(in_channels, kernels, 5, padding=2),
            nn.BatchNorm2d(kernels),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
        ),
        "flat": flat(kernels * positions),
    }, kernels * positions


def flat(numbers: int) -> nn.Sequential:
    """All of [N, C, H, W] as maps of one pixel [N, C * H * W, 1, 1]."""
    return nn.Sequential(nn.Flatten(), nn.Unflatten(1, (numbers, 1, 1)))
