"""Networks as tests need them."""

import torch
from torch import nn


def use_statistics(network: nn.Module) -> None:
    """Give batch norms numbers that are not those of a fresh network, in place: 0 and 1 would
    hide a wrong epsilon, a swapped pair or a norm that is left out."""
    torch.manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.1)
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
