"""EfficientNet-Lite: EfficientNet made fit for small devices.

Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019
(table 1 has the stages, section 3.3 the compound scaling), and the "Lite" variant of the same
authors (2020): no squeeze-and-excitation, ReLU6 for swish, stem and head not scaled.
The blocks are MobileNetV2's inverted residuals (Sandler et al. 2018, section 3.3).
"""

import math
from collections.abc import Iterable
from functools import partial
from typing import cast

from torch import Tensor

from eyespot.models.convnet import ConvNet
from eyespot.models.layers import LinearHead, initialise_he
from eyespot.models.mobilenet_v2 import InvertedResidual, inverted_stages

STAGES = (
    (1, 3, 16, 1, 1),
    (6, 3, 24, 2, 2),
    (6, 5, 40, 2, 2),
    (6, 3, 80, 3, 2),
    (6, 5, 112, 3, 1),
    (6, 5, 192, 4, 2),
    (6, 3, 320, 1, 1),
)
"""Expansion, kernel, channels, blocks, and stride of the first block: table 1."""
VARIANTS = {
    "efficientnet_lite0": (1.0, 1.0, 0.2),
    "efficientnet_lite1": (1.0, 1.1, 0.2),
    "efficientnet_lite2": (1.1, 1.2, 0.3),
}
"""Compound scaling: how much wider and deeper than Lite0; the head's dropout."""


class EfficientNetLite(ConvNet):
    """float32 [N, in_channels, H, W] -> logits [N, num_classes]."""

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
    """`VARIANTS[name]`, with random weights."""
    width, depth, dropout = VARIANTS[name]
    first, *scaled, last = STAGES  # "Lite" keeps the number of blocks of the first and last stage
    deeper = [(*row[:3], math.ceil(row[3] * depth), row[4]) for row in scaled]
    stages = inverted_stages(in_channels, 32, 1280, [first, *deeper, last], width, same=True)
    head = partial(LinearHead, dropout=dropout)
    return initialise_he(EfficientNetLite(stages, in_channels, 1280, num_classes, head))


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
    modules = model.named_modules()
    blocks = [name for name, module in modules if isinstance(module, InvertedResidual)]
    renamed = {}
    for key, tensor in state.items():
        *path, leaf = key.split(".")
        if path[0] == "_blocks":
            module = f"{blocks[int(path[1])]}.{PUBLISHED_BLOCK_NAMES[path[2]]}"
        else:
            module = PUBLISHED_NAMES[path[0]]
        renamed[f"{module}.{leaf}"] = tensor
    return renamed
