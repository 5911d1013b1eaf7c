"""Read weights of a network in any known form, and load them if they fit."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from eyespot.data.transforms import Preprocessing
from eyespot.errors import UsageError, WeightsError
from eyespot.models.catalogue import Network
from eyespot.models.convnet import ConvNet
from eyespot.weights.checkpoints import Checkpoint, read_checkpoint
from eyespot.weights.find import find_weights
from eyespot.weights.foreign import forms


@dataclass(frozen=True, slots=True)
class Imported:
    """Weights under eyespot's names. `form`: the names and layout that they had."""

    state: dict[str, Tensor]
    form: str
    preprocessing: Preprocessing
    checkpoint: Checkpoint


def read_weights(model: ConvNet, network: Network, path: Path) -> Imported:
    """Read weights of `network` in any form that is known for it; `model` is such a network.

    Raises WeightsError if the file is damaged or has none of these forms. `fit` checks
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


def fit(
    model: ConvNet,
    network: Network,
    state: Mapping[str, Tensor],
    path: Path,
    *,
    fresh_head: bool,
) -> None:
    """Load tensors with eyespot's names into `model`. Raises WeightsError that names a misfit.

    These may keep their random weights: the head (see `load_into`), auxiliary heads that `state`
    lacks, and the first convolution of a model for other channels than the network's own.
    """
    heads, own = model.head_names, model.state_dict()
    counts = {
        len(tensor)
        for key, tensor in state.items()
        if key.startswith(heads) and key in own and tensor.shape != own[key].shape
    }
    if not fresh_head and len(counts) == 1 and (count := counts.pop()):
        model.reset_head(count)
        own = model.state_dict()
    missing = {
        key
        for key in own.keys() - state.keys()
        if not key.endswith("num_batches_tracked") and not key.startswith("auxiliary")
    }
    unknown = state.keys() - own.keys()
    if missing or unknown:
        why = f"lacks {min(missing)}" if missing else f"also has {min(unknown)}"
        raise _unfit(network, path, f"it {why}")
    first = next((key for key, value in model.named_parameters() if value.ndim == 4), None)
    for key, tensor in state.items():
        expected = own[key].shape
        if tensor.shape == expected:
            own[key] = tensor
            continue
        stays_fresh = tensor.shape[1:] == expected[1:] and key.startswith(heads) and fresh_head
        if key == first and model.in_channels != network.in_channels:
            stays_fresh = tensor.shape[:1] + tensor.shape[2:] == expected[:1] + expected[2:]
        if not stays_fresh:
            shape, wanted = list(tensor.shape), list(expected)
            raise _unfit(network, path, f"{key} is {shape} where {wanted} is expected")
    model.load_state_dict(own)


def _unfit(network: Network, path: Path, why: str) -> WeightsError:
    return WeightsError(
        f"{path} does not fit {network.name}: {why}. Check that it is a file of this network."
    )


def file_of(network: Network, weights: str | Path) -> Path:
    """The file of `weights`: "imagenet" for those of `find_weights`, or a file in any known form.

    Raises UsageError for other values, WeightsError if weights are missing.
    """
    if weights == "imagenet":
        return find_weights(network).path
    path = Path(weights)
    if not path.is_file():
        raise UsageError(
            f"weights must be None, 'imagenet' or a file; {str(path)!r} does not exist."
        )
    return path


def load_into(model: ConvNet, network: Network, path: Path, *, fresh_head: bool) -> None:
    """Load a file of weights into `model`, in place, without running a pickle.

    With `fresh_head`, a head for another number of classes keeps its random weights; else the model
    gets the head of the file. Raises WeightsError if the file is damaged or of another network.
    """
    fit(model, network, read_weights(model, network, path).state, path, fresh_head=fresh_head)
