"""Read weights of a network in any known form, under eyespot's names."""

from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor, nn

from eyespot.data.transforms import Preprocessing
from eyespot.errors import WeightsError
from eyespot.models.catalogue import Network
from eyespot.weights.checkpoints import Checkpoint, read_checkpoint
from eyespot.weights.foreign import forms


@dataclass(frozen=True, slots=True)
class Imported:
    """Weights under eyespot's names. `form`: the names and layout that they had."""

    state: dict[str, Tensor]
    form: str
    preprocessing: Preprocessing
    checkpoint: Checkpoint


def read_weights(model: nn.Module, network: Network, path: Path) -> Imported:
    """Read weights of `network` in any form that is known for it; `model` is such a network.

    Raises WeightsError if the file is damaged or has none of these forms. `fitting.fit` checks
    missing tensors and shapes.
    """
    checkpoint = read_checkpoint(path)
    own = model.state_dict()
    for form in forms(network, model):
        try:
            state = form.to_ours(checkpoint.tensors)
        except (LookupError, ValueError):
            continue
        if state and state.keys() <= own.keys():
            preprocessing = replace(
                network.preprocessing,
                mean=form.mean or network.preprocessing.mean,
                std=form.std or network.preprocessing.std,
            )
            flat = {  # some have fully connected layers as convolutions
                key: tensor.flatten(1) if (tensor.ndim, own[key].ndim) == (4, 2) else tensor
                for key, tensor in state.items()
            }
            return Imported(flat, form.name, preprocessing, checkpoint)
    theirs = ", ".join(list(checkpoint.tensors)[:3]) or "nothing"
    known = ", ".join(form.name for form in forms(network, model))
    raise WeightsError(
        f"{path} has no weights of {network.name} in a known form ({known}): it begins with "
        f"{theirs}. Check that it is a file of this network."
    )
