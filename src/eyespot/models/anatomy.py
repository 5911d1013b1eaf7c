"""Take a network apart: its layers in the order they run, their costs and receptive fields.

Multiply-adds are half of torch's count of floating-point operations. Receptive fields follow
Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill
2019: a window of k positions that are j pixels apart adds (k - 1) j pixels, and a stride of s
makes the next positions s j pixels apart. Both watch the operations that torch runs, so they
include what a network does between its modules. On torch's `meta` device nothing is computed.

Run this file to write the facts of all networks of the catalogue: python -m eyespot.models.anatomy
"""

import json
from collections.abc import Sequence
from dataclasses import astuple
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode
from torch.utils.weak import WeakTensorKeyDictionary

from eyespot.models.catalogue import NETWORKS, Network
from eyespot.models.facts import FILE, Facts, Layer, Totals

FLOAT = 4
"""Bytes of a float32."""


def dissect(network: Network) -> Facts:
    """Build `network` with its paper's classes and input, and take it apart."""
    side = network.preprocessing.size
    shape = (network.in_channels, side, side)
    with torch.device("meta"), torch.no_grad():
        model = network.build().eval()
        maps = model.forward_features(torch.zeros(1, *shape))
    layers = anatomy(model, shape)
    stages = {stage: tuple(values.shape[1:]) for stage, values in maps.items()}
    return Facts(totals(model, layers, shape), stages, tuple(layers))


def anatomy(network: nn.Module, shape: tuple[int, int, int]) -> list[Layer]:
    """The layers of `network`, in the order they run on one image of `shape` [C, H, W].

    Nothing is computed if the network is on torch's `meta` device. Shared parameters count for
    the first module that has them.
    """
    image = torch.zeros(1, *shape, device=next(network.parameters()).device)
    counter, fields = FlopCounterMode(display=False), _Fields(image)
    layers: list[Layer] = []
    counted: set[nn.Parameter] = set()
    before = 0

    def enter(module: nn.Module, inputs: Any) -> None:
        nonlocal before
        before = counter.get_total_flops()
        fields.windows = 0

    def leave(module: nn.Module, inputs: Any, output: Tensor) -> None:
        own = set(module.parameters()) - counted
        counted.update(own)
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
            network.eval()(image)
    finally:
        network.train(training)
        for hook in hooks:
            hook.remove()
    return layers


def totals(network: nn.Module, layers: Sequence[Layer], shape: tuple[int, int, int]) -> Totals:
    """Sum the costs of the layers that `anatomy` found in `network` for an image of `shape`."""
    return Totals(
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        macs=sum(layer.macs for layer in layers),
        memory=torch.Size(shape).numel() * FLOAT + sum(layer.memory for layer in layers),
    )


def kind_of(module: nn.Module) -> str:
    """A module's operation, window and stride: "Conv 5x5/2, 2 groups", "MaxPool 3x3/2", "Dense"."""
    name = type(module).__name__.removesuffix("Same").removesuffix("2d")
    if isinstance(module, nn.Linear):
        return "Dense"
    kernel: Any = getattr(module, "kernel_size", None) or getattr(module, "kernel", None)
    if kernel is None:
        return name
    stride = _first(getattr(module, "stride", 1))
    window = f"{_first(kernel)}x{_last(kernel)}" + (f"/{stride}" if stride != 1 else "")
    if not isinstance(module, nn.Conv2d):
        return f"{name} {window}"
    if module.groups == module.in_channels > 1:
        return f"Depthwise {window}"
    return f"Conv {window}" + (f", {module.groups} groups" if module.groups > 1 else "")


class Field(NamedTuple):
    """Receptive field: `size` in pixels (None: the whole image), `jump` to the next position's."""

    size: int | None
    jump: int


WHOLE = Field(None, 0)


class _Fields(TorchDispatchMode):
    """While active, records the receptive field of each tensor computed from `image`.

    Where branches meet, the widest counts: the narrower lie within it in every network here.
    """

    windows: int
    """Convolutions, poolings and matrix products since it was last set to 0."""

    def __init__(self, image: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._fields = WeakTensorKeyDictionary()
        self._fields[image] = Field(1, 1)
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
    """Extent and stride, in positions, of the window that an operation moves over its input.

    The extent is None if the window covers all positions. None for operations without a window and
    for poolings of a single position.
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


def write_facts() -> None:
    """Write the facts of all networks of the catalogue, a line each. Takes about a minute."""
    lines = []
    for name, network in NETWORKS.items():
        row = json.dumps(list(astuple(dissect(network))), separators=(",", ":"))
        lines.append(f'"{name}":{row}')
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


if __name__ == "__main__":
    write_facts()
