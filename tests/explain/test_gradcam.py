"""Grad-CAM against its definition, and on a photo with two things in it."""

import numpy as np
import pytest
import torch
from torch import nn

from eyespot.data.transforms import Preprocessing, standardised
from eyespot.explain.colours import overlaid
from eyespot.explain.gradcam import grad_cam
from eyespot.models.convnet import ConvNet

PIXELS = Preprocessing(size=12, mean=(0.0, 0.0, 0.0), std=(255.0, 255.0, 255.0))


@pytest.fixture
def network() -> ConvNet:
    torch.manual_seed(0)
    stages = {
        "one": nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.ReLU()),
        "two": nn.Sequential(nn.Conv2d(4, 5, 3, padding=1), nn.ReLU()),
    }
    return ConvNet(stages, num_classes=3, num_features=5, in_channels=3)


@pytest.fixture
def photo() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (12, 12, 3), dtype=np.uint8)


def by_definition(network: ConvNet, photo: np.ndarray, index: int) -> np.ndarray:
    """Slopes by moving each number of the maps a little."""
    network = network.double().eval()
    pixels = torch.from_numpy(standardised(photo, PIXELS)[None]).double()
    with torch.no_grad():
        maps = network.forward_features(pixels)["two"]
        slopes = torch.zeros_like(maps)
        for place in np.ndindex(*maps.shape):
            moved = maps.clone()
            moved[place] += 1e-6
            change = network.forward_head(moved) - network.forward_head(maps)
            slopes[place] = change[0, index] / 1e-6
        heat = (slopes.mean((2, 3), keepdim=True) * maps).sum(1)[0].clamp(min=0).numpy()
    network.float()
    return np.asarray(heat / heat.max())


@pytest.mark.parametrize("index", [0, 1, 2])
def test_it_is_what_the_paper_defines(network: ConvNet, photo: np.ndarray, index: int) -> None:
    heat = grad_cam(network, photo, PIXELS, index)
    assert heat.shape == (6, 6)
    if heat.any():
        assert np.allclose(heat, by_definition(network, photo, index), atol=1e-4)
        assert heat.max() == 1


def test_the_most_probable_class_is_looked_for(network: ConvNet, photo: np.ndarray) -> None:
    with torch.no_grad():
        logits = network.eval()(torch.from_numpy(standardised(photo, PIXELS)[None]))
    best = grad_cam(network, photo, PIXELS, int(logits.argmax()))
    assert np.array_equal(grad_cam(network, photo, PIXELS), best)


def test_a_network_without_places_shows_none() -> None:
    """Fully connected layers look at the whole picture."""
    torch.manual_seed(0)
    layer = {"whole": nn.Conv2d(3, 4, 12)}
    network = ConvNet(layer, num_classes=3, num_features=4, in_channels=3)
    assert grad_cam(network, np.zeros((12, 12, 3), np.uint8), PIXELS).tolist() == [[0]]


def test_it_finds_the_place(network: ConvNet) -> None:
    with torch.no_grad():  # a network that sees red, and one class that is red
        for parameter in network.parameters():
            parameter.zero_()
        for stage in ("one", "two"):
            network.get_parameter(f"stages.{stage}.0.weight")[0, 0, 1, 1] = 1
        network.get_parameter("head.linear.weight")[:, 0] = torch.tensor([1.0, -1.0, 0.0])
    photo = np.zeros((12, 12, 3), np.uint8)
    photo[8:, 8:, 0] = 255
    heat = grad_cam(network, photo, PIXELS, 0)
    assert np.argwhere(heat).tolist() == [[4, 4], [4, 5], [5, 4], [5, 5]]
    assert not grad_cam(network, photo, PIXELS, 1).any()  # red speaks against it
    assert not grad_cam(network, photo, PIXELS, 2).any()
    shown = overlaid(heat, photo)
    assert shown.shape == photo.shape
    assert np.array_equal(shown[0, 0], photo[0, 0])  # nothing there
    assert not np.array_equal(shown[10, 10], photo[10, 10])
