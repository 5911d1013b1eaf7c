"""The backbone of a .eyespot file: how it is stored, and what this machine needs to run it."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eyespot.errors import ClassifierFileError, UsageError, WeightsError
from eyespot.features.backbone import POOLING, Backbone
from eyespot.features.own_weights import keep_own, own_file
from eyespot.shown import shown
from eyespot.tasks import file as task_file
from eyespot.values import mapping
from eyespot.weights.find import find_weights
from eyespot.weights.zoo import find


def backbone_values(backbone: Backbone) -> dict[str, Any]:
    """The entries of a manifest that describe the backbone."""
    return {
        "backbone": {
            "name": backbone.name,
            "sha256": backbone.sha256,
            "blocks": list(backbone.blocks),
            "pooling": POOLING,
            "own": backbone.own,
        },
        "preprocessing": backbone.preprocessing.to_dict(),
    }


def read_backbone(values: Mapping[str, Any]) -> Backbone:
    """From the entries of a manifest. Raises ValueError for invalid values."""
    network = mapping(values.get("backbone"), "the backbone")
    return Backbone.from_dict({**network, "preprocessing": values.get("preprocessing")})


def own_network(backbone: Backbone) -> bytes | None:
    """The weights that belong into the file; None for those of the zoo. Raises WeightsError."""
    if not backbone.own:
        return None
    with own_file(backbone.sha256) as weights:
        return weights.read_bytes()


def require_pooling(path: Path, manifest: dict[str, Any]) -> None:
    """Features of another version of eyespot: the one fault for which the file is not to blame."""
    backbone = manifest.get("backbone")
    pooling = backbone.get("pooling") if isinstance(backbone, dict) else None
    if isinstance(pooling, int) and pooling != POOLING:
        raise ClassifierFileError(
            f"{path} was trained with features of version {shown(pooling)}, this eyespot computes "
            f"version {POOLING}. Teach it again, or use the eyespot that made it "
            f"({shown(manifest.get('eyespot'))})."
        )
    if pooling != POOLING:
        raise task_file.damaged(path, f"its pooling is {shown(pooling)}")


def require_weights(path: Path, backbone: Backbone) -> None:
    """Check that this machine has the weights that the classifier was trained with."""
    try:
        network = find(backbone.name)
    except UsageError as error:
        raise task_file.damaged(path, f"its backbone: {error}") from error
    if backbone.own:
        content = task_file.read_network(path)
        if hashlib.sha256(content).hexdigest() != backbone.sha256:
            raise task_file.damaged(path, "its network is not the one it was trained with")
        keep_own(content)
        return
    installed = find_weights(network, fetch=False)  # files may be from strangers
    if installed.sha256 != backbone.sha256:
        raise WeightsError(
            f"{path} was trained with {backbone.name} weights {backbone.sha256[:12]}, installed "
            f"are {installed.sha256[:12]}. Install the same weights, or teach it again."
        )
    stored, known = backbone.preprocessing, installed.preprocessing
    if (stored.size, stored.mean, stored.std) != (known.size, known.mean, known.std):
        raise task_file.damaged(
            path,
            f"{backbone.name} expects {known.size} x {known.size} pixels, mean {known.mean} and "
            f"deviation {known.std}; the file has other values",
        )
