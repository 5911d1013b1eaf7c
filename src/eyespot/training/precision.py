"""In which numbers networks compute. Weights, gradients and losses are float32 in any case."""

from contextlib import AbstractContextManager, nullcontext

import torch

from eyespot.features.processor import computes_bf16


def fastest(device: torch.device) -> str:
    """bf16 where `device` computes in it, else fp32."""
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    return "bf16" if device.type == "cpu" and computes_bf16() else "fp32"


def precise(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """Where networks compute in bfloat16 if that is the `precision`, fp32 or bf16."""
    if precision == "bf16":
        return torch.autocast(device.type, torch.bfloat16)
    return nullcontext()
