"""LeNet-5 for handwritten digits.

LeCun, Bottou, Bengio and Haffner, "Gradient-Based Learning Applied to Document Recognition",
Proceedings of the IEEE 86(11), 1998, section II-B: float32 [N, 1, 32, 32] -> logits [N, 10].
60,000 weights up to layer F6, as the paper's counts of each layer add up.
"""

from collections import Counter

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eyespot.models.convnet import ConvNet
from eyespot.models.layers import Dense, LinearHead

C3_INPUTS = (
    *((i, (i + 1) % 6, (i + 2) % 6) for i in range(6)),
    *((i, (i + 1) % 6, (i + 2) % 6, (i + 3) % 6) for i in range(6)),
    (0, 1, 3, 4),
    (1, 2, 4, 5),
    (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)
"""Table I: the maps of S2 that each of the sixteen maps of C3 is connected to."""


def build(name: str, num_classes: int, in_channels: int) -> ConvNet:
    """`lenet5` (the modern form), `lenet5_1998` or `lenet5_1998_rbf`, with random weights."""
    stages = modern(in_channels) if name == "lenet5" else original(in_channels)
    head = RadialBasisHead if name == "lenet5_1998_rbf" else LinearHead
    network = ConvNet(stages, in_channels, 84, num_classes, head, min_size=32, fixed_size=True)
    if name != "lenet5":
        initialise_by_fan_in(network)
    return network


@torch.no_grad()
def initialise_by_fan_in(network: nn.Module) -> None:
    """Draw weights, in place: uniform up to 2.4 / the number of inputs of the unit (appendix A).
    Biases are 0; the paper gives none."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            fan_in: Tensor | int = layer.weight[0].numel()
        elif isinstance(layer, SparseConv2d):
            maps = Counter(layer.outputs)
            seen = torch.tensor([maps[output] for output in layer.outputs])
            fan_in = seen[:, None, None] * layer.weight[0].numel()
        elif isinstance(layer, Subsampling):
            fan_in = 4
        else:
            continue
        layer.weight.uniform_(-1, 1).mul_(2.4 / fan_in)
        if layer.bias is not None:
            layer.bias.zero_()


def original(in_channels: int) -> dict[str, nn.Module]:
    return {
        "c1": nn.Sequential(nn.Conv2d(in_channels, 6, 5), ScaledTanh()),
        "s2": nn.Sequential(Subsampling(6), ScaledTanh()),
        "c3": nn.Sequential(SparseConv2d(C3_INPUTS, 5), ScaledTanh()),
        "s4": nn.Sequential(Subsampling(16), ScaledTanh()),
        "c5": nn.Sequential(nn.Conv2d(16, 120, 5), ScaledTanh()),
        "f6": nn.Sequential(Dense(120, 84), ScaledTanh()),
    }


def modern(in_channels: int) -> dict[str, nn.Module]:
    """ReLU for tanh, max pooling for subsampling, and a C3 connected to all maps."""
    return {
        "c1": nn.Sequential(nn.Conv2d(in_channels, 6, 5), nn.ReLU(inplace=True)),
        "s2": nn.MaxPool2d(2),
        "c3": nn.Sequential(nn.Conv2d(6, 16, 5), nn.ReLU(inplace=True)),
        "s4": nn.MaxPool2d(2),
        "c5": nn.Sequential(nn.Conv2d(16, 120, 5), nn.ReLU(inplace=True)),
        "f6": nn.Sequential(Dense(120, 84), nn.ReLU(inplace=True)),
    }


class ScaledTanh(nn.Module):
    """1.7159 tanh(2x / 3), which is 1 at 1 (appendix A)."""

    def forward(self, x: Tensor) -> Tensor:
        return 1.7159 * torch.tanh(x * (2 / 3))


class Subsampling(nn.Module):
    """Sums of 2 x 2 positions, times a weight, plus a bias, both one per map."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels, 1, 1), 0.25))
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return 4 * F.avg_pool2d(x, 2) * self.weight + self.bias


class SparseConv2d(nn.Module):
    """Convolution whose output maps are connected to some input maps only.

    `inputs`: for each output map, the indices of its input maps.
    """

    def __init__(self, inputs: tuple[tuple[int, ...], ...], kernel: int) -> None:
        super().__init__()
        pairs = [(out, seen) for out, maps in enumerate(inputs) for seen in maps]
        self.outputs, self.inputs = zip(*pairs, strict=True)
        self.shape = (len(inputs), max(self.inputs) + 1, kernel, kernel)
        self.weight = nn.Parameter(torch.zeros(len(pairs), kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(len(inputs)))

    def forward(self, x: Tensor) -> Tensor:
        outputs, inputs, *kernel = self.shape
        places = torch.tensor(self.outputs) * inputs + torch.tensor(self.inputs)
        # Scattering, because OpenVINO cannot convert an assignment to places.
        rows = self.weight.new_zeros(outputs * inputs, *kernel)
        where = places.to(x.device).view(-1, 1, 1).expand_as(self.weight)
        dense = rows.scatter(0, where, self.weight).view(self.shape)
        return F.conv2d(x, dense, self.bias)


class RadialBasisHead(nn.Module):
    """Minus the squared distance of F6 to a code of 84 signs per class: logits [N, num_classes].

    Equation 7; the softmax of its negative is the posterior of equation 9. The codes are not
    trained. The paper drew them as small images of the characters and names random signs as the
    alternative; these are random signs with a fixed seed.
    """

    def __init__(self, num_features: int, num_classes: int) -> None:
        super().__init__()
        codes = torch.randint(
            2, (num_classes, num_features), generator=torch.Generator().manual_seed(1998)
        )
        self.codes = nn.Buffer(2.0 * codes - 1)

    def forward(self, maps: Tensor) -> Tensor:
        differences = maps.flatten(1)[:, None, :] - self.codes
        return -(differences * differences).sum(2)
