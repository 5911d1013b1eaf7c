"""What a file says of itself besides what it computes."""

import json

from eyespot import __version__
from eyespot.data.transforms import needed_short_side
from eyespot.tasks.classification.classifier import Classifier


def facts(classifier: Classifier) -> dict[str, str]:
    """Texts by key: `labels` is a JSON list; `temperature` and `ood_threshold` are numbers that the
    graph applies itself; `short_side` is the least short side to read a photo with, in pixels."""
    return {
        "labels": json.dumps(classifier.classes),
        "temperature": repr(float(classifier.temperature)),
        "ood_threshold": repr(float(classifier.ood_threshold)),
        "short_side": str(needed_short_side(classifier.backbone.preprocessing)),
        "backbone": classifier.backbone.name,
        "eyespot": __version__,
    }
