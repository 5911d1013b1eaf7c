"""VGG: depth from nothing but 3 x 3 convolutions.

Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition",
ICLR 2015, table 1. Batch norm between convolution and ReLU came later (torchvision's `_bn`).
"""

from torch import nn

from eyespot.models.alexnet import dense, response_norm
from eyespot.models.convnet import ConvNet
from eyespot.models.layers import initialise_he, initialise_xavier

CHANNELS = (64, 128, 256, 512, 512)

CONFIGURATIONS = {
    "vgg11": ((3,), (3,), (3, 3), (3, 3), (3, 3)),
    "vgg11_lrn": ((3,), (3,), (3, 3), (3, 3), (3, 3)),
    "vgg13": ((3, 3), (3, 3), (3, 3), (3, 3), (3, 3)),
    "vgg16_1x1": ((3, 3), (3, 3), (3, 3, 1), (3, 3, 1), (3, 3, 1)),
    "vgg16": ((3, 3), (3, 3), (3, 3, 3), (3, 3, 3), (3, 3, 3)),
    "vgg19": ((3, 3), (3, 3), (3, 3, 3, 3), (3, 3, 3, 3), (3, 3, 3, 3)),
}
"""Kernel sizes of each stage: columns A, A-LRN, B, C, D and E of table 1."""


def build(name: str, num_classes: int, in_channels: int) -> ConvNet:
    """A configuration by name, with `_bn` at its end for batch norm; with random weights."""
    plain = name.removesuffix("_bn")
    stages: dict[str, nn.Module] = {}
    channels = in_channels
    for number, kernels in enumerate(CONFIGURATIONS[plain], start=1):
        stage = nn.Sequential()
        for kernel in kernels:
            stage.append(nn.Conv2d(channels, CHANNELS[number - 1], kernel, padding=kernel // 2))
            channels = CHANNELS[number - 1]
            if name.endswith("_bn"):
                stage.append(nn.BatchNorm2d(channels))
            stage.append(nn.ReLU(inplace=True))
        if name == "vgg11_lrn" and number == 1:
            stage.append(response_norm())
        stages[f"stage{number}"] = stage.append(nn.MaxPool2d(2))
    stages["pool"] = nn.AdaptiveAvgPool2d(7)  # nothing at 224 pixels, any other size fits too
    for layer, inputs in (("fc6", 512 * 7 * 7), ("fc7", 4096)):
        stages[layer] = dense(inputs)
    network = ConvNet(stages, in_channels, 4096, num_classes, min_size=32)
    # The paper: Glorot's makes it needless to train a shallow VGG first (section 3.1).
    return (initialise_he if name.endswith("_bn") else initialise_xavier)(network)


def torchvision_names(name: str) -> dict[str, str]:
    """torchvision's names of layers, which it numbers through all stages, and eyespot's."""
    names = {"classifier.0": "stages.fc6.0", "classifier.3": "stages.fc7.0"}
    names["classifier.6"] = "head.linear"
    theirs = 0
    layers = 3 if name.endswith("_bn") else 2
    for number, kernels in enumerate(CONFIGURATIONS[name.removesuffix("_bn")], start=1):
        for ours in range(layers * len(kernels) + 1):
            names[f"features.{theirs}"] = f"stages.stage{number}.{ours}"
            theirs += 1
    return names
