"""Fresh networks begin as their papers say, or as those whose weights fit them."""

from math import sqrt

import pytest
import torch
from torch import Tensor, nn

from eyespot.training.network import INITIALISATIONS, initialise
from eyespot.weights import zoo


def weight(network: nn.Module, name: str) -> Tensor:
    return network.get_parameter(f"{name}.weight").detach()


def bias(network: nn.Module, name: str) -> Tensor:
    return network.get_parameter(f"{name}.bias").detach()


def test_alexnet_begins_with_biases_of_one() -> None:
    """Krizhevsky et al. 2012, section 5."""
    network = zoo.create("alexnet_2012", num_classes=10)
    for layer in ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7"):
        name = f"stages.{layer}.0"
        assert float(weight(network, name).std()) == pytest.approx(0.01, rel=0.05)
        assert set(bias(network, name).tolist()) == {float(layer not in ("conv1", "conv3"))}
    assert float(weight(network, "head.linear").std()) == pytest.approx(0.01, rel=0.05)
    assert not bias(network, "head.linear").any()


@pytest.mark.parametrize("name", ["lenet5_1998", "lenet5_1998_rbf"])
def test_lenet_by_the_fan_in_of_each_unit(name: str) -> None:
    """LeCun et al. 1998, appendix A: 2.4 / F, and a map of C3 sees 3, 4 or 6 maps."""
    torch.manual_seed(0)
    network = zoo.create(name)
    for layer, fan_in in {"c1": 25, "c5": 400, "f6": 120, "s2": 4, "s4": 4}.items():
        greatest = float(weight(network, f"stages.{layer}.0").abs().max())
        assert greatest <= 2.4 / fan_in
        assert greatest > (0.9 if fan_in > 4 else 0.4) * 2.4 / fan_in
    c3 = weight(network, "stages.c3.0").flatten(1).abs().amax(1)
    places = (range(18), range(18, 54), range(54, 60))
    for place, maps in zip(places, (3, 4, 6), strict=True):
        greatest = float(c3[list(place)].max())
        assert 0.95 * 2.4 < greatest * maps * 25 <= 2.4


def glorot(weight: Tensor) -> float:
    """The deviation of equation 16."""
    field = weight[0, 0].numel()
    return sqrt(2 / (field * (weight.shape[0] + weight.shape[1])))


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("vgg11", "stages.stage3.0"),
        ("squeezenet1_1", "stages.fire6.expand3x3"),
        ("googlenet_2014", "stages.5a.branch2.1.conv"),
        ("googlenet_2014", "auxiliary1.fc1"),
        ("googlenet_2014", "head.linear"),
    ],
)
def test_by_glorot(name: str, layer: str) -> None:
    network = zoo.create(name)
    found = weight(network, layer)
    assert float(found.std()) == pytest.approx(
        glorot(found[:, :, None, None] if found.ndim == 2 else found), rel=0.05
    )
    expected = 0.2 if name == "googlenet_2014" and layer != "head.linear" else 0.0
    assert bias(network, layer).tolist() == pytest.approx([expected] * len(found))


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("vgg11_bn", "stages.stage3.0"),
        ("nin_cifar10", "stages.block2.0"),
        ("resnet18", "stages.conv3.0.conv2"),
        ("mobilenet_v2", "stages.stage5.1.project.conv"),
        ("efficientnet_lite0", "stages.stage5.1.project.conv"),
    ],
)
def test_by_he(name: str, layer: str) -> None:
    found = weight(zoo.create(name), layer)
    deviation = sqrt(2 / (found.shape[0] * found[0, 0].numel()))
    assert float(found.std()) == pytest.approx(deviation, rel=0.05)


@pytest.mark.parametrize("layer", ["stages.4a.branch1.conv", "auxiliary2.fc1", "head.linear"])
def test_googlenet_as_torchvision_begins_it(layer: str) -> None:
    network = zoo.create("googlenet")
    for classes in (None, 7):
        if classes:
            network.reset_head(classes)
        found = weight(network, layer)
        assert float(found.std()) == pytest.approx(0.01, rel=0.1)


@pytest.mark.parametrize("name", INITIALISATIONS)
def test_the_other_ones_leave_no_layer(name: str) -> None:
    network = zoo.create("alexnet_2012", num_classes=10)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    initialise(network, name)
    same = {key for key, value in network.state_dict().items() if torch.equal(value, before[key])}
    zeros = {"stages.conv1.0.bias", "stages.conv3.0.bias", "head.linear.bias"}
    assert same == (set(before) if name == "default" else zeros)
