"""Every network by name, timm's included, with or without weights.

Importing this file does not import torch.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from eyespot.errors import UsageError
from eyespot.models.catalogue import NETWORKS, Network
from eyespot.models.registry import build
from eyespot.nearest import nearest_name
from eyespot.shown import shown

if TYPE_CHECKING:
    from eyespot.models.convnet import ConvNet

__all__ = ["NETWORKS", "Network", "create", "find"]


def find(name: str) -> Network:
    """The network called `name`, also any of timm's, as "timm:NAME".

    Raises UsageError with the nearest valid name, MissingExtraError if timm is not installed.
    """
    given: object = name
    if not isinstance(given, str):
        raise UsageError(f"A network is called by its name, a text; got {shown(given)}.")
    if name in NETWORKS:
        return NETWORKS[name]
    if name.startswith("timm:"):
        from eyespot.weights.timm_zoo import describe

        return describe(name)
    near = nearest_name(name, NETWORKS)
    hint = f"did you mean '{near}'?" if near else "all are listed by: eyespot zoo"
    raise UsageError(f"There is no network called {shown(name)}; {hint}")


def create(
    name: str,
    *,
    num_classes: int | None = None,
    weights: str | Path | None = None,
    in_channels: int | None = None,
) -> "ConvNet":
    """Build a network.

    `num_classes`, `in_channels`: None for those of the network's paper (1000 and 3 for those of
    ImageNet). `weights`: None for fresh random ones, "imagenet" for pretrained ones, which are
    downloaded if they must be, or a file of them (a head for another number of classes, or input
    channels, is left fresh; without `num_classes` it is for those of the weights). The network
    takes float32 [N, in_channels, H, W], standardised as the weights' `preprocessing` says.
    Raises UsageError for an unknown name, WeightsError if the weights cannot be found or read.
    """
    network = find(name)
    model = build(network, num_classes, in_channels)
    if weights is not None:
        from eyespot.weights.fitting import load_into

        load_into(model, network, weights, fresh_head=num_classes is not None)
    return model
