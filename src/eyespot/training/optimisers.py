"""Optimisers and the regularisation of weights."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from eyespot.training.plan import Plan, choose


def make_optimiser(network: nn.Module, plan: Plan) -> torch.optim.Optimizer:
    """The plan's optimiser, with weight decay for all but norms and biases (He et al., "Bag of
    Tricks", CVPR 2019, section 3.1). Raises UsageError for an unknown name."""
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": plan.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    nesterov = plan.nesterov and plan.momentum > 0
    optimisers: dict[str, Callable[..., torch.optim.Optimizer]] = {
        "sgd": partial(torch.optim.SGD, momentum=plan.momentum, nesterov=nesterov),
        "adam": torch.optim.Adam,
        "adamw": torch.optim.AdamW,
    }
    return choose("optimiser", plan.optimiser, optimisers)(groups, lr=plan.learning_rate)


def penalty(network: nn.Module) -> Tensor:
    """L1 norm of all weights, without norms and biases."""
    sizes = [parameter.abs().sum() for parameter in network.parameters() if parameter.ndim > 1]
    return torch.stack(sizes).sum()


@torch.no_grad()
def renorm(network: nn.Module, largest: float) -> None:
    """Limit the norm of each unit's incoming weights to `largest`, in place (max-norm:
    Srivastava et al., "Dropout", JMLR 2014, section 5.1)."""
    for parameter in network.parameters():
        if parameter.ndim > 1:
            parameter.copy_(torch.renorm(parameter, 2, 0, largest))
