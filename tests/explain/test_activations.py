import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from eyespot.data.transforms import Preprocessing
from eyespot.errors import UsageError
from eyespot.explain.activations import activations, draw_activations, network_input, stage_called
from eyespot.weights.zoo import create, find
from tests.pictures import patches


@pytest.fixture(scope="module")
def photo() -> NDArray[np.uint8]:
    return patches("gravel", 1, side=120)[0]


def test_maps_are_those_that_the_network_computes(photo: NDArray[np.uint8]) -> None:
    network = create("efficientnet_lite0").train()
    how = Preprocessing(64, mean=(10.0, 20.0, 30.0), std=(1.0, 2.0, 4.0))
    prepared = network_input(network, photo, how)
    assert prepared.shape == (64, 64, 3)
    maps = activations(network, prepared, how)
    assert not network.training  # or batch norm would measure this one photo
    assert maps["stem"].shape == (32, 32, 32)
    assert maps["top"].shape == (1280, 2, 2)
    by_hand = (torch.tensor(prepared).float() - torch.tensor([10, 20, 30])) / torch.tensor(
        [1, 2, 4]
    )
    with torch.inference_mode():
        expected = network.forward_features(by_hand.permute(2, 0, 1)[None])
    assert list(maps) == list(expected)
    for name, values in maps.items():
        np.testing.assert_allclose(values, expected[name][0], rtol=1e-4, atol=1e-4)


def test_a_grey_network_sees_grey(photo: NDArray[np.uint8]) -> None:
    red = photo.copy()
    red[:, :, 1:] = 0
    how = find("mnist_conv").preprocessing
    network = create("mnist_conv")
    prepared = network_input(network, red, how)
    assert prepared.shape == (28, 28, 3)
    assert (prepared == prepared[:, :, :1]).all()
    assert prepared.mean() == pytest.approx(0.299 * red[:, :, 0].mean(), rel=0.05)
    assert activations(network, prepared, how)["conv"].shape == (32, 14, 14)


def test_an_unknown_stage_is_an_error_with_the_names() -> None:
    stages = {"conv1": np.zeros((1, 2, 2), np.float32), "conv2": np.ones((1, 2, 2), np.float32)}
    assert stage_called("conv2", stages) is stages["conv2"]
    with pytest.raises(UsageError, match=r"no stage called 'conv3'; there are: conv1, conv2\."):
        stage_called("conv3", stages)


@pytest.mark.parametrize("shape", [(2048, 7, 7), (64, 224, 224), (4096, 1, 1), (1, 5, 9)])
def test_pages_stay_of_a_readable_size(shape: tuple[int, int, int]) -> None:
    maps = np.random.default_rng(0).random(shape, np.float32)
    page = draw_activations(maps, np.zeros((224, 224, 3), np.uint8), "a title")
    assert page.width <= 2000
    assert page.height <= 2000


def test_a_page_shows_the_photo_as_it_was_seen() -> None:
    colourful = np.random.default_rng(0).integers(0, 256, (224, 224, 3), np.uint8)
    page = np.asarray(draw_activations(np.zeros((1, 2, 2), np.float32), colourful, "a title"))
    rows = np.flatnonzero((page == colourful[0, 0]).all(axis=2).any(axis=1))
    assert any((page[y : y + 224, 24 : 24 + 224] == colourful).all() for y in rows)
