"""MobileNetV2: bottlenecks turned inside out.

Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018: the block of
section 3.3, the stages of table 2, the width multiplier of section 4.
"""

from collections.abc import Iterable
from functools import partial

from torch import Tensor, nn

from eyespot.models.convnet import ConvNet
from eyespot.models.layers import ConvNorm, LinearHead, initialise_he

STAGES = (
    (1, 3, 16, 1, 1),
    (6, 3, 24, 2, 2),
    (6, 3, 32, 3, 2),
    (6, 3, 64, 4, 2),
    (6, 3, 96, 3, 1),
    (6, 3, 160, 3, 2),
    (6, 3, 320, 1, 1),
)
"""Expansion, kernel, channels, blocks, and stride of the first block."""


class InvertedResidual(nn.Module):
    """Expand with 1x1, filter each channel, project back with a linear 1x1; add the input if
    neither size nor channels change. [N, C, H, W] -> [N, O, ceil(H/s), ceil(W/s)].

    `same`: see `ConvNorm`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        expansion: int,
        kernel: int,
        stride: int,
        same: bool = False,
    ) -> None:
        super().__init__()
        hidden = in_channels * expansion
        conv = partial(ConvNorm, same=same)
        self.expand = conv(in_channels, hidden) if expansion > 1 else nn.Identity()
        self.depthwise = conv(hidden, hidden, kernel, stride, groups=hidden)
        self.project = conv(hidden, out_channels, activation=False)
        self.residual = stride == 1 and in_channels == out_channels

    def hidden(self, x: Tensor) -> Tensor:
        """The wide maps within: [N, C, H, W] -> [N, C * expansion, ceil(H/s), ceil(W/s)]."""
        maps: Tensor = self.depthwise(self.expand(x))
        return maps

    def output(self, x: Tensor, hidden: Tensor) -> Tensor:
        y: Tensor = self.project(hidden)
        return x + y if self.residual else y

    def forward(self, x: Tensor) -> Tensor:
        return self.output(x, self.hidden(x))


def scaled_channels(channels: int, width: float) -> int:
    """Channels times width, rounded to a multiple of 8, never below 90 % of the product."""
    scaled = channels * width
    rounded = max(8, int(scaled + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * scaled else rounded


def build(name: str, num_classes: int, in_channels: int) -> ConvNet:
    """`mobilenet_v2`, or `mobilenet_v2_WIDTH`, with random weights."""
    width = 1.0 if name == "mobilenet_v2" else float(name.split("_")[2])
    channels = in_channels, scaled_channels(32, width), scaled_channels(1280, max(width, 1.0))
    stages = inverted_stages(*channels, STAGES, width)
    head = partial(LinearHead, dropout=0.2)
    return initialise_he(ConvNet(stages, in_channels, channels[-1], num_classes, head))


def inverted_stages(
    in_channels: int,
    stem: int,
    top: int,
    rows: Iterable[tuple[int, int, int, int, int]],
    width: float,
    same: bool = False,
) -> dict[str, nn.Module]:
    """A convolution to `stem` channels, the stages of `rows` (see `STAGES`), one to `top`."""
    stages: dict[str, nn.Module] = {"stem": ConvNorm(in_channels, stem, 3, stride=2, same=same)}
    channels = stem
    for number, (expansion, kernel, wanted, repeats, stride) in enumerate(rows, start=1):
        out_channels, blocks = scaled_channels(wanted, width), nn.Sequential()
        for _ in range(repeats):
            blocks.append(InvertedResidual(channels, out_channels, expansion, kernel, stride, same))
            channels, stride = out_channels, 1
        stages[f"stage{number}"] = blocks
    stages["top"] = ConvNorm(channels, top, same=same)
    return stages


def torchvision_names(name: str) -> dict[str, str]:
    """torchvision's names of layers, which it numbers through all stages, and eyespot's."""
    names = {"classifier.1": "head.linear"}
    convs = {"features.0": "stages.stem", "features.18": "stages.top"}
    theirs = 1
    for number, (expansion, *_, repeats, _) in enumerate(STAGES, start=1):
        for index in range(repeats):
            block = f"stages.stage{number}.{index}"
            inner = ["expand", "depthwise"] if expansion > 1 else ["depthwise"]
            for place, layer in enumerate(inner):
                convs[f"features.{theirs}.conv.{place}"] = f"{block}.{layer}"
            last = len(inner)
            names[f"features.{theirs}.conv.{last}"] = f"{block}.project.conv"
            names[f"features.{theirs}.conv.{last + 1}"] = f"{block}.project.norm"
            theirs += 1
    for module, ours in convs.items():
        names |= {f"{module}.0": f"{ours}.conv", f"{module}.1": f"{ours}.norm"}
    return names
