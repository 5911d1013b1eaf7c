import numpy as np
import pytest
import torch

from eyespot.errors import UsageError
from eyespot.explain.filters import draw_filters, filters, towers
from eyespot.models.convnet import ConvNet
from eyespot.weights.zoo import create


def first_weight(network: ConvNet) -> torch.Tensor:
    return next(network.parameters())


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("alexnet_2012", (96, 11, 11, 3)),
        ("efficientnet_lite0", (32, 3, 3, 3)),
        ("lenet5", (6, 5, 5, 3)),
        ("mnist_linear", (10, 28, 28, 3)),
        ("mnist_hidden", (20, 28, 28, 3)),
    ],
)
def test_there_is_a_picture_for_every_kernel(name: str, shape: tuple[int, ...]) -> None:
    kernels = filters(create(name))
    assert kernels.shape == shape
    assert kernels.dtype == np.uint8


def test_zero_is_grey_and_the_greatest_weight_of_a_kernel_is_an_extreme() -> None:
    network = create("alexnet_2012")
    with torch.no_grad():
        first_weight(network)[0] = 0
        first_weight(network)[0, 2, 1, 3] = -0.5  # blue, second row, fourth column
        first_weight(network)[1] = 0
    one, none = filters(network)[:2]
    assert one[1, 3].tolist() == [128, 128, 0]
    assert (np.delete(one.reshape(-1, 3), 1 * 11 + 3, axis=0) == 128).all()
    assert (none == 128).all()


def test_a_fully_connected_unit_shows_what_it_sees_where_it_sees_it() -> None:
    network = create("mnist_linear")
    with torch.no_grad():
        first_weight(network)[3] = 0
        first_weight(network)[3, 5 * 28 + 7] = 2
    assert filters(network)[3, 5, 7].tolist() == [255, 255, 255]


def test_only_two_gpus_make_two_towers() -> None:
    counts = {name: towers(create(name)) for name in ("alexnet_2012", "alexnet", "mobilenet_v1")}
    assert counts == {"alexnet_2012": 2, "alexnet": 1, "mobilenet_v1": 1}
    assert towers(create("mnist_linear")) == 1


def test_the_towers_are_drawn_side_by_side() -> None:
    apart = draw_filters(create("alexnet_2012"), "alexnet_2012")
    network = create("mnist_conv")
    together = draw_filters(network, "mnist_conv")
    middle = np.asarray(apart)[100:, apart.width // 2 - 5 : apart.width // 2 + 5]
    assert (middle == 255).all()
    assert together.width < apart.width <= 1700


def test_kernels_over_two_channels_are_refused() -> None:
    with pytest.raises(UsageError, match="this network has 2"):
        filters(create("efficientnet_lite0", in_channels=2))
