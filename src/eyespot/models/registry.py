"""The networks by name, and how to build one. Importing this file does not import torch."""

import difflib
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from eyespot.errors import UsageError
from eyespot.models.catalogue import NETWORKS, Network

if TYPE_CHECKING:
    from eyespot.models.convnet import ConvNet

__all__ = ["NETWORKS", "Network", "create", "find"]


def find(name: str) -> Network:
    """The registered network called `name`. Raises UsageError with the nearest valid name."""
    if name in NETWORKS:
        return NETWORKS[name]
    near = difflib.get_close_matches(name, NETWORKS, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"known names: {', '.join(NETWORKS)}."
    raise UsageError(f"There is no network called '{name}'; {hint}")


def create(
    name: str,
    *,
    num_classes: int | None = None,
    weights: str | None = None,
    in_channels: int | None = None,
) -> "ConvNet":
    """Build a network.

    `num_classes`, `in_channels`: None for those of the network's paper (1000 and 3 for those of
    ImageNet). `weights`: None for fresh random ones, "imagenet" for pretrained ones (then a head
    for another number of classes, or input channels, is left fresh). The network takes float32
    [N, in_channels, H, W], standardised as its `preprocessing` says.
    Raises UsageError for an unknown name, WeightsError if the weights cannot be found.
    """
    network = find(name)
    for what, value in (("num_classes", num_classes), ("in_channels", in_channels)):
        if value is not None and value < 1:
            raise UsageError(f"{what} must be 1 or more, not {value}.")
    build: Callable[..., ConvNet] = import_module(network.module).build
    model = build(
        name,
        num_classes=network.num_classes if num_classes is None else num_classes,
        in_channels=network.in_channels if in_channels is None else in_channels,
    )
    if weights is None:
        return model
    if weights != "imagenet":
        raise UsageError(f"weights must be None or 'imagenet', not {weights!r}.")
    from eyespot.models.weights import load_into

    load_into(model, network)
    return model
