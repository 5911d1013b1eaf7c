"""What a network is made of: its layers in the order they run, what each costs and what it sees.

Multiply-adds are half of what torch's own counter of operations says. Receptive fields grow as
Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill
2019, derive: a window of k positions that are j pixels apart adds (k - 1) j pixels, and a stride
of s makes the next positions s j pixels apart. Both watch the operations that torch really runs,
so they hold for whatever a network does between its modules. On torch's `meta` device nothing is
computed and no memory is needed: the largest network takes a fraction of a second.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode
from torch.utils.weak import WeakTensorKeyDictionary

from eyespot.models.catalogue import Network
from eyespot.models.registry import build

FLOAT = 4
"""Bytes of a float32."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One run of a module that has no modules within.

    `kind`: the operation, window and stride, as in "Conv 3x3/2". `shape`: of what it gives for one
    picture, [C, H, W] or [C]. `macs`: multiply-adds for one picture. `receptive_field`: height of
    the part of the picture that one position sees, in pixels; None for the whole picture. `jump`:
    pixels between what two neighbouring positions see; 0 for the whole picture. `memory`: bytes of
    what it gives in float32; 0 for what works on each number alone and may write over its input.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    macs: int
    receptive_field: int | None
    jump: int
    memory: int


@dataclass(frozen=True, slots=True)
class Totals:
    """Of a network and one picture.

    `parameters`: all the network has, also those of classifiers that only training uses. `macs`:
    of a prediction. `memory`: bytes of one forward pass in float32: the picture, and what each
    convolution, pooling and fully connected layer gives (as lecture 9 of Stanford's CS231n adds
    them up); what comes between can be written over its input.
    """

    parameters: int
    macs: int
    memory: int


def anatomy(network: nn.Module, shape: tuple[int, int, int]) -> list[Layer]:
    """The layers of `network`, in the order they run on one picture of `shape` [C, H, W].

    Nothing is computed if the network is on torch's `meta` device. Parameters that two modules
    share count for the first.
    """
    home = next(network.parameters()).device
    picture = torch.zeros(1, *shape, device=home)
    counter, fields = FlopCounterMode(display=False), _Fields(picture)
    layers: list[Layer] = []
    seen: set[nn.Parameter] = set()
    before = 0

    def enter(module: nn.Module, inputs: Any) -> None:
        nonlocal before
        before = counter.get_total_flops()
        fields.windows = 0

    def leave(module: nn.Module, inputs: Any, output: Tensor) -> None:
        own = set(module.parameters()) - seen
        seen.update(own)
        field = fields.of(output)
        layers.append(
            Layer(
                names[module],
                kind_of(module),
                tuple(output.shape[1:]),
                sum(parameter.numel() for parameter in own),
                (counter.get_total_flops() - before) // 2,
                field.size,
                field.jump,
                output[0].numel() * FLOAT if fields.windows else 0,
            )
        )

    names = {module: name for name, module in network.named_modules()}
    leaves = [module for module in names if next(module.children(), None) is None]
    hooks = [module.register_forward_pre_hook(enter) for module in leaves]
    hooks += [module.register_forward_hook(leave) for module in leaves]
    training = network.training
    try:
        with torch.no_grad(), counter, fields:
            network.eval()(picture)
    finally:
        network.train(training)
        for hook in hooks:
            hook.remove()
    return layers


def totals(network: nn.Module, layers: Sequence[Layer], shape: tuple[int, int, int]) -> Totals:
    """What the layers that `anatomy` found in `network` for `shape` add up to."""
    return Totals(
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        macs=sum(layer.macs for layer in layers),
        memory=torch.Size(shape).numel() * FLOAT + sum(layer.memory for layer in layers),
    )


def dissect(network: Network) -> tuple[list[Layer], Totals]:
    """Layers and totals of `network` with its paper's classes and input."""
    side = network.preprocessing.size
    shape = (network.in_channels, side, side)
    with torch.device("meta"):
        model = build(network)
    layers = anatomy(model, shape)
    return layers, totals(model, layers, shape)


