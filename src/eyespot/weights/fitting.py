"""Load weights into a network, and check that they fit."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from eyespot.errors import UsageError, WeightsError
from eyespot.models.catalogue import Network
from eyespot.weights.find import find_weights
from eyespot.weights.read import read_weights

HEADS = ("head.", "auxiliary")
"""Prefixes of the tensors whose shape depends on the number of classes."""


def fit(
    model: nn.Module,
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
    heads = head_names(model)
    own = model.state_dict()
    counts = {
        len(tensor)
        for key, tensor in state.items()
        if key.startswith(heads) and key in own and tensor.shape != own[key].shape
    }
    if not fresh_head and len(counts) == 1 and (count := counts.pop()):
        model.reset_head(count)  # type: ignore[operator]
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


def head_names(model: nn.Module) -> tuple[str, ...]:
    """Prefixes of the tensors whose shape depends on the number of classes."""
    names: tuple[str, ...] = getattr(model, "head_names", HEADS)  # timm's differ
    return names


def _unfit(network: Network, path: Path, why: str) -> WeightsError:
    return WeightsError(
        f"{path} does not fit {network.name}: {why}. Check that it is a file of this network."
    )


def load_into(model: nn.Module, network: Network, weights: str | Path, *, fresh_head: bool) -> None:
    """Load weights into `model`, in place, without running a pickle.

    `weights`: "imagenet" for those of `find_weights`, or a file in any known form. With
    `fresh_head`, a head for another number of classes keeps its random weights; else the model gets
    the head of the file. Raises UsageError for other values, WeightsError if weights are missing,
    damaged or of another network.
    """
    if weights == "imagenet":
        path = find_weights(network).path
    else:
        path = Path(weights)
        if not path.is_file():
            raise UsageError(
                f"weights must be None, 'imagenet' or a file; {str(path)!r} does not exist."
            )
    fit(model, network, read_weights(model, network, path).state, path, fresh_head=fresh_head)
