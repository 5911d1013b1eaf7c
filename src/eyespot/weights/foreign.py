"""Names and layouts of weights in other libraries: timm, TensorFlow, TensorFlow.js.

Each table maps their names to eyespot's (see `renamed`). torchvision's names are in the file of
each network.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TypeVar

from torch import Tensor, nn

from eyespot.models.catalogue import Network
from eyespot.models.layers import ConvNorm
from eyespot.models.mobilenet_v2 import InvertedResidual

State = dict[str, Tensor]
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Form:
    """One form of a network's weights. `to_ours`: rename and permute the tensors; may raise
    LookupError or ValueError for unknown names. `mean`, `std`: of pixels, where they differ from
    those of the network's own weights."""

    name: str
    to_ours: Callable[[State], State]
    mean: tuple[float, float, float] | None = None
    std: tuple[float, float, float] | None = None


def forms(network: Network, model: nn.Module) -> Iterator[Form]:
    """The known forms of the weights of `network`, eyespot's own first."""
    yield Form("eyespot", dict)
    module = import_module(network.module)
    if hasattr(module, "from_published"):
        yield Form("its authors", lambda state: module.from_published(model, state))
    if hasattr(module, "torchvision_names"):
        yield Form("torchvision", _renaming(module.torchvision_names(network.name)))
    family = network.module.rpartition(".")[2]
    if family == "vgg":
        yield Form("timm", _renaming(module.torchvision_names(network.name) | TIMM_VGG))
    elif family in ("mobilenet_v2", "efficientnet_lite"):
        yield Form("timm", _renaming(_timm_inverted_residuals(model)))
    elif family == "mobilenet_v1":
        yield Form("TensorFlow-Slim", _slim, mean=(128.0,) * 3, std=(128.0,) * 3)
    elif family == "squeezenet":
        yield Form("TensorFlow", _squeezenet, mean=(123.68, 116.779, 103.939), std=(1.0,) * 3)
    elif network.name == "tiny_yolo_face":  # not padded, as these weights expect
        yield Form("TensorFlow.js", _tiny_yolo)


def _renaming(table: Mapping[str, str]) -> Callable[[State], State]:
    return lambda state: renamed(state, table)


# VGG's first fully connected layers are convolutions in timm; ResNet's names are torchvision's.
TIMM_VGG = {
    "pre_logits.fc1": "stages.fc6.0",
    "pre_logits.fc2": "stages.fc7.0",
    "head.fc": "head.linear",
}


def _timm_inverted_residuals(model: nn.Module) -> dict[str, str]:
    """timm's names of MobileNetV2's and EfficientNet-Lite's layers; its stages count from 0."""
    names = {
        "conv_stem": "stages.stem.conv",
        "bn1": "stages.stem.norm",
        "conv_head": "stages.top.conv",
        "bn2": "stages.top.norm",
        "classifier": "head.linear",
    }
    expanding = ("conv_pw", "bn1", "conv_dw", "bn2", "conv_pwl", "bn3")
    plain = ("conv_dw", "bn1", "conv_pw", "bn2")
    for ours, block in model.named_modules():
        if not isinstance(block, InvertedResidual):
            continue
        _, stage, number = ours.split(".")
        theirs = f"blocks.{int(stage.removeprefix('stage')) - 1}.{number}"
        layers = [name for name, layer in block.named_children() if isinstance(layer, ConvNorm)]
        parts = [f"{ours}.{layer}.{part}" for layer in layers for part in ("conv", "norm")]
        inside = expanding if "expand" in layers else plain
        names |= {f"{theirs}.{a}": b for a, b in zip(inside, parts, strict=True)}
    return names


def _permuted(key: str, tensor: Tensor) -> Tensor:
    """TensorFlow's kernels [h, w, in, out], or [h, w, channels, 1] if depthwise, in torch's order:
    [out, in, h, w], [channels, 1, h, w]."""
    if tensor.ndim != 4:
        return tensor
    return tensor.permute(2, 3, 0, 1) if "depthwise_" in key else tensor.permute(3, 2, 0, 1)


def _from_tensorflow(state: State, table: Mapping[str, str]) -> State:
    dotted = {key.replace("/", "."): _permuted(key, tensor) for key, tensor in state.items()}
    return renamed(dotted, table)


def _slim(state: State) -> State:
    table = {
        "MobilenetV1.Logits.Conv2d_1c_1x1.weights": "head.linear.weight",
        "MobilenetV1.Logits.Conv2d_1c_1x1.biases": "head.linear.bias",
    }
    kinds = ("depthwise", "pointwise")
    layers = {f"Conv2d_{n}_{kind}": f"conv{n}.{kind}" for n in range(1, 14) for kind in kinds}
    layers["Conv2d_0"] = "conv0"
    inside = {
        "weights": "conv.weight",
        "depthwise_weights": "conv.weight",
        "BatchNorm.gamma": "norm.weight",
        "BatchNorm.beta": "norm.bias",
        "BatchNorm.moving_mean": "norm.running_mean",
        "BatchNorm.moving_variance": "norm.running_var",
    }
    for theirs, ours in layers.items():
        table |= {f"MobilenetV1.{theirs}.{a}": f"stages.{ours}.{b}" for a, b in inside.items()}
    converted = _from_tensorflow(state, table)
    for key in ("head.linear.weight", "head.linear.bias"):
        if len(converted[key]) == 1001:  # the first of their classes is the background
            converted[key] = converted[key][1:]
    return converted


def _squeezenet(state: State) -> State:
    inside = {"weights": "weight", "bias": "bias"}
    layers = {"conv1": "stages.conv1.conv", "conv10": "head.conv"}
    parts = {"squeeze1x1": "squeeze", "expand1x1": "expand1x1", "expand3x3": "expand3x3"}
    for fire in (f"fire{number}" for number in range(2, 10)):
        layers |= {f"{fire}.{a}": f"stages.{fire}.{b}" for a, b in parts.items()}
    table = {f"{a}.{c}": f"{b}.{d}" for a, b in layers.items() for c, d in inside.items()}
    converted = _from_tensorflow(state, table)
    first = "stages.conv1.conv.weight"
    converted[first] = converted[first].flip(1)  # trained on blue, green, red
    return converted


def _tiny_yolo(state: State) -> State:
    table = {
        "conv0.filters": "stages.conv0.conv.weight",
        "conv0.bias": "stages.conv0.conv.bias",
        "conv8.filters": "head.weight",
        "conv8.bias": "head.bias",
    }
    inside = {
        "depthwise_filter": "depthwise.weight",
        "pointwise_filter": "pointwise.weight",
        "bias": "pointwise.bias",
    }
    for conv in (f"conv{number}" for number in range(1, 6)):
        table |= {f"{conv}.{a}": f"stages.{conv}.{b}" for a, b in inside.items()}
    return _from_tensorflow(state, table)


def renamed(state: Mapping[str, Value], table: Mapping[str, str]) -> dict[str, Value]:
    """`state` with the names of layers replaced; names that are not in `table` stay.

    `table`: names of modules (or of single tensors) in the other library, and eyespot's. The
    longest prefix of whole components counts.
    """
    names = {}
    for key, value in state.items():
        parts = key.split(".")
        for length in range(len(parts), 0, -1):
            ours = table.get(".".join(parts[:length]))
            if ours is not None:
                key = ".".join([ours, *parts[length:]])
                break
        names[key] = value
    return names
