"""The metadata of an exported file."""

import json

from eyespot import __version__
from eyespot.data.transforms import needed_short_side
from eyespot.tasks.classification.classifier import Classifier


def facts(classifier: Classifier) -> dict[str, str]:
    """Texts by key. `labels`: a JSON list. `temperature`, `ood_threshold`: the graph applies both.
    `short_side`: least short side, in pixels, at which to decode a photo."""
    return {
        "labels": json.dumps(classifier.classes),
        "temperature": repr(float(classifier.temperature)),
        "ood_threshold": repr(float(classifier.ood_threshold)),
        "short_side": str(needed_short_side(classifier.backbone.preprocessing)),
        "backbone": classifier.backbone.name,
        "eyespot": __version__,
    }
