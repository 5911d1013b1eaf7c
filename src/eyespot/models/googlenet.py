"""GoogLeNet, the winner of ILSVRC 2014: 22 layers of inception modules.

Szegedy et al., "Going Deeper with Convolutions", CVPR 2015, table 1. `googlenet_2014` is the
network of the paper, with response normalisation. `googlenet` is the form whose weights
torchvision publishes: batch norm (Ioffe and Szegedy, ICML 2015), a 3 x 3 where the paper has
5 x 5, the last pooling 2 x 2.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from eyespot.errors import UsageError
from eyespot.models.alexnet import response_norm
from eyespot.models.convnet import ConvNet
from eyespot.models.layers import LinearHead, initialise_xavier, named

INCEPTIONS = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
"""Table 1: channels of the 1 x 1 branch; of the 1 x 1 layer before the 3 x 3 and of the 3 x 3; the
same of the 5 x 5; of the 1 x 1 after the pooling."""


def total(module: str) -> int:
    """Channels of a module of `INCEPTIONS`."""
    one, _, three, _, five, pool = INCEPTIONS[module]
    return one + three + five + pool


Conv = Callable[..., nn.Module]
"""Builds a convolution with its activation from (in_channels, out_channels, kernel, ...)."""


def conv_relu(
    normalised: bool,
    in_channels: int,
    out_channels: int,
    kernel: int,
    stride: int = 1,
    padding: int = 0,
) -> nn.Module:
    conv = nn.Conv2d(in_channels, out_channels, kernel, stride, padding, bias=not normalised)
    norm = {"bn": nn.BatchNorm2d(out_channels, eps=1e-3)} if normalised else {}
    return named(conv=conv, **norm, relu=nn.ReLU(inplace=True))


class Inception(nn.Module):
    """Four parallel branches (figure 2b): [N, C, H, W] -> [N, total(name), H, W]."""

    def __init__(self, conv: Conv, in_channels: int, name: str, kernel5: int) -> None:
        super().__init__()
        one, reduce3, three, reduce5, five, pool = INCEPTIONS[name]
        self.branch1 = conv(in_channels, one, 1)
        self.branch2 = nn.Sequential(
            conv(in_channels, reduce3, 1), conv(reduce3, three, 3, padding=1)
        )
        self.branch3 = nn.Sequential(
            conv(in_channels, reduce5, 1), conv(reduce5, five, kernel5, padding=kernel5 // 2)
        )
        self.branch4 = nn.Sequential(
            nn.MaxPool2d(3, stride=1, padding=1), conv(in_channels, pool, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        branches = (self.branch1, self.branch2, self.branch3, self.branch4)
        return torch.cat([branch(x) for branch in branches], dim=1)


class AuxiliaryHead(nn.Module):
    """A classifier for training only (section 5): [N, C, 14, 14] -> [N, num_classes]."""

    def __init__(self, conv: Conv, pool: nn.Module, in_channels: int, num_classes: int) -> None:
        super().__init__()
        self.pool = pool
        self.conv = conv(in_channels, 128, 1)
        self.fc1 = nn.Linear(128 * 4 * 4, 1024)
        self.dropout = nn.Dropout(0.7)
        self.fc2 = nn.Linear(1024, num_classes)

    def forward(self, maps: Tensor) -> Tensor:
        pooled = self.pool(maps)
        if pooled.shape[2:] != (4, 4):
            raise UsageError(
                "The auxiliary classifiers of googlenet_2014 take images of 224 x 224 pixels. "
                "Resize the images, or train googlenet."
            )
        out: Tensor = self.fc2(self.dropout(torch.relu(self.fc1(self.conv(pooled).flatten(1)))))
        return out


class GoogLeNet(ConvNet):
    """float32 [N, in_channels, H, W] -> logits [N, num_classes]."""

    def __init__(self, original: bool, num_classes: int, in_channels: int) -> None:
        conv = partial(conv_relu, not original)
        norm: Callable[[], nn.Module] = response_norm if original else nn.Identity
        kernel5, last_pool = (5, 3) if original else (3, 2)
        stages: dict[str, nn.Module] = {
            "conv1": conv(in_channels, 64, 7, stride=2, padding=3),
            "pool1": nn.Sequential(nn.MaxPool2d(3, stride=2, ceil_mode=True), norm()),
            "conv2": nn.Sequential(conv(64, 64, 1), conv(64, 192, 3, padding=1), norm()),
            "pool2": nn.MaxPool2d(3, stride=2, ceil_mode=True),
        }
        channels = 192
        for name in INCEPTIONS:
            stages[name] = Inception(conv, channels, name, kernel5)
            channels = total(name)
            if name == "3b":
                stages["pool3"] = nn.MaxPool2d(3, stride=2, ceil_mode=True)
            if name == "4e":
                stages["pool4"] = nn.MaxPool2d(last_pool, stride=2, ceil_mode=True)
        super().__init__(
            stages,
            in_channels,
            channels,
            num_classes,
            partial(LinearHead, dropout=0.4),
            min_size=31 if original else 15,
        )
        self._conv = conv
        self._original = original
        self._add_auxiliary_heads(num_classes)
        self._initialise(self)

    def _initialise(self, part: nn.Module) -> None:
        """Not in the paper. Caffe's reimplementation: Glorot, and biases of 0.2 before every
        ReLU. torchvision's: Gaussian, cut off at 2."""
        if self._original:
            initialise_xavier(part)
        for name, layer in part.named_modules():
            if not isinstance(layer, nn.Conv2d | nn.Linear):
                continue
            if not self._original:
                nn.init.trunc_normal_(layer.weight, std=0.01)
            elif isinstance(layer, nn.Conv2d) or name.endswith("fc1"):
                assert layer.bias is not None
                nn.init.constant_(layer.bias, 0.2)

    def auxiliary(self, maps: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Logits [N, num_classes] of the two classifiers after 4a and 4d.

        `maps`: of `forward_features`. In training, their losses count 0.3 each (section 5).
        """
        return self.auxiliary1(maps["4a"]), self.auxiliary2(maps["4d"])

    def reset_head(self, num_classes: int) -> None:
        super().reset_head(num_classes)
        self._add_auxiliary_heads(num_classes)
        for part in (self.head, self.auxiliary1, self.auxiliary2):
            self._initialise(part)
        old = next(self.parameters())
        self.to(old.device, old.dtype)

    def _add_auxiliary_heads(self, num_classes: int) -> None:
        def head(after: str) -> AuxiliaryHead:
            pool = nn.AvgPool2d(5, stride=3) if self._original else nn.AdaptiveAvgPool2d(4)
            return AuxiliaryHead(self._conv, pool, total(after), num_classes)

        self.auxiliary1 = head("4a")
        self.auxiliary2 = head("4d")


def build(name: str, num_classes: int, in_channels: int) -> GoogLeNet:
    """`googlenet` or `googlenet_2014`, with random weights."""
    return GoogLeNet(name == "googlenet_2014", num_classes, in_channels)


def torchvision_names(name: str) -> dict[str, str]:
    """torchvision's names of layers, and eyespot's; those within are the same."""
    return {
        "conv1": "stages.conv1",
        "conv2": "stages.conv2.0",
        "conv3": "stages.conv2.1",
        **{f"inception{module}": f"stages.{module}" for module in INCEPTIONS},
        "aux1": "auxiliary1",
        "aux2": "auxiliary2",
        "fc": "head.linear",
    }
