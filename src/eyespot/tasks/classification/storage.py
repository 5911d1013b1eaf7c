"""Write a classifier to NAME.eyespot, and read it again."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from eyespot.errors import ClassifierFileError
from eyespot.features.backbone import Backbone
from eyespot.tasks import file as classifier_file
from eyespot.tasks.backbone_of_file import own_network, require_pooling, require_weights
from eyespot.tasks.classification.manifest import Model, read_manifest, write_manifest
from eyespot.tasks.classification.model_card import model_card
from eyespot.tasks.classification.training_photos import (
    TrainingPhotos,
    photo_arrays,
    read_training_photos,
)


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
    network = own_network(model.backbone)
    card = model_card(model.classes, model.backbone, model.recipe, model.metrics)
    stored = None if photos is None else photo_arrays(photos)
    classifier_file.write(path, values, arrays, stored, card, network)


def read(path: Path) -> tuple[Model, Callable[[], TrainingPhotos | None]]:
    """The classifier without its photos, and a function that reads the training photos' features.

    Raises ClassifierFileError if the file cannot be used, WeightsError if the backbone's weights
    are missing or differ from those the classifier was trained with.
    """
    values, arrays, _ = classifier_file.read(path)
    require_pooling(path, values)
    try:
        model = read_manifest(values, arrays)
    except ValueError as error:
        raise classifier_file.damaged(path, f"its manifest or arrays: {error}") from error
    require_weights(path, model.backbone)
    return model, partial(_read_photos, path.absolute(), len(model.classes), model.backbone)


def _read_photos(path: Path, classes: int, backbone: Backbone) -> TrainingPhotos | None:
    arrays = classifier_file.read_photos(path)
    if arrays is None:
        return None
    try:
        return read_training_photos(arrays, classes, backbone)
    except ValueError as error:
        raise classifier_file.damaged(path, f"its photos: {error}") from error
