"""EfficientNet-Lite: EfficientNet made fit for small devices.

Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019
(table 1 has the stages, section 3.3 the compound scaling), and the "Lite" variant of the same
authors (2020): no squeeze-and-excitation, ReLU6 for swish, stem and head not scaled.
The blocks are MobileNetV2's inverted residuals (Sandler et al. 2018, section 3.3).
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import cast

from torch import Tensor, nn

from eyespot.models.convnet import ConvNet
from eyespot.models.layers import ConvNorm, LinearHead, initialise_he
from eyespot.models.mobilenet_v2 import InvertedResidual, scaled_channels


@dataclass(frozen=True, slots=True)
class Stage:
    """One row of table 1: `repeats` blocks, the first of them with `stride`."""

    expansion: int
    kernel: int
    stride: int
    channels: int
    repeats: int


STAGES = (
    Stage(expansion=1, kernel=3, stride=1, channels=16, repeats=1),
    Stage(expansion=6, kernel=3, stride=2, channels=24, repeats=2),
    Stage(expansion=6, kernel=5, stride=2, channels=40, repeats=2),
    Stage(expansion=6, kernel=3, stride=2, channels=80, repeats=3),
    Stage(expansion=6, kernel=5, stride=1, channels=112, repeats=3),
    Stage(expansion=6, kernel=5, stride=2, channels=192, repeats=4),
    Stage(expansion=6, kernel=3, stride=1, channels=320, repeats=1),
)


@dataclass(frozen=True, slots=True)
class Variant:
    """Compound scaling: how much wider and deeper than Lite0, for which input side in pixels."""

    width: float
    depth: float
    resolution: int
    dropout: float


VARIANTS = {
    "efficientnet_lite0": Variant(width=1.0, depth=1.0, resolution=224, dropout=0.2),
    "efficientnet_lite1": Variant(width=1.0, depth=1.1, resolution=240, dropout=0.2),
    "efficientnet_lite2": Variant(width=1.1, depth=1.2, resolution=260, dropout=0.3),
}


class EfficientNetLite(ConvNet):
    """`VARIANTS[name]` as a network: float32 [N, in_channels, H, W] -> logits [N, num_classes]."""

    def __init__(self, variant: Variant, num_classes: int, in_channels: int) -> None:
        channels = 32
        stages: dict[str, nn.Module] = {
            "stem": ConvNorm(in_channels, channels, kernel=3, stride=2, same=True)
        }
        for number, stage in enumerate(STAGES, start=1):
            out_channels = scaled_channels(stage.channels, variant.width)
            scaled = number not in (1, len(STAGES))  # "Lite" keeps the first and last stage
            repeats = math.ceil(stage.repeats * variant.depth) if scaled else stage.repeats
            blocks = []
            for index in range(repeats):
                stride = stage.stride if index == 0 else 1
                blocks.append(
                    InvertedResidual(
                        channels,
                        out_channels,
                        stage.expansion,
                        stage.kernel,
                        stride,
                        same=True,
                    )
                )
                channels = out_channels
            stages[f"stage{number}"] = nn.Sequential(*blocks)
        stages["top"] = ConvNorm(channels, 1280, same=True)
        super().__init__(
            stages,
            partial(LinearHead, dropout=variant.dropout),
            num_classes=num_classes,
            num_features=1280,
            in_channels=in_channels,
        )

    def forward_features(self, x: Tensor) -> dict[str, Tensor]:
        """As `ConvNet.forward_features`, and `stage1.hidden` ... `stage7.hidden`: the wide maps
        within the last block of each stage."""
        self._check(x)
        maps = {}
        for name, stage in self.stages.items():
            if name in ("stem", "top"):
                x = stage(x)
            else:
                for block in cast(Iterable[InvertedResidual], stage):
                    hidden = block.hidden(x)
                    x = block.output(x, hidden)
                maps[f"{name}.hidden"] = hidden
            maps[name] = x
        return maps


def build(name: str, num_classes: int, in_channels: int) -> EfficientNetLite:
    """The variant called `name`, with random weights."""
    network = EfficientNetLite(VARIANTS[name], num_classes, in_channels)
    initialise_he(network)
    return network


# The names of the published checkpoint, in the order of this file's modules.
PUBLISHED_NAMES = {
    "_conv_stem": "stages.stem.conv",
    "_bn0": "stages.stem.norm",
    "_conv_head": "stages.top.conv",
    "_bn1": "stages.top.norm",
    "_fc": "head.linear",
}
PUBLISHED_BLOCK_NAMES = {
    "_expand_conv": "expand.conv",
    "_bn0": "expand.norm",
    "_depthwise_conv": "depthwise.conv",
    "_bn1": "depthwise.norm",
    "_project_conv": "project.conv",
    "_bn2": "project.norm",
}


def from_published(model: EfficientNetLite, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename the published checkpoint's tensors to this network's names.

    The published network numbers its blocks through all stages: `_blocks.7._bn1.weight`.
    """
    blocks = [
        f"stages.{name}.{index}"
        for name, stage in model.stages.items()
        if name not in ("stem", "top")
        for index in range(len(stage))  # type: ignore[arg-type]
    ]
    renamed = {}
    for key, tensor in state.items():
        *path, leaf = key.split(".")
        if path[0] == "_blocks":
            module = f"{blocks[int(path[1])]}.{PUBLISHED_BLOCK_NAMES[path[2]]}"
        else:
            module = PUBLISHED_NAMES[path[0]]
        renamed[f"{module}.{leaf}"] = tensor
    return renamed
