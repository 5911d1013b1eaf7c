"""Maps must say something of the network, not only of the photo.

Adebayo et al., "Sanity Checks for Saliency Maps", NeurIPS 2018, section 3.1: layers lose what they
have learnt, one after the other from the top, and the map of the class must change. A map that
shows where a photo has edges stays as it was, however good it looks.
"""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from skimage import data
from torch import nn

from eyespot.data.transforms import Preprocessing, prepare
from eyespot.explain.gradcam import grad_cam
from eyespot.features.backbone import load_network
from eyespot.models.convnet import ConvNet
from eyespot.tasks.task import load

Map = Callable[[ConvNet, np.ndarray, Preprocessing, int], np.ndarray]

STAYS = 0.5
"""A rank correlation with the map of before from which on it has not changed."""
CLASSES = {"chelsea": 282, "coffee": 967, "rocket": 657}
"""What is on scikit-image's photos: a tiger cat, espresso, a missile."""


def edges(network: ConvNet, photo: np.ndarray, pixels: Preprocessing, index: int) -> np.ndarray:
    grey = photo.mean(axis=2)
    return np.asarray(np.abs(np.diff(grey, axis=0))[:, 1:] + np.abs(np.diff(grey, axis=1))[1:])


def correlation(before: np.ndarray, after: np.ndarray) -> float:
    """Of ranks, -1..1; a map that is empty now has nothing in common with what it was."""
    if after.min() == after.max():
        return 0.0
    return float(spearmanr(before.ravel(), after.ravel())[0])


def forgotten(draw: Map) -> list[float]:
    """How much maps are still what they were, mean over photos, after more and more is forgotten:
    the head, the last stage, half of all stages, all."""
    torch.manual_seed(0)
    classifier = load("efficientnet_lite0")
    pixels = classifier.backbone.preprocessing
    network = load_network(classifier.backbone)
    shown = [(prepare(getattr(data, name)(), pixels), index) for name, index in CLASSES.items()]
    before = [draw(network, photo, pixels, index) for photo, index in shown]
    assert all(heat.any() for heat in before)
    stages = list(network.stages.values())
    middle = len(stages) // 2
    found = []
    for parts in ([network.head], stages[-1:], stages[middle:-1], stages[:middle]):
        for part in parts:
            part.apply(reset)
        after = [draw(network, photo, pixels, index) for photo, index in shown]
        pairs = zip(before, after, strict=True)
        found.append(float(np.mean([correlation(*pair) for pair in pairs])))
    return found


def reset(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.Linear | nn.BatchNorm2d):
        module.reset_parameters()


def test_grad_cam_forgets_with_the_network() -> None:
    assert max(forgotten(grad_cam)) < STAYS


def test_a_map_of_edges_would_be_found_out() -> None:
    assert min(forgotten(edges)) == pytest.approx(1)
