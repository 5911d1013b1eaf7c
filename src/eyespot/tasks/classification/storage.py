"""Write a classifier to NAME.eyespot, and read it again."""

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from eyespot.errors import ClassifierFileError, UsageError, WeightsError
from eyespot.features.backbone import POOLING, Backbone
from eyespot.features.own_weights import keep_own, own_file
from eyespot.shown import shown
from eyespot.tasks import file as classifier_file
from eyespot.tasks.classification.manifest import Model, read_manifest, write_manifest
from eyespot.tasks.classification.model_card import model_card
from eyespot.tasks.classification.training_photos import (
    TrainingPhotos,
    photo_arrays,
    read_training_photos,
)
from eyespot.weights.find import find_weights
from eyespot.weights.zoo import find


def write(path: Path, model: Model, photos: TrainingPhotos | None) -> None:
    """Write the file atomically. Raises ClassifierFileError, and leaves the file that was there, if
    writing fails, or if the new file could not be read again."""
    values, arrays = write_manifest(model)
    try:
        read_manifest(values, arrays)
    except ValueError as error:
        raise ClassifierFileError(
            f"The classifier cannot be saved, since {path} could not be read again: {error}."
        ) from error
    backbone, network = model.backbone, None
    if backbone.own:
        with own_file(backbone.sha256) as weights:
            network = weights.read_bytes()
    card = model_card(model.classes, backbone, model.recipe, model.metrics)
    stored = None if photos is None else photo_arrays(photos)
    classifier_file.write(path, values, arrays, stored, card, network)


def read(path: Path) -> tuple[Model, Callable[[], TrainingPhotos | None]]:
    """The classifier without its photos, and a function that reads the training photos' features.

    Raises ClassifierFileError if the file cannot be used, WeightsError if the backbone's weights
    are missing or differ from those the classifier was trained with.
    """
    values, arrays, _ = classifier_file.read(path)
    _require_pooling(path, values)
    try:
        model = read_manifest(values, arrays)
    except ValueError as error:
        raise classifier_file.damaged(path, f"its manifest or arrays: {error}") from error
    _require_weights(path, model.backbone)
    return model, partial(_read_photos, path.absolute(), len(model.classes), model.backbone)


def _require_pooling(path: Path, manifest: dict[str, Any]) -> None:
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
        raise classifier_file.damaged(path, f"its pooling is {shown(pooling)}")


def _require_weights(path: Path, backbone: Backbone) -> None:
    """Check that this machine has the weights that the classifier was trained with."""
    try:
        network = find(backbone.name)
    except UsageError as error:
        raise classifier_file.damaged(path, f"its backbone: {error}") from error
    if backbone.own:
        content = classifier_file.read_network(path)
        if hashlib.sha256(content).hexdigest() != backbone.sha256:
            raise classifier_file.damaged(path, "its network is not the one it was trained with")
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
        raise classifier_file.damaged(
            path,
            f"{backbone.name} expects {known.size} x {known.size} pixels, mean {known.mean} and "
            f"deviation {known.std}; the file has other values",
        )


def _read_photos(path: Path, classes: int, backbone: Backbone) -> TrainingPhotos | None:
    arrays = classifier_file.read_photos(path)
    if arrays is None:
        return None
    try:
        return read_training_photos(arrays, classes, backbone)
    except ValueError as error:
        raise classifier_file.damaged(path, f"its photos: {error}") from error
