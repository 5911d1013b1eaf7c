"""Fresh weights for training from scratch."""

from torch import nn

from eyespot.errors import UsageError
from eyespot.models.layers import initialise_he

INITIALISATIONS = ("default", "gaussian", "xavier", "he")


def initialise(network: nn.Module, name: str) -> None:
    """Fill the weights of `network` anew, in place; `default` leaves them as the network made them.

    gaussian: deviation 0.01 (Krizhevsky et al. 2012, section 5). xavier: uniform, so that signals
    keep their variance both ways (Glorot and Bengio, AISTATS 2010, equation 16). he: see
    `models.layers.initialise_he`. Raises UsageError for another name.
    """
    if name not in INITIALISATIONS:
        raise UsageError(
            f"There is no initialisation '{name}'. Choose one of: {', '.join(INITIALISATIONS)}."
        )
    if name == "he":
        initialise_he(network)
    elif name != "default":
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                if name == "gaussian":
                    nn.init.normal_(module.weight, std=0.01)
                else:
                    nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
