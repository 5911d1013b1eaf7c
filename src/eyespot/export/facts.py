"""What a file says of itself besides what it computes."""

import json

from eyespot import __version__
from eyespot.classifier import Classifier


def facts(classifier: Classifier) -> dict[str, str]:
    """Texts by key: `labels` is a JSON list, `temperature` and `threshold` (of the familiarity)
    are numbers that are at work inside already."""
    return {
        "labels": json.dumps(classifier.classes),
        "temperature": repr(float(classifier.temperature)),
        "threshold": repr(float(classifier.threshold)),
        "backbone": classifier.backbone.name,
        "eyespot": __version__,
    }
