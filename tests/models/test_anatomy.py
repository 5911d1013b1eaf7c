"""The facts of networks agree with papers, torchvision, arithmetic and gradients."""

import json
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from eyespot.errors import UsageError
from eyespot.models.anatomy import anatomy, dissect, totals
from eyespot.models.facts import FILE, Layer
from eyespot.models.layers import Conv2dSame, GlobalAveragePool
from eyespot.weights import zoo
from eyespot.weights.zoo import facts_of
from tests.lecture_measures import depth

FAMILIES = list({network.module: name for name, network in zoo.NETWORKS.items()}.values())
"""One network of each file."""
OTHERS = [name for name in zoo.NETWORKS if name not in FAMILIES]
NETWORKS = [*FAMILIES, *(pytest.param(name, marks=pytest.mark.slow) for name in OTHERS)]


class Branches(nn.Module):
    """Two ways from a picture, side by side, and a third added to them."""

    def __init__(self) -> None:
        super().__init__()
        self.narrow = nn.Conv2d(1, 2, 3, padding=1)
        self.wide = nn.Sequential(nn.Conv2d(1, 1, 5, padding=2), nn.Conv2d(1, 2, 3, padding=1))
        self.straight = nn.Conv2d(1, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = torch.cat([self.narrow(x), self.wide(x)], 1) + self.straight(x)
        return out


class Functional(nn.Module):
    """Nothing here but convolution is a module."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3, stride=2)
        self.last = nn.Conv2d(8, 1, 3, dilation=2)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv(F.pad(x, (1, 2, 1, 2))))
        x = F.local_response_norm(F.max_pool2d(x, 3, 1), 5)
        out: Tensor = self.last(F.avg_pool2d(x, 2))
        return out


def strict(network: nn.Module) -> nn.Module:
    """The network as averages of what each position sees, so that no gradient is lost."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.constant_(module.weight, 1 / module.weight[0].numel())
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()
    return network.double().eval()


def seen(output: Callable[[Tensor], Tensor], channels: int, side: int) -> int:
    """Height of the part of a picture on which the middle position of a map depends."""
    picture = torch.full((1, channels, side, side), 0.01, dtype=torch.float64, requires_grad=True)
    maps = output(picture)
    middle = maps.shape[2] // 2
    (gradient,) = torch.autograd.grad(maps[0, :, middle, middle].sum(), picture)
    rows = gradient.abs().sum((0, 1, 3)).nonzero().flatten()
    assert rows[0] > 0
    assert rows[-1] < side - 1  # or the edge has cut it
    return int(rows[-1] - rows[0]) + 1


@pytest.fixture
def averages_for_maxima(monkeypatch: pytest.MonkeyPatch) -> None:
    """A maximum has the gradient of one position only; a mean, of all the same window's."""

    def mean(
        x: Tensor, kernel: int, stride: int, padding: int = 0, *_: int, **more: bool
    ) -> Tensor:
        ceil = more.get("ceil_mode", False)
        return F.avg_pool2d(x, kernel, stride, padding, ceil_mode=ceil)

    monkeypatch.setattr(F, "max_pool2d", mean)


@pytest.mark.usefixtures("averages_for_maxima")
@pytest.mark.parametrize(
    "network",
    [
        nn.Conv2d(1, 1, 3, dilation=3),
        nn.Sequential(nn.Conv2d(1, 2, 5, stride=3), nn.AvgPool2d(2), nn.Conv2d(2, 1, 3)),
        nn.Sequential(nn.Conv2d(1, 1, 3, stride=2), nn.MaxPool2d(3, 2), nn.BatchNorm2d(1)),
        nn.Sequential(Conv2dSame(1, 3, 3, 2), nn.ReLU6(), Conv2dSame(3, 1, 5, 2)),
        nn.Sequential(Branches(), nn.Conv2d(4, 1, 3, 2), nn.Conv2d(1, 1, 3)),
        Functional(),
    ],
    ids=lambda network: type(network).__name__,
)
def test_a_receptive_field_is_what_gradients_reach(network: nn.Module) -> None:
    *_, last = anatomy(network, (1, 97, 97))
    assert last.receptive_field == seen(strict(network), 1, 97)


@pytest.mark.usefixtures("averages_for_maxima")
@pytest.mark.parametrize(
    ("name", "stage", "side"),
    [
        ("alexnet_2012", "conv4", 224),
        ("vgg11_lrn", "stage3", 96),
        ("nin_cifar10", "block2", 64),
        ("googlenet_2014", "4a", 256),
        ("resnet50", "conv3", 192),
        ("resnet50_2015", "conv3", 192),
        ("resnet20", "stage2", 96),
        ("squeezenet1_1", "fire5", 192),
        ("mobilenet_v1_0.25_128", "conv13", 448),
        ("mobilenet_v2", "stage4", 224),
        ("efficientnet_lite0", "stage3", 128),
    ],
)
def test_a_stage_sees_what_gradients_reach(name: str, stage: str, side: int) -> None:
    with torch.device("meta"):  # the stages that are cut off need no memory
        network = zoo.create(name)
    network.stages = nn.ModuleDict(_until(network, stage))
    network.head = nn.Identity()
    layers = anatomy(network, (3, side, side))
    widest = max(layer.receptive_field or 0 for layer in layers)
    assert widest == seen(strict(network.to_empty(device="cpu")), 3, side)


def _until(network: nn.Module, last: str) -> dict[str, nn.Module]:
    assert isinstance(network.stages, nn.ModuleDict)
    kept = {}
    for name, stage in network.stages.items():
        kept[name] = stage
        if name == last:
            break
    return kept


@pytest.mark.parametrize(
    ("name", "pixels"),
    [
        # Araujo, Norris and Sim, Distill 2019, table of receptive fields.
        ("alexnet", 195),
        ("vgg16", 212),
        ("resnet50_2015", 483),
        ("resnet101_2015", 1027),
        ("resnet152_2015", 1507),
        ("mobilenet_v1", 315),
        # By hand: a stride in the 3x3 instead of the 1x1 before it saves 8 + 16 + 32 pixels.
        ("resnet50", 483 - 8 - 16 - 32),
    ],
)
def test_receptive_fields_are_those_that_were_published(name: str, pixels: int) -> None:
    assert max(layer.receptive_field or 0 for layer in facts_of(name).layers) == pixels


def test_the_whole_picture_is_seen_once_positions_are_pooled_or_counted() -> None:
    layers = facts_of("vgg16").layers
    fields = {layer.name: (layer.receptive_field, layer.jump) for layer in layers}
    assert fields["stages.stage5.4"] == (196, 16)
    assert fields["stages.stage5.6"] == (212, 32)
    assert fields["head.linear"] == (None, 0)
    *_, last = anatomy(nn.Sequential(nn.Conv2d(1, 2, 1), GlobalAveragePool()), (1, 8, 8))
    assert last.receptive_field is None


@pytest.mark.parametrize(
    ("name", "millions", "digit"),
    [
        # He et al. 2015, table 1; the bottlenecks are those of the paper.
        ("plain18", 1800, 50),
        ("resnet18", 1800, 50),
        ("resnet34", 3600, 100),
        ("resnet50_2015", 3800, 100),
        ("resnet101_2015", 7600, 50),
        ("resnet152_2015", 11300, 50),
        ("mobilenet_v1", 569, 0.5),  # Howard et al. 2017, table 4
        ("mobilenet_v1_0.75_224", 325, 0.5),  # table 6
        ("mobilenet_v1_0.5_224", 149, 0.5),
        ("mobilenet_v1_0.25_224", 41, 0.5),
        ("mobilenet_v1_1.0_128", 186, 0.5),  # table 7
        ("mobilenet_v2", 300, 1),  # Sandler et al. 2018, table 4
        ("mobilenet_v2_1.4", 585, 5),
        ("googlenet", 1500, 50),  # Szegedy et al. 2014, section 1
        ("efficientnet_lite0", 390, 20),  # Tan and Le 2019, table 2: 0.39 G with squeezes
    ],
)
def test_multiply_adds_are_those_of_the_papers(name: str, millions: float, digit: float) -> None:
    assert facts_of(name).totals.macs / 1e6 == pytest.approx(millions, abs=digit)


def test_multiply_adds_and_parameters_are_those_of_torchvision() -> None:
    from tests.models.oracle import torchvision_models

    checked = 0
    for name, network in zoo.NETWORKS.items():
        if network.published is None:
            continue
        weights = torchvision_models.get_model_weights(name)["IMAGENET1K_V1"]
        found = facts_of(name).totals
        assert found.parameters == weights.meta["num_params"] or name == "googlenet", name
        assert found.macs / 1e9 == pytest.approx(weights.meta["_ops"], abs=0.001), name
        checked += 1
    assert checked > 15


@pytest.mark.parametrize("name", FAMILIES)
def test_nothing_is_left_out_or_counted_twice(name: str) -> None:
    layers, sums = facts_of(name).layers, facts_of(name).totals
    about = zoo.find(name)
    side = about.preprocessing.size
    with torch.device("meta"):
        network = zoo.create(name).eval()
        picture = torch.zeros(1, about.in_channels, side, side)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(picture)
    assert 2 * sums.macs == 2 * sum(layer.macs for layer in layers) == counter.get_total_flops()
    assert sums.parameters == sum(p.numel() for p in network.parameters())
    in_layers = sum(layer.parameters for layer in layers)
    assert in_layers == sums.parameters or name.startswith("googlenet")


def test_a_small_network_counted_by_hand() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1, groups=1), nn.ReLU(), nn.MaxPool2d(2, 2),
        nn.Conv2d(8, 8, 3, groups=8), nn.Flatten(), nn.Linear(8, 5),
    )  # fmt: skip
    layers = anatomy(network, (3, 12, 12))
    assert layers == [
        Layer("0", "Conv 3x3/2", (8, 6, 6), 8 * 27 + 8, 36 * 8 * 27, 3, 2, 8 * 36 * 4),
        Layer("1", "ReLU", (8, 6, 6), 0, 0, 3, 2, 0),
        Layer("2", "MaxPool 2x2/2", (8, 3, 3), 0, 0, 5, 4, 8 * 9 * 4),
        Layer("3", "Depthwise 3x3", (8, 1, 1), 8 * 9 + 8, 8 * 9, 13, 4, 8 * 4),
        Layer("4", "Flatten", (8,), 0, 0, 13, 4, 0),
        Layer("5", "Dense", (5,), 45, 40, None, 0, 5 * 4),
    ]
    found = totals(network, layers, (3, 12, 12))
    assert found.parameters == 224 + 80 + 45
    assert found.macs == 7776 + 72 + 40
    assert found.memory == 4 * (3 * 144 + 8 * 36 + 8 * 9 + 8 + 5)