def shapes_of(network: Network) -> dict[str, tuple[int, ...]]:
    """[C, H, W] of the maps that each stage of `network` gives."""
    side = network.preprocessing.size
    with torch.device("meta"), torch.no_grad():
        model = build(network).eval()
        maps = model.forward_features(torch.zeros(1, network.in_channels, side, side))
    return {stage: tuple(values.shape[1:]) for stage, values in maps.items()}


def kind_of(module: nn.Module) -> str:
    """A module's operation, window and stride: "Conv 5x5/2, 2 groups", "MaxPool 3x3/2", "Dense"."""
    name = type(module).__name__.removesuffix("Same").removesuffix("2d")
    if isinstance(module, nn.Linear):
        return "Dense"
    window: Any = getattr(module, "kernel_size", None) or getattr(module, "kernel", None)
    if window is None:
        return name
    stride = _first(getattr(module, "stride", 1))
    what = f"{_first(window)}x{_last(window)}" + (f"/{stride}" if stride != 1 else "")
    if not isinstance(module, nn.Conv2d):
        return f"{name} {what}"
    if module.groups == module.in_channels > 1:
        return f"Depthwise {what}"
    return f"Conv {what}" + (f", {module.groups} groups" if module.groups > 1 else "")


class Field(NamedTuple):
    """What a position sees: `size` pixels (None: all), `jump` pixels from its neighbour's."""

    size: int | None
    jump: int


WHOLE = Field(None, 0)


class _Fields(TorchDispatchMode):
    """While it is on, what each tensor that comes of `picture` sees of it.

    Where branches meet, the widest counts: the narrower lie within it in every network here.
    """

    windows: int
    """Convolutions, poolings and matrix products since somebody set it to 0."""

    def __init__(self, picture: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._fields = WeakTensorKeyDictionary()
        self._fields[picture] = Field(1, 1)
        self.windows = 0

    def of(self, tensor: Tensor) -> Field:
        field: Field = self._fields[tensor]
        return field

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        inputs = [a for a in tree_leaves((args, kwargs)) if isinstance(a, Tensor)]
        known = [self.of(tensor) for tensor in inputs if tensor in self._fields]
        if known:
            field = max(known, key=lambda field: (field.size is None, field.size, field.jump))
            window = _window(func.overloadpacket, args)
            if window is not None:
                self.windows += 1
                field = _grown(field, *window)
            for tensor in tree_leaves(out):
                self._fields[tensor] = field
        return out


def _grown(field: Field, extent: int | None, stride: int) -> Field:
    if extent is None or field.size is None:
        return WHOLE
    return Field(field.size + (extent - 1) * field.jump, field.jump * stride)


def _window(operation: Any, args: Sequence[Any]) -> tuple[int | None, int] | None:
    """Extent and stride of the window an operation moves over its maps, in positions.

    The extent is None if it takes in all positions. None for operations without a window, and for
    poolings that have nothing to pool.
    """
    aten = torch.ops.aten
    if operation is aten.convolution:
        _, weight, _, stride, _, dilation, *_ = args
        return dilation[0] * (weight.shape[2] - 1) + 1, stride[0]
    if operation in (aten.max_pool2d_with_indices, aten.avg_pool2d):
        _, kernel, *strides = args
        dilation = args[4] if operation is aten.max_pool2d_with_indices and len(args) > 4 else 1
        stride = strides[0] if strides and strides[0] else kernel
        return _first(dilation) * (_first(kernel) - 1) + 1, _first(stride)
    if operation is aten._adaptive_avg_pool2d:
        before, after = args[0].shape[2], args[1][0]
        # Windows of one size where the positions divide evenly; else the widest of them.
        extent = -(-before // after) + (before % after > 0)
        return (extent, before // after) if before > after else None
    if operation is aten.mean and args[0].ndim == 4 and any(dim % 4 >= 2 for dim in args[1]):
        return (None, 1) if args[0].shape[2:].numel() > 1 else None
    return (None, 1) if operation in (aten.mm, aten.addmm) else None


def _first(value: int | Sequence[int]) -> int:
    return value if isinstance(value, int) else value[0]


def _last(value: int | Sequence[int]) -> int:
    return value if isinstance(value, int) else value[-1]
