"""Every network by name, timm's included, with or without weights.

Importing this file does not import torch.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from eyespot.errors import UsageError
from eyespot.models.catalogue import NETWORKS, Network
from eyespot.models.facts import Facts, known_facts
from eyespot.nearest import nearest_name
from eyespot.shown import shown

if TYPE_CHECKING:
    from eyespot.models.convnet import ConvNet

__all__ = ["NETWORKS", "Network", "create", "facts_of", "find"]


def find(name: str) -> Network:
    """The network called `name`; any network of timm as "timm:NAME".

    Raises UsageError with the nearest valid name, MissingExtraError if timm is not installed.
    """
    given: object = name
    if not isinstance(given, str):
        raise UsageError(f"The name of a network must be a string; got {shown(given)}.")
    if name in NETWORKS:
        return NETWORKS[name]
    if name.startswith("timm:"):
        from eyespot.weights.timm_zoo import describe

        return describe(name)
    near = nearest_name(name, NETWORKS)
    hint = f"did you mean '{near}'?" if near else "list all networks with: eyespot zoo"
    raise UsageError(f"Unknown network {shown(name)}; {hint}")


def facts_of(name: str) -> Facts:
    """Layers, costs and stage shapes of the network called `name`.

    timm's networks are built and taken apart, which needs torch. Raises as `find` does.
    """
    network = find(name)
    if name in NETWORKS:
        return known_facts(name)
    from eyespot.models.anatomy import dissect

    return dissect(network)


def create(
    name: str,
    *,
    num_classes: int | None = None,
    weights: str | Path | None = None,
    in_channels: int | None = None,
) -> "ConvNet":
    """Build a network for float32 [N, in_channels, H, W], standardised by its `preprocessing`.

    `num_classes`, `in_channels`: None for the paper's (1000 and 3 for ImageNet). `weights`: None
    for random initial weights, "imagenet" for pretrained ones, which are downloaded if necessary,
    or a file. With `weights`, a head for another number of classes or a first layer for other
    channels keeps its random weights; without `num_classes`, the head has the classes of the file.
    Raises UsageError for an unknown name, WeightsError if the weights cannot be found or read.
    """
    network = find(name)
    if weights is None:
        return network.build(num_classes, in_channels)
    from eyespot.weights.fitting import file_of, load_into

    path = file_of(network, weights)  # missing weights must not cost the memory of a network
    model = network.build(num_classes, in_channels)
    load_into(model, network, path, fresh_head=num_classes is not None)
    return model