def test_the_memory_of_vgg_is_what_the_lecture_lists() -> None:
    """CS231n's notes, "Convolutional Networks", list VGG-16's numbers layer by layer."""
    listed = [224 * 224 * 3]
    for side, channels, convolutions in (
        (224, 64, 2), (112, 128, 2), (56, 256, 3), (28, 512, 3), (14, 512, 3),
    ):  # fmt: skip
        listed += [side * side * channels] * convolutions + [side * side // 4 * channels]
    assert facts_of("vgg16").totals.memory == 4 * sum([*listed, 4096, 4096, 1000])


def test_shared_weights_count_once_and_the_network_is_left_as_it_was() -> None:
    conv = nn.Conv2d(1, 1, 3)
    network = nn.Sequential(conv, conv).train()
    assert [layer.parameters for layer in anatomy(network, (1, 9, 9))] == [10, 0]
    assert network.training
    assert not conv._forward_hooks
    assert not conv._forward_pre_hooks


def test_shapes_of_stages() -> None:
    shapes = facts_of("googlenet").stages
    assert shapes["3a"] == (256, 28, 28)
    assert shapes["5b"] == (1024, 7, 7)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_file_of_facts_agrees_with_the_network(name: str) -> None:
    """If it does not, write the file again: python -m eyespot.models.anatomy"""
    assert facts_of(name) == dissect(zoo.find(name))


def test_the_file_has_the_networks_of_the_catalogue() -> None:
    assert list(json.loads(FILE.read_text("utf-8"))) == list(zoo.NETWORKS)


def test_an_unknown_network() -> None:
    with pytest.raises(UsageError, match="resnet50"):
        facts_of("resnet5")


@pytest.mark.parametrize("name", NETWORKS)
def test_the_catalogue_has_the_depth_that_is_built(name: str) -> None:
    assert zoo.find(name).depth == depth(name)
