"""Number formats of this machine's processor."""

from eyespot.errors import MissingExtraError
from eyespot.features.conversion import openvino_core


def computes_bf16() -> bool:
    """Whether the processor has instructions for bfloat16, which is then faster than float32."""
    try:
        core = openvino_core()
    except MissingExtraError:
        import torch

        return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
