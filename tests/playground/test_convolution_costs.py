"""What convolutions cost: as the anatomy of real layers counts it."""

import re
from typing import Any

import pytest
import torch
from torch import nn

from eyespot.errors import UsageError
from eyespot.models.anatomy import anatomy
from eyespot.playground.convolution import Window
from eyespot.playground.convolution_costs import MAX_MAPS, compare_separable, costs


def counted(layer: nn.Module, maps: int, height: int, width: int) -> tuple[Any, int, int]:
    """Output, parameters and multiply-adds, as eyespot's own counter finds them."""
    (found,) = anatomy(nn.Sequential(layer.to("meta")), (maps, height, width))
    return found.shape, found.parameters, found.macs


@pytest.mark.parametrize(
    ("maps", "height", "width", "filters", "window", "groups", "bias"),
    [
        (1, 28, 28, 6, Window(5, 5, padding=2), 1, True),  # LeNet-5
        (3, 224, 224, 64, Window(11, 11, stride=4, padding=2), 1, True),  # AlexNet
        (3, 224, 224, 64, Window(7, 7, stride=2, padding=3), 1, False),  # ResNet
        (64, 14, 15, 64, Window(3, 3, padding=1), 64, False),  # MobileNet
        (16, 9, 20, 8, Window(3, 5, stride=3, padding=1, dilation=2), 4, True),
    ],
)
def test_costs_are_those_that_the_anatomy_counts(
    maps: int, height: int, width: int, filters: int, window: Window, groups: int, bias: bool
) -> None:
    found = costs(maps, height, width, filters, window, groups=groups, bias=bias)
    layer = nn.Conv2d(
        maps, filters, (window.height, window.width), window.stride, window.padding,
        window.dilation, groups, bias,
    )  # fmt: skip
    shape, parameters, macs = counted(layer, maps, height, width)
    assert found.output == shape
    assert found.weights.number + found.biases.number == parameters
    assert found.multiply_adds.number == macs
    assert found.connections.number == macs + bias * torch.Size(shape).numel()


def test_costs_in_words() -> None:
    found = costs(1, 32, 32, 6, Window(5, 5))  # the first layer of LeNet-5, as its paper counts
    assert found.output == (6, 28, 28)
    assert found.weights.text == "6 filters * 1 map * 5 * 5 = 150 weights"
    assert found.biases.text == "6 biases, one a filter"
    assert found.multiply_adds.text == "28 * 28 pixels * 150 weights = 117,600 multiply-adds"
    assert found.connections.text == (
        "28 * 28 pixels * (150 weights + 6 biases) = 122,304 connections"
    )
    assert found.sizes[0].endswith("= 28")
    unbiased = costs(1, 5, 5, 1, Window(3, 3), bias=False)
    assert unbiased.biases.text == "no biases"
    assert unbiased.weights.text == "1 filter * 1 map * 3 * 3 = 9 weights"
    assert unbiased.connections.text == "3 * 3 pixels * 9 weights = 81 connections"


@pytest.mark.parametrize(
    ("maps", "size", "filters", "window"),
    [
        (512, 14, 512, Window(3, 3, padding=1)),
        (6, 32, 1, Window(3, 3)),
        (8, 15, 24, Window(5, 5, stride=2, padding=2)),
        (3, 9, 4, Window(1, 1)),
    ],
)
def test_separable_beside_standard(maps: int, size: int, filters: int, window: Window) -> None:
    found = compare_separable(maps, size, size, filters, window)
    k, s, p = window.height, window.stride, window.padding
    standard = counted(nn.Conv2d(maps, filters, k, s, p, bias=False), maps, size, size)
    first = counted(nn.Conv2d(maps, maps, k, s, p, groups=maps, bias=False), maps, size, size)
    second = counted(nn.Conv2d(maps, filters, 1, bias=False), *first[0])
    assert (found.standard.weights.number, found.standard.multiply_adds.number) == standard[1:]
    assert found.weights.number == first[1] + second[1]
    assert found.multiply_adds.number == first[2] + second[2]
    assert found.pointwise.output == standard[0]
    assert found.ratio == pytest.approx(found.weights.number / standard[1])
    assert found.ratio == pytest.approx(found.multiply_adds.number / standard[2])


def test_separable_in_words() -> None:
    found = compare_separable(512, 14, 14, 512, Window(3, 3, padding=1))
    assert found.standard.weights.number == 2_359_296
    assert found.weights.text == "4,608 depthwise + 262,144 pointwise = 266,752 weights"
    assert found.text == "1/N + 1/k^2 = 1/512 + 1/9 = 0.1131 of the standard convolution's"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"maps": 0}, "The number of maps has to be a whole number from 1"),
        ({"filters": MAX_MAPS + 1}, "The number of filters has to be"),
        ({"height": 2}, "The window (3 x 3) is larger than the image (2 x 9)"),
        ({"width": "9"}, "The image's width has to be a whole number from 1 to 10000, got '9'"),
        ({"groups": 3}, "3 groups do not divide 4 maps and 6 filters evenly"),
        ({"groups": 5}, "The number of groups has to be a whole number from 1 to 4"),
    ],
)
def test_what_makes_no_sense_is_explained(options: dict[str, Any], said: str) -> None:
    right: dict[str, Any] = {"maps": 4, "height": 9, "width": 9, "filters": 6}
    with pytest.raises(UsageError, match=re.escape(said)):
        costs(**(right | options), window=Window(3, 3))
