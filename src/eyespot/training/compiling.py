"""Compile modules to machine code with torch.compile."""

import logging

import torch
from torch import nn

logger = logging.getLogger(__name__)


def compile_module(module: nn.Module, device: torch.device) -> bool:
    """Compile `module` at its first call; parameters and their names stay as they are.

    Returns False and logs a warning without a compiler (C++ for CPUs, Triton for GPUs).
    """
    try:
        torch.compile(torch.sin)(torch.zeros(1, device=device))
    except RuntimeError as error:  # as all of torch.compile's
        reason = str(error).strip().partition("\n")[0]
        logger.warning(
            "Networks cannot be compiled on this machine (%s). Training continues without "
            "compiling; for more speed install a C++ compiler, such as g++.",
            reason,
        )
        return False
    # Code for any batch size would depend on which size came first, and a resumed run would no
    # longer be bit by bit the uninterrupted one.
    module.compile(dynamic=False)
    return True
