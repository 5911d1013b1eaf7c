"""Layers and initialisations that several networks share."""

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

N = TypeVar("N", bound=nn.Module)


def same_padding(size: int, kernel: int, stride: int, dilation: int = 1) -> tuple[int, int]:
    """TensorFlow's SAME padding of one axis: (before, after), in pixels.

    The output has ceil(size / stride) positions; an odd pixel of padding goes after. torch pads
    both sides equally, which shifts strided convolutions by half a pixel, so weights trained with
    TensorFlow lose accuracy under torch's padding.
    """
    size = int(size)  # a constant while a network is traced
    total = max((-(-size // stride) - 1) * stride + dilation * (kernel - 1) + 1 - size, 0)
    return total // 2, total - total // 2


class Conv2dSame(nn.Conv2d):
    """Convolution with TensorFlow's SAME padding: [N, C, H, W] -> [N, O, ceil(H/s), ceil(W/s)]."""

    def forward(self, input: Tensor) -> Tensor:
        (top, bottom), (left, right) = map(
            same_padding, input.shape[2:], self.kernel_size, self.stride, self.dilation
        )
        padding = (top, left)
        if top != bottom or left != right:
            input, padding = F.pad(input, (left, right, top, bottom)), (0, 0)
        return F.conv2d(
            input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups
        )


class MaxPool2dSame(nn.Module):
    """Max pooling with TensorFlow's SAME padding: [N, C, H, W] -> [N, C, ceil(H/s), ceil(W/s)]."""

    def __init__(self, kernel: int, stride: int) -> None:
        super().__init__()
        self.kernel = kernel
        self.stride = stride

    def forward(self, input: Tensor) -> Tensor:
        (top, bottom), (left, right) = (
            same_padding(size, self.kernel, self.stride) for size in input.shape[2:]
        )
        padded = F.pad(input, (left, right, top, bottom), value=float("-inf"))
        return F.max_pool2d(padded, self.kernel, self.stride)


class ConvNorm(nn.Sequential):
    """Convolution, batch norm and, with `activation`, ReLU6.

    [N, C, H, W] -> [N, O, ceil(H/s), ceil(W/s)]. `same`: TensorFlow's SAME padding, epsilon of 1e-3
    and momentum of 0.99 (0.01 in torch's sense).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int = 1,
        stride: int = 1,
        *,
        groups: int = 1,
        activation: bool = True,
        same: bool = False,
    ) -> None:
        super().__init__()
        layer, padding = (Conv2dSame, 0) if same else (nn.Conv2d, kernel // 2)
        self.conv = layer(
            in_channels, out_channels, kernel, stride, padding, groups=groups, bias=False
        )
        epsilon, momentum = (1e-3, 0.01) if same else (1e-5, 0.1)
        self.norm = nn.BatchNorm2d(out_channels, epsilon, momentum)
        if activation:
            self.activation = nn.ReLU6(inplace=True)


class Dense(nn.Linear):
    """A fully connected layer as a stage: [N, C, H, W] -> maps of one pixel [N, O, 1, 1]."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input.flatten(1))[:, :, None, None]


class LinearHead(nn.Sequential):
    """Mean over all positions, dropout, linear: [N, C, H, W] -> logits [N, num_classes]."""

    def __init__(self, num_features: int, num_classes: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.pool = GlobalAveragePool()
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(num_features, num_classes)


class ConvHead(nn.Sequential):
    """A map per class, averaged: [N, C, H, W] -> logits [N, num_classes].

    Lin, Chen and Yan, "Network In Network", ICLR 2014, section 3.2.
    """

    def __init__(self, num_features: int, num_classes: int, dropout: float = 0.5) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.conv = nn.Conv2d(num_features, num_classes, 1)
        self.relu = nn.ReLU(inplace=True)
        self.pool = GlobalAveragePool()


class GlobalAveragePool(nn.Module):
    """Mean over all positions: [N, C, H, W] -> [N, C] (Lin et al. 2014, section 3.2)."""

    def forward(self, maps: Tensor) -> Tensor:
        return torch.mean(maps, dim=(2, 3))


def named(**layers: nn.Module) -> nn.Sequential:
    """A sequence of named layers."""
    return nn.Sequential(OrderedDict(layers))


def initialise_he(network: N) -> N:
    """Initialise weights for ReLUs, in place.

    Convolutions: Gaussian with deviation sqrt(2 / (k * k * outputs)); He, Zhang, Ren and Sun,
    "Delving Deep into Rectifiers", ICCV 2015, equation 14. Linear layers: deviation 0.01.
    """

    def draw(weight: Tensor) -> None:
        if weight.ndim == 4:
            nn.init.kaiming_normal_(weight, mode="fan_out", nonlinearity="relu")
        else:
            nn.init.normal_(weight, std=0.01)

    return _initialise(network, draw)


def initialise_xavier(network: N) -> N:
    """Initialise convolutions and linear layers, in place: uniform, keeping the variance of
    activations and gradients (Glorot and Bengio, AISTATS 2010, equation 16); biases 0."""
    return _initialise(network, nn.init.xavier_uniform_)


def initialise_gaussian(network: N) -> N:
    """Initialise convolutions and linear layers, in place: deviation 0.01 (Krizhevsky,
    Sutskever and Hinton, NIPS 2012, section 5); biases 0."""
    return _initialise(network, partial(nn.init.normal_, std=0.01))


def _initialise(network: N, draw: Callable[[Tensor], object]) -> N:
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            draw(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return network
