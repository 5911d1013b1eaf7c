"""Build a network of the catalogue. Importing this file does not import torch."""

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from eyespot.errors import UsageError
from eyespot.models.catalogue import Network

if TYPE_CHECKING:
    from eyespot.models.convnet import ConvNet


def build(
    network: Network, num_classes: int | None = None, in_channels: int | None = None
) -> "ConvNet":
    """Build `network` with random weights; None for its paper's classes and channels.

    Raises UsageError for fewer than one of either.
    """
    for what, value in (("num_classes", num_classes), ("in_channels", in_channels)):
        if value is not None and value < 1:
            raise UsageError(f"{what} must be 1 or more, not {value}.")
    constructor: Callable[..., ConvNet] = import_module(network.module).build
    return constructor(
        network.name,
        num_classes=network.num_classes if num_classes is None else num_classes,
        in_channels=network.in_channels if in_channels is None else in_channels,
    )
