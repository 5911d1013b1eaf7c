"""Write a detector to NAME.eyespot, and read it again."""

from pathlib import Path

from eyespot.errors import ClassifierFileError
from eyespot.tasks import file as task_file
from eyespot.tasks.backbone_of_file import own_network, require_pooling, require_weights
from eyespot.tasks.detection.manifest import Model, read_manifest, write_manifest
from eyespot.tasks.detection.model_card import model_card


def write(path: Path, model: Model) -> None:
    """Write the file atomically. Raises ClassifierFileError, and leaves the file that was there, if
    writing fails, or if the new file could not be read again."""
    values, arrays = write_manifest(model)
    try:
        read_manifest(values, arrays)
    except ValueError as error:
        raise ClassifierFileError(
            f"The detector cannot be saved, since {path} could not be read again: {error}."
        ) from error
    network = own_network(model.backbone)
    task_file.write(path, values, arrays, None, model_card(model), network)


def read(path: Path) -> Model:
    """Raises ClassifierFileError if the file cannot be used, WeightsError if the backbone's weights
    are missing or differ from those the detector was trained with."""
    values, arrays, _ = task_file.read(path)
    require_pooling(path, values)
    try:
        model = read_manifest(values, arrays)
    except ValueError as error:
        raise task_file.damaged(path, f"its manifest or arrays: {error}") from error
    require_weights(path, model.backbone)
    return model
