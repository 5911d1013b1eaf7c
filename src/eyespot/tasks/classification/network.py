"""A network's own classifier: the head that its weights come with."""

from pathlib import Path

from eyespot.errors import WeightsError
from eyespot.features.backbone import judged_backbone
from eyespot.features.engines import open_engine
from eyespot.heads.scorers import LogitsScorer
from eyespot.tasks.classification.classifier import Classifier
from eyespot.tasks.classification.manifest import Recipe
from eyespot.weights.find import find_weights
from eyespot.weights.store import read_description
from eyespot.weights.zoo import find


def network_classifier(name: str) -> Classifier:
    """A network of the zoo, by default with the 1000 ImageNet classes, or network.safetensors.

    Photos are cropped as in the evaluation on ImageNet. Raises UsageError for an unknown name,
    WeightsError if the weights are missing, or do not name their classes.
    """
    backbone = judged_backbone(name)
    network = find(backbone.name)
    known = read_description(network, Path(name)) if backbone.own else find_weights(network)
    classes = known.class_names()
    if not classes:
        raise WeightsError(
            f"The weights of {name} do not name their classes. Import them with names: "
            f'eyespot.weights.importers.import_weights("{name}", FILE, classes=[...])'
        )
    return Classifier(
        classes=classes,
        backbone=backbone,
        recipe=Recipe("imagenet", (backbone.last,), 0.0),
        scorer=LogitsScorer(len(classes)),
        _engine=open_engine(backbone),
    )
