"""Measurements of real networks for the figures of docs/course/lectures.md."""

import math
from collections.abc import Sequence
from functools import cache
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakTensorKeyDictionary

from eyespot.models.anatomy import Layer, anatomy, dissect
from eyespot.models.convnet import ConvNet
from eyespot.weights.zoo import NETWORKS, create, find

aten = torch.ops.aten
WEIGHTED = (aten.convolution, aten.addmm, aten.mm)
POOLING = (aten.max_pool2d_with_indices, aten.avg_pool2d, aten._adaptive_avg_pool2d, aten.mean)


@cache
def network(name: str) -> ConvNet:
    with torch.device("meta"):
        return create(name).eval()


@cache
def layers(name: str) -> list[Layer]:
    return dissect(find(name))[0]


def kinds(name: str, *starts: str) -> list[Layer]:
    """The layers of a network whose kind begins in one of these ways."""
    return [layer for layer in layers(name) if layer.kind.startswith(starts)]


def parameters(name: str) -> int:
    """All that a prediction uses: not those of classifiers for training only."""
    return sum(layer.parameters for layer in layers(name))


def only_trained(name: str) -> int:
    """Parameters of classifiers for training only."""
    return weights_of(network(name)) - parameters(name)


def of(name: str, layer: str) -> Layer:
    return next(found for found in layers(name) if found.name == layer)


def stacked(*modules: nn.Module, shape: tuple[int, int, int]) -> list[Layer]:
    return anatomy(nn.Sequential(*modules).to("meta"), shape)


def weights_of(*modules: nn.Module) -> int:
    return sum(parameter.numel() for module in modules for parameter in module.parameters())


def separable(kernels: int) -> int:
    """Weights from 6 maps to one: so many 3 x 3, then a 1 x 1 over all 6."""
    filters = nn.Conv2d(kernels, kernels, 3, groups=kernels, bias=False)
    return weights_of(filters, nn.Conv2d(6, 1, 1, bias=False))


def connections(found: Sequence[Layer]) -> int:
    """Multiply-adds, and a bias for every number that comes out."""
    return sum(layer.macs + math.prod(layer.shape) for layer in found)


class _Depths(TorchDispatchMode):
    """The longest way from the image to each tensor, in operations of some kinds."""

    def __init__(self, counted: Sequence[Any]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.counted = counted
        self.of = WeakTensorKeyDictionary()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        inputs = [x for x in tree_leaves((args, kwargs)) if isinstance(x, Tensor)]
        depth = max((self.of[x] for x in inputs if x in self.of), default=0)
        # LeNet-5's subsampling multiplies its maps by weights.
        weighs = func.overloadpacket is torch.ops.aten.mul and any(
            isinstance(x, nn.Parameter) for x in inputs
        )
        for x in tree_leaves(out):
            self.of[x] = depth + (weighs or func.overloadpacket in self.counted)
        return out


@cache
def depth(name: str, pooling: bool = False) -> int:
    """Layers with weights (and pooling) on the longest way from the image to the answer."""
    side = NETWORKS[name].preprocessing.size
    model = network(name)
    image = torch.zeros(1, model.in_channels, side, side, device="meta")
    with torch.no_grad(), _Depths((*WEIGHTED, *(POOLING if pooling else ()))) as mode:
        return cast(int, mode.of[model(image)])


def size(layer: Layer) -> str:
    """Height x width x channels."""
    return " x ".join(map(str, (*layer.shape[1:], layer.shape[0])))


def sizes(found: Sequence[Layer]) -> str:
    return ", ".join(map(size, found))


def share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}%"


def top5_error(name: str) -> float:
    """In percent, as published."""
    errors = NETWORKS[name].errors
    assert errors is not None
    assert errors.top5 is not None
    return errors.top5


def takes(name: str) -> str:
    """Size of the images that a network takes."""
    side = NETWORKS[name].preprocessing.size
    return f"{side} x {side} x {NETWORKS[name].in_channels}"


def side_after(padding: int, stride: int) -> int:
    conv = nn.Conv2d(1, 1, 5, stride, padding)
    return stacked(conv, shape=(1, 28, 28))[0].shape[1]


def square(kernel: int, count: int) -> nn.Module:
    """So many convolutions on 8 maps that keep their number."""
    return nn.Sequential(*(nn.Conv2d(8, 8, kernel, bias=False) for _ in range(count)))


def per_square(kernel: int, count: int) -> int:
    """Weights of `square`, divided by the square of the number of maps."""
    return weights_of(square(kernel, count)) // 8**2


def field(count: int) -> str:
    last = stacked(*square(3, count).children(), shape=(8, 32, 32))[-1]
    return f"{last.receptive_field} x {last.receptive_field}"


@cache
def vgg16_numbers() -> list[int]:
    """The image's numbers, and those after each stage's layers; the last are the three fully
    connected ones'."""
    counted = kinds("vgg16", "Conv", "MaxPool", "Dense")
    of_stage = [
        sum(math.prod(x.shape) for x in counted if x.name.startswith(f"stages.stage{n}."))
        for n in range(1, 6)
    ]
    dense = sum(math.prod(x.shape) for x in counted if x.kind == "Dense")
    return [3 * 224 * 224, *of_stage, dense]


def backward() -> str:
    x, y, z = (torch.tensor(value, requires_grad=True) for value in (-2.0, 5.0, -4.0))
    f = (x + y) * z
    f.backward()  # type: ignore[no-untyped-call]
    slopes = ", ".join(f"{cast(Tensor, v.grad).item():.0f}" for v in (x, y, z))
    return f"f = {f.item():.0f}; gradients {slopes}"


def slope(after: float) -> str:
    return f"{(after - 1.25347) / 0.0001:.1f}"


def hinge(scores: Tensor, right: int) -> float:
    """Sum over the other classes of max(0, s_j - s_right + 1)."""
    margins = (scores - scores[right] + 1).clamp(min=0)
    return float(margins.sum() - margins[right])


def alexnet_order() -> str:
    found = kinds("alexnet_2012", "Conv", "MaxPool", "Dense")
    return ", ".join(layer.kind.split()[0].lower() for layer in found)
