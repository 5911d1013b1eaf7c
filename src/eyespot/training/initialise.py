"""Random initial weights for training from scratch."""

from collections.abc import Callable

from torch import nn

from eyespot.errors import UsageError
from eyespot.models.layers import initialise_gaussian, initialise_he, initialise_xavier

INITIALISATIONS: dict[str, Callable[[nn.Module], object]] = {
    "default": lambda network: None,
    "gaussian": initialise_gaussian,
    "xavier": initialise_xavier,
    "he": initialise_he,
}


def initialise(network: nn.Module, name: str) -> None:
    """Draw new weights for `network`, in place; `default` keeps those that its paper gives.

    Only convolutions and fully connected layers change: LeNet-5's sparse convolution and its
    subsampling keep the paper's. Raises UsageError for an unknown name.
    """
    if name not in INITIALISATIONS:
        raise UsageError(
            f"There is no initialisation '{name}'. Choose one of: {', '.join(INITIALISATIONS)}."
        )
    INITIALISATIONS[name](network)
