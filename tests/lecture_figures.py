"""The figures of docs/course/lectures.md: a function for every row, by the row's first cell."""

from collections.abc import Callable
from pathlib import Path

import torch
from pyarrow.parquet import ParquetFile
from torch import nn

from eyespot.data.idx import read_array
from eyespot.explain.filters import towers
from eyespot.models.anatomy import FLOAT
from eyespot.models.googlenet import INCEPTIONS, AuxiliaryHead
from eyespot.models.tiny_yolo import ANCHORS
from eyespot.weights.imagenet_names import imagenet_classes
from eyespot.weights.zoo import NETWORKS
from tests.lecture_measures import (
    alexnet_order,
    backward,
    connections,
    depth,
    field,
    hinge,
    kinds,
    layers,
    network,
    of,
    only_trained,
    parameters,
    per_square,
    separable,
    share,
    side_after,
    size,
    sizes,
    slope,
    stacked,
    takes,
    top5_error,
    vgg16_numbers,
    weights_of,
)

FIGURES: dict[str, Callable[[], str]] = {
    # Parameters
    "A linear network on digits": lambda: f"{parameters('mnist_linear'):,}",
    "One hidden layer, without batch norm": lambda: (
        f"{sum(x.parameters for x in kinds('mnist_hidden', 'Dense')):,}"
    ),
    "One hidden layer, as its code is": lambda: f"{parameters('mnist_hidden'):,}",
    "One convolution, on digits": lambda: f"{parameters('mnist_conv'):,}",
    "LeNet-5": lambda: (
        f"{parameters('lenet5_1998_rbf'):,} in 1998, {parameters('lenet5'):,} as built today"
    ),
    "AlexNet": lambda: f"{parameters('alexnet_2012'):,}",
    "AlexNet, on another slide": lambda: (
        f"{parameters('alexnet_2012'):,}; its layer fc6 alone has "
        f"{of('alexnet_2012', 'stages.fc6.0').parameters:,}"
    ),
    "AlexNet beside LeNet-5": lambda: (
        f"{parameters('alexnet_2012') / parameters('lenet5_1998_rbf'):,.0f} times"
    ),
    "VGG-16": lambda: f"{parameters('vgg16'):,}",
    "VGG-16, share of the fully connected layers": lambda: share(
        sum(x.parameters for x in kinds("vgg16", "Dense")), parameters("vgg16")
    ),
    "VGG-19": lambda: f"{parameters('vgg19'):,}",
    "GoogLeNet": lambda: (
        f"{parameters('googlenet_2014'):,}, and "
        f"{only_trained('googlenet_2014'):,} more for training"
    ),
    "ResNet-34": lambda: f"{parameters('resnet34'):,}",
    "ResNet-152": lambda: f"{parameters('resnet152'):,}",
    "SqueezeNet": lambda: f"{parameters('squeezenet1_0'):,}",
    "MobileNet": lambda: f"{parameters('mobilenet_v1'):,}",
    "MobileNetV2": lambda: f"{parameters('mobilenet_v2'):,}",
    "TinyYOLOv2 for faces": lambda: f"{parameters('tiny_yolo_face'):,}",
    # Layers
    "32 kernels of 5 x 5 on grey": lambda: f"{weights_of(nn.Conv2d(1, 32, 5)):,}",
    "Their maps of 28 x 28 pixels, padding 1": lambda: size(
        stacked(nn.Conv2d(1, 32, 5, padding=1), shape=(1, 28, 28))[0]
    ),
    "Their connections": lambda: (
        f"{connections(stacked(nn.Conv2d(1, 32, 5, padding=1), shape=(1, 28, 28))):,}"
    ),
    "Connections of the network with one convolution": lambda: (
        " + ".join(f"{connections([x]):,}" for x in kinds("mnist_conv", "Conv", "Dense"))
        + f" = {connections(kinds('mnist_conv', 'Conv', 'Dense')):,}"
    ),
    "Side of the maps at padding 0, 1 and 2": lambda: ", ".join(
        str(side_after(padding, stride=1)) for padding in range(3)
    ),
    "The same with stride 2": lambda: ", ".join(
        str(side_after(padding, stride=2)) for padding in range(3)
    ),
    "Max pooling before the last layer": lambda: sizes(kinds("mnist_conv", "MaxPool")),
    "Weight matrices with 20 hidden units": lambda: ", ".join(
        f"{layer.in_features} x {layer.out_features}"
        for layer in network("mnist_hidden").modules()
        if isinstance(layer, nn.Linear)
    ),
    "6 kernels of 5 x 5 x 3 on 32 x 32 x 3": lambda: size(
        stacked(nn.Conv2d(3, 6, 5), shape=(3, 32, 32))[0]
    ),
    "Their parameters": lambda: f"{weights_of(nn.Conv2d(3, 6, 5)):,}",
    "A linear classifier for CIFAR-10": lambda: (
        f"10 x {weights_of(nn.Linear(3 * 32 * 32, 10)) // 10}"
    ),
    "Numbers in an image of 256 x 256 x 3": lambda: f"{256 * 256 * 3:,}",
    "Images that LeNet-5, VGG and MobileNetV2 take": lambda: ", ".join(
        takes(name) for name in ("lenet5", "vgg16", "mobilenet_v2")
    ),
    "Answers of LeNet-5 and AlexNet": lambda: ", ".join(
        f"{NETWORKS[name].num_classes:,}" for name in ("lenet5", "alexnet_2012")
    ),
    "Features of AlexNet before the last layer": lambda: (
        f"{network('alexnet_2012').num_features:,}, then "
        f"{layers('alexnet_2012')[-1].shape[0]:,} classes"
    ),
    "First kernels of AlexNet": lambda: (
        f"{kinds('alexnet_2012', 'Conv')[0].shape[0]} of "
        f"{kinds('alexnet_2012', 'Conv')[0].kind.split()[1].partition('/')[0]}, "
        f"{kinds('alexnet_2012', 'Conv')[0].shape[0] // towers(network('alexnet_2012'))} a GPU"
    ),
    "Before AlexNet's first pooling": lambda: ", ".join(
        layer.kind for layer in layers("alexnet_2012")[:4]
    ),
    "Overlapping pooling in AlexNet": lambda: ", ".join(
        sorted({layer.kind for layer in kinds("alexnet_2012", "MaxPool")})
    ),
    "A 3 x 3 kernel over 6 maps": lambda: str(weights_of(nn.Conv2d(6, 1, 3, bias=False))),
    "The same, separable": lambda: (
        f"{separable(6)}, or {separable(1)} if the maps shared one 3 x 3"
    ),
    "3 x 3 from 512 maps to 512, whole and separable": lambda: "{:,} and {:,}".format(
        weights_of(nn.Conv2d(512, 512, 3, bias=False)),
        sum(
            layer.parameters
            for layer in kinds("mobilenet_v1", "Conv", "Depthwise")
            if layer.name.startswith("stages.conv8.")
        ),
    ),
    "1 x 1 before the 5 x 5 of GoogLeNet's module 3a": lambda: "{:,} instead of {:,}".format(
        sum(
            layer.macs
            for layer in layers("googlenet_2014")
            if layer.name.startswith("stages.3a.branch3.")
        ),
        stacked(nn.Conv2d(192, INCEPTIONS["3a"][4], 5, padding=2), shape=(192, 28, 28))[0].macs,
    ),
    "Two 3 x 3 after each other see": lambda: field(2),
    "Three 3 x 3 after each other see": lambda: field(3),
    "Weights of three 3 x 3, and of one 7 x 7": lambda: (
        f"{per_square(3, 3)} C² and {per_square(7, 1)} C²"
    ),
    "Weights of two 3 x 3, and of one 5 x 5": lambda: (
        f"{per_square(3, 2)} C² and {per_square(5, 1)} C²"
    ),
    # TinyYOLOv2
    "Sizes after the convolutions": lambda: sizes(kinds("tiny_yolo_face", "Conv")),
    "Sizes after the depthwise ones": lambda: sizes(kinds("tiny_yolo_face", "Depthwise")),
    "Sizes after pooling": lambda: sizes(kinds("tiny_yolo_face", "MaxPool")),
    "Convolutions": lambda: str(len(kinds("tiny_yolo_face", "Conv", "Depthwise"))),
    "Numbers for each place": lambda: (
        f"{layers('tiny_yolo_face')[-1].shape[0]}: {len(ANCHORS)} boxes of "
        f"{layers('tiny_yolo_face')[-1].shape[0] // len(ANCHORS)}"
    ),
    # Depth
    "Layers of LeNet": lambda: (
        f"{depth('lenet5_1998')}, {depth('lenet5')} of them convolutions or fully connected"
    ),
    "Weight layers of LeNet": lambda: (
        f"{depth('lenet5_1998_rbf')} in 1998, {depth('lenet5')} as built today"
    ),
    "Layers of AlexNet": lambda: (
        f"{depth('alexnet_2012')}: {len(kinds('alexnet_2012', 'Conv'))} convolutional, "
        f"{len(kinds('alexnet_2012', 'Dense'))} fully connected"
    ),
    "Their order": alexnet_order,
    "Weight layers of VGG A, A-LRN, B, C, D, E": lambda: ", ".join(
        str(depth(f"vgg{name}")) for name in ("11", "11_lrn", "13", "16_1x1", "16", "19")
    ),
    "The VGG that one lecture draws": lambda: (
        f"{depth('vgg13')}: {len(kinds('vgg13', 'Conv'))} convolutional, "
        f"{len(kinds('vgg13', 'Dense'))} fully connected"
    ),
    "Windows of VGG-16": lambda: ", ".join(
        sorted({layer.kind for layer in kinds("vgg16", "Conv", "MaxPool")})
    ),
    "Maps of VGG-16's stages": lambda: ", ".join(
        str(layer.shape[0]) for layer in kinds("vgg16", "MaxPool")
    ),
    "Layers of GoogLeNet": lambda: str(depth("googlenet_2014")),
    "Layers of Inception V1 (GoogLeNet)": lambda: (
        f"{depth('googlenet_2014')} with weights, "
        f"{depth('googlenet_2014', pooling=True)} with pooling"
    ),
    "Classifiers of GoogLeNet": lambda: str(
        1 + sum(isinstance(m, AuxiliaryHead) for m in network("googlenet_2014").modules())
    ),
    "Layers of ResNet-34": lambda: str(depth("resnet34")),
    "Its maps": lambda: sizes(
        [
            [x for x in layers("resnet34") if x.name.startswith(f"stages.conv{n}.")][-1]
            for n in range(2, 6)
        ]
    ),
    "Its fully connected layers": lambda: (
        f"{len(kinds('resnet34', 'Dense'))}, of "
        f"{sum(x.parameters for x in kinds('resnet34', 'Dense')):,} parameters"
    ),
    "Its dropout": lambda: str(
        sum(isinstance(m, nn.Dropout) and m.p > 0 for m in network("resnet34").modules())
    ),
    "Parameters that shortcuts with zeros save": lambda: (
        f"{parameters('resnet34') - parameters('resnet34_a'):,}"
    ),
    "Layers of ResNet": lambda: ", ".join(
        str(depth(f"resnet{number}")) for number in (18, 34, 50, 101, 152)
    ),
    "Layers of the winner of 2015": lambda: str(depth("resnet152")),
    # Memory
    "Numbers of VGG-16 in a forward pass": lambda: (
        " + ".join(f"{n:,}" for n in vgg16_numbers()) + f" = {sum(vgg16_numbers()):,}"
    ),
    "Their memory": lambda: (
        f"{sum(vgg16_numbers()) * FLOAT / 1e6:.1f} MB ({sum(vgg16_numbers()) * FLOAT / 2**20:.1f} "
        "MiB)"
    ),
    "Share of the first two of five stages": lambda: share(
        sum(vgg16_numbers()[1:3]), sum(vgg16_numbers())
    ),
    # Data
    "Crops of 224 of an image of 256, mirrored": lambda: f"{2 * (256 - 224 + 1) ** 2:,}",
    "Dropout of AlexNet": lambda: ", ".join(
        f"{m.p:.0%}"
        for m in network("alexnet_2012").modules()
        if isinstance(m, nn.Dropout) and m.p > 0
    ),
    "Classes of ImageNet": lambda: f"{len(imagenet_classes()):,}",
    "Breeds of dogs among them": lambda: str(
        imagenet_classes().index("Mexican hairless dog (xoloitzcuintli)")
        - imagenet_classes().index("Chihuahua")
        + 1
    ),
    "Training images of a class": lambda: f"{1_200_000 // len(imagenet_classes()):,} on average",
    "Test images": lambda: f"{100 * len(imagenet_classes()):,}",
    # Training
    "Backpropagation through (x + y) z at -2, 5, -4": backward,
    "First numerical slope": lambda: slope(1.25322),
    "Second numerical slope": lambda: slope(1.25353),
    "Third numerical slope": lambda: slope(1.25347),
    "Updates in an epoch of MNIST": lambda: str(60_000 // 100),
    "First loss on CIFAR-10, softmax": lambda: (
        f"{nn.functional.cross_entropy(torch.zeros(1, 10), torch.tensor([3])).item():.6f}"
    ),
    "Accuracy on 20 images": lambda: f"steps of {1 / 20:.2f}",
    "First losses of random search": lambda: f"{hinge(torch.zeros(10), right=3):.1f}",
    "Hinge loss of the scores 2, 5, -1 if the first is right": lambda: (
        f"{hinge(torch.tensor([2.0, 5.0, -1.0]), right=0):.0f}, and with the plus "
        f"{sum(max(0, score + 2 + 1) for score in (5, -1))}"
    ),
    "Mini-batches between AlexNet's steps": lambda: (
        f"{50_000 * 128 / 1_281_167:.1f} epochs, so {90 * 1_281_167 // (50_000 * 128)} steps in 90"
    ),
    "GoogLeNet's decay of the learning rate": lambda: (
        f"{0.97**8:.2f} after 8 epochs, {0.96:.2f} in the paper"
    ),
    # Errors
    "AlexNet, top-5": lambda: f"{top5_error('alexnet_2012'):.1f}%",
    "VGG-19, top-5": lambda: f"{top5_error('vgg19'):.1f}%",
    "GoogLeNet, top-5": lambda: f"{top5_error('googlenet_2014'):.1f}%",
    "ResNet-152, top-5": lambda: f"{top5_error('resnet152_2015'):.2f}%",
    "AlexNet before the runner-up": lambda: (
        f"{26.2 - 15.3:.1f} points, or {100 * (26.2 - 15.3) / 26.2:.0f}% fewer errors"
    ),
    "A human before GoogLeNet": lambda: f"{6.8 - 5.1:.1f} points",
    "ResNet before a human": lambda: f"{5.1 - 3.57:.2f} points",
    "VGG with response normalisation, top-5": lambda: f"{top5_error('vgg11_lrn'):.1f}%",
    "VGG-19 before VGG-16, top-5": lambda: (
        f"{top5_error('vgg16') - top5_error('vgg19'):.1f} points"
    ),
}

FROM_DATA: dict[str, Callable[[Path], str]] = {
    "Digits of MNIST": lambda data: "{:,} of {} x {}".format(
        *read_array(data / "mnist" / "train-images-idx3-ubyte.gz").shape
    ),
    "CIFAR-10 as matrices": lambda data: ", ".join(
        f"{3 * 32 * 32 + 1} x {rows:,}"
        for rows in (
            ParquetFile(data / "cifar10" / f"{split}.parquet").metadata.num_rows
            for split in ("train", "test")
        )
    ),
}
"""The same, for what must be counted in data that is no part of the repository."""
