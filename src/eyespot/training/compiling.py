"""Modules as machine code of this machine, by torch.compile."""

import logging

import torch
from torch import nn

logger = logging.getLogger(__name__)


def compile_module(module: nn.Module, device: torch.device) -> bool:
    """Have `module` compiled where it is first called; its parameters and their names stay.

    Whether it will be: without a compiler (C++ for CPUs, Triton for GPUs) it stays as it is, and a
    warning says so.
    """
    try:
        torch.compile(torch.sin)(torch.zeros(1, device=device))
    except RuntimeError as error:  # as all of torch.compile's
        reason = str(error).strip().partition("\n")[0]
        logger.warning(
            "Networks cannot be compiled on this machine (%s). This one trains as it is; for more "
            "speed install a C++ compiler, such as g++.",
            reason,
        )
        return False
    # Each size of a batch on its own: code for any size would depend on which came first, and a
    # run that goes on would not be, bit by bit, the one that was never stopped.
    module.compile(dynamic=False)
    return True
