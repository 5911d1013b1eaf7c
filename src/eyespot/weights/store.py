"""The store: a folder with a safetensors file for each network, and the files' metadata.

Importing this file does not import torch.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from eyespot.data.transforms import Preprocessing
from eyespot.errors import WeightsError
from eyespot.files import expect_file, open_file
from eyespot.models.catalogue import Network
from eyespot.user_folders import user_folder
from eyespot.weights.imagenet_names import imagenet_classes

Origin = Literal["package", "store", "published"]


@dataclass(frozen=True, slots=True)
class Pretrained:
    """Weights of a network, with their preprocessing and classes.

    `classes`: names in the order of the outputs; None for the 1,000 of ImageNet, empty if unknown.
    `sha256`: of the published file.
    """

    path: Path
    origin: Origin
    preprocessing: Preprocessing
    classes: tuple[str, ...] | None
    sha256: str

    def class_names(self) -> tuple[str, ...]:
        """The classes. Raises WeightsError without the package of ImageNet's names."""
        return imagenet_classes() if self.classes is None else self.classes


def store_folder() -> Path:
    """The folder of the weights: EYESPOT_WEIGHTS, or one in the user's data folder."""
    return user_folder("EYESPOT_WEIGHTS", "weights")


def store_file(name: str) -> Path:
    """The store's file for the network called `name`, which may not exist."""
    return store_folder() / f"{name.replace(':', '_')}.safetensors"


def known_classes(network: Network) -> tuple[str, ...] | None:
    """The classes of a network's own weights, as in `Pretrained`."""
    return None if network.dataset == "ImageNet" else ()


def read_description(network: Network, path: Path) -> Pretrained:
    """The description in a safetensors file of weights; missing values are the network's.

    Raises WeightsError if the file is damaged or belongs to another network.
    """
    metadata = read_metadata(path)
    owner = metadata.get("eyespot", network.name)
    if owner != network.name:
        raise WeightsError(
            f"{path} has weights of {owner}, not of {network.name}. Import them with: "
            f"eyespot weights {owner} {path}"
        )
    try:
        preprocessing = network.preprocessing
        if "preprocessing" in metadata:
            preprocessing = Preprocessing.from_dict(json.loads(metadata["preprocessing"]))
        classes = known_classes(network)
        if metadata.get("classes", "imagenet") != "imagenet":
            classes = tuple(str(name) for name in json.loads(metadata["classes"]))
        sha256 = metadata.get("sha256") or sha256_of(path)
        if not re.fullmatch("[0-9a-f]{64}", sha256):  # it becomes part of files' names
            raise ValueError("the sha256")
    except (KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
        raise WeightsError(
            f"{path} is damaged: the description of its weights is not valid ({error}). "
            f"Import them again with: eyespot weights {network.name} FILE"
        ) from error
    return Pretrained(path, "store", preprocessing, classes, sha256)


def read_metadata(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file. Raises WeightsError if it is damaged."""
    from safetensors import SafetensorError, safe_open

    try:
        expect_file(path)
        with safe_open(path, framework="numpy") as file:
            return file.metadata() or {}
    except (OSError, SafetensorError) as error:
        raise WeightsError(
            f"{path} cannot be read ({error}). Delete it, and download or import the weights again."
        ) from error


def sha256_of(path: Path) -> str:
    """Hex digest of a file's content."""
    facts = expect_file(path)
    return _sha256(path, facts.st_mtime_ns, facts.st_size)


@cache
def _sha256(path: Path, modified: int, size: int) -> str:
    with open_file(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
