"""Numeric precision of training. Weights, gradients and losses are always float32."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

import torch
from torch import Tensor, nn

from eyespot.features.conversion import computes_bf16


def fastest(device: torch.device) -> str:
    """bf16 where `device` computes in it, else fp32."""
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    return "bf16" if device.type == "cpu" and computes_bf16() else "fp32"


def autocast(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """A context in which networks compute in bfloat16 if `precision` is bf16."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")


def keep_depthwise_exact(network: nn.Module) -> None:
    """Compute wide depthwise filters in float32 on CPUs, even under bfloat16.

    Measured (Zen 4, torch 2.13, 32 x 672 x 14 x 14, filters of 5 x 5, channels last): their
    gradients take 241 ms in bfloat16 and 12 ms in float32.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.groups > 1 and max(module.kernel_size) > 3:
            module.forward = partial(_exact, module.forward)  # type: ignore[method-assign]


def _exact(forward: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    with torch.autocast("cpu", enabled=False):
        return forward(x.float())
