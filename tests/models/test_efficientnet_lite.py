import pytest
import torch

from eyespot.errors import UsageError, WeightsError
from eyespot.weights import zoo


@pytest.mark.parametrize(
    ("name", "millions"),
    [("efficientnet_lite0", 4.65), ("efficientnet_lite1", 5.42), ("efficientnet_lite2", 6.09)],
)
def test_parameters_are_as_published(name: str, millions: float) -> None:
    network = zoo.create(name)
    count = sum(parameter.numel() for parameter in network.parameters())
    assert round(count / 1e6, 2) == millions


def test_maps_have_the_sizes_of_their_stages() -> None:
    network = zoo.create("efficientnet_lite0", num_classes=7, in_channels=1).eval()
    with torch.inference_mode():
        maps = network.forward_features(torch.zeros(2, 1, 64, 64))
        assert network(torch.zeros(2, 1, 64, 64)).shape == (2, 7)
    sides = {name: value.shape[2] for name, value in maps.items() if "hidden" not in name}
    assert list(sides.values()) == [32, 32, 16, 8, 4, 4, 2, 2, 2]
    assert maps["stage4.hidden"].shape == (2, 480, 4, 4)
    assert maps["top"].shape == (2, 1280, 2, 2)


def test_weights_of_another_number_of_classes_keep_a_fresh_head() -> None:
    ours = zoo.create("efficientnet_lite0", num_classes=3, weights="imagenet")
    known = zoo.create("efficientnet_lite0", weights="imagenet")
    assert ours.get_parameter("head.linear.weight").shape == (3, 1280)
    assert torch.equal(
        ours.get_parameter("stages.stem.conv.weight"),
        known.get_parameter("stages.stem.conv.weight"),
    )


def test_names_and_weights_that_are_not_there() -> None:
    with pytest.raises(UsageError, match="did you mean 'efficientnet_lite0'"):
        zoo.find("efficientnet_lit0")
    with pytest.raises(UsageError, match="imagenet"):
        zoo.create("efficientnet_lite0", weights="noise")
    with pytest.raises(WeightsError, match="efficientnet"):
        zoo.create("efficientnet_lite2", weights="imagenet")
