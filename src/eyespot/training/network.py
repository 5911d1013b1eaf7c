"""Prepare a network for training: random weights, preprocessing, objective, compilation."""

import logging
import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from eyespot.data.transforms import Preprocessing
from eyespot.models.convnet import ConvNet
from eyespot.models.layers import initialise_gaussian, initialise_he, initialise_xavier
from eyespot.training import processes
from eyespot.training.batch_norm import share_batch_norms
from eyespot.training.evaluate import standardised
from eyespot.training.images import ImageSet
from eyespot.training.losses import LOSSES
from eyespot.training.optimisers import penalty
from eyespot.training.plan import Plan, choose
from eyespot.training.precision import autocast, keep_depthwise_exact
from eyespot.weights import zoo

AUXILIARY_WEIGHT = 0.3
"""Weight of the losses of auxiliary classifiers (Szegedy et al. 2015, section 5)."""
SAMPLE = 2**28
"""Bytes of images, at most, from which mean and deviation are computed."""
INITIALISATIONS: dict[str, Callable[[nn.Module], object]] = {
    "default": lambda network: None,
    "gaussian": initialise_gaussian,
    "xavier": initialise_xavier,
    "he": initialise_he,
}

logger = logging.getLogger(__name__)


def build_network(plan: Plan, data: ImageSet, device: torch.device) -> ConvNet:
    """Build the plan's network with random weights for the classes and channels of `data`."""
    torch.manual_seed(plan.seed)
    channels = data.images.shape[3]
    model = zoo.create(plan.model, num_classes=len(data.classes), in_channels=channels)
    initialise(model, plan.initialisation)
    if plan.dropout is not None:
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.p = plan.dropout
    model = model.to(device)
    if device.type == "cpu":
        keep_depthwise_exact(model)
    if processes.count() > 1:
        share_batch_norms(model, device)
    return model.to(memory_format=torch.channels_last)  # type: ignore[no-any-return, call-overload]


def initialise(network: nn.Module, name: str) -> None:
    """Draw new weights for `network`, in place; `default` keeps those that its paper gives.

    Only convolutions and fully connected layers change: LeNet-5's sparse convolution and its
    subsampling keep the paper's. Raises UsageError for an unknown name.
    """
    choose("initialisation", name, INITIALISATIONS)(network)


class Objective(nn.Module):
    """Loss and logits from pixels and targets.

    One module, because torch averages the gradients of one module over processes.
    """

    def __init__(self, network: ConvNet, plan: Plan, preprocessing: Preprocessing) -> None:
        super().__init__()
        self.network = network
        self.plan = plan
        self.preprocessing = preprocessing

    def forward(self, pixels: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        loss_of = LOSSES[self.plan.loss]
        with autocast(self.plan.precision, pixels.device):
            maps = self.network.forward_features(standardised(pixels, self.preprocessing))
            logits = self.network.forward_head(list(maps.values())[-1])
            loss = loss_of(logits, targets)
            if (auxiliary := getattr(self.network, "auxiliary", None)) is not None:
                for auxiliary_logits in auxiliary(maps):
                    loss = loss + AUXILIARY_WEIGHT * loss_of(auxiliary_logits, targets)
        if self.plan.l1:
            loss = loss + self.plan.l1 * penalty(self.network)
        return loss, logits


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


def preprocessing_for(side: int, data: ImageSet, normalisation: str) -> Preprocessing:
    """Preprocessing with mean and deviation as `normalisation` (see `Plan`), from a sample."""
    count = min(5000, SAMPLE // math.prod(data.images.shape[1:]))
    every = np.arange(0, len(data), max(1, len(data) // count))
    sample = data.take(every).images.reshape(-1, data.images.shape[3])
    means, deviations = sample.mean(0, dtype=np.float64), np.ones(1)
    if normalisation == "mean":
        means = means.mean(keepdims=True)
    if normalisation == "standardised":
        deviations = sample.std(0, dtype=np.float64).clip(min=1)
    mean, std = (np.broadcast_to(values, 3).tolist() for values in (means, deviations))
    return Preprocessing(
        side, (mean[0], mean[1], mean[2]), (std[0], std[1], std[2]), crop_fraction=1.0
    )


def best_device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
