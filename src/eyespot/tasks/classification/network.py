"""A trained network as a classifier, without the calibration that classifier.eyespot holds."""

from dataclasses import replace
from pathlib import Path

from eyespot.errors import WeightsError
from eyespot.features.backbone import LOGITS, load_backbone
from eyespot.heads.scorers import LogitsScorer
from eyespot.tasks.classification.classifier import Classifier, Recipe
from eyespot.weights.store import read_description
from eyespot.weights.zoo import find


def trained_network(path: Path) -> Classifier:
    """The classifier of a network.safetensors that `eyespot train` wrote.

    Raises UsageError if there is no such file, WeightsError if its outputs have no class names.
    """
    body = load_backbone(str(path))
    known = read_description(find(body.name), path)
    classes = known.class_names()
    if not classes:
        raise WeightsError(f"{path} does not name its classes. Use a file that train wrote.")
    return Classifier(
        classes=classes,
        backbone=replace(body, preprocessing=known.preprocessing, blocks=(LOGITS,)),
        recipe=Recipe("training", (LOGITS,), 0.0),
        scorer=LogitsScorer(len(classes)),
    )
