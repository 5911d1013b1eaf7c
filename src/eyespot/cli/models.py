"""What `-m` and `--backbone` name: a .eyespot file, a network of the zoo, or a trained network."""

from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING

from eyespot.errors import EyespotError, UsageError
from eyespot.shown import printable, sentence

if TYPE_CHECKING:
    from eyespot.data.transforms import Preprocessing
    from eyespot.models.convnet import ConvNet
    from eyespot.tasks.protocol import Task

CLASSIFIER, NETWORK = ".eyespot", ".safetensors"


def model_file(model: str | None) -> list[Path]:
    """The file that `model` names, which no output may replace; empty for a network of the zoo."""
    return [Path(model)] if model and _is_file(model) else []


def open_model(model: str | None) -> "Task":
    """The model that `model` names, of any task; None for the ImageNet classes.

    Raises UsageError for a name that is neither a file nor a network, ClassifierFileError or
    WeightsError for a file that cannot be used.
    """
    from eyespot.features.backbone import DEFAULT
    from eyespot.tasks.task import load

    if model and not _is_file(model):
        expect_network(model)
    opened: Task = load(model or DEFAULT)
    return opened


def open_network(model: str) -> "tuple[ConvNet, Preprocessing]":
    """The network that `model` names or that its classifier uses, with its preprocessing.

    Raises what `open_model` raises.
    """
    from eyespot.features.backbone import load_backbone, load_network
    from eyespot.tasks.task import load_classifier
    from eyespot.weights.find import find_weights
    from eyespot.weights.zoo import create, find

    if not _is_file(model):
        expect_network(model)
        return create(model, weights="imagenet"), find_weights(find(model)).preprocessing
    body = load_backbone(model) if model.endswith(NETWORK) else load_classifier(model).backbone
    return load_network(body), body.preprocessing


def expect_backbone(backbone: str) -> None:
    """Raises UsageError if `backbone` names neither a network of the zoo nor a trained network."""
    if backbone.endswith(CLASSIFIER):
        noun, takes_photos = _kind(Path(backbone))
        advice = f"To add photos to a {noun}: --onto {printable(backbone)}"
        raise UsageError(
            f"--backbone takes a network of the zoo or a network.safetensors, and "
            f"{printable(backbone)} is a {noun}. {advice if takes_photos else 'Name another.'}"
        )
    if not backbone.endswith(NETWORK):
        expect_network(backbone)


def expect_network(name: str) -> None:
    """Raises UsageError if the zoo has no network called `name`, with what may be named."""
    from eyespot.weights.zoo import find

    try:
        find(name)
    except UsageError as error:
        raise UsageError(
            f"{sentence(error)} A model is a .eyespot file, a network of the zoo, or a "
            "network.safetensors that eyespot train wrote."
        ) from error


def _kind(path: Path) -> tuple[str, bool]:
    """What a .eyespot file holds, by its task, and whether photos can be added to it; a classifier
    if the file cannot be read."""
    from eyespot.tasks.file import task_of
    from eyespot.tasks.task import type_of

    try:
        kind = type_of(str(task_of(path)))
    except (EyespotError, KeyError):
        return "classifier", True
    return kind.noun, "onto" in signature(kind.teach).parameters


def _is_file(model: str) -> bool:
    from eyespot.models.catalogue import NETWORKS

    if model in NETWORKS or model.startswith("timm:"):
        return False
    return model.endswith((CLASSIFIER, NETWORK)) or "/" in model or Path(model).exists()
