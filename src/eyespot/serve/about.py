"""What is told of a classifier that is served."""

import json
import math
from typing import Any

from eyespot.tasks.classification.classifier import Classifier

LARGE = ("confusion",)
"""Figures that grow with the square of the number of classes; the report has them."""


def about(name: str, classifier: Classifier) -> bytes:
    """As JSON, of which 2,000 classes take half a megabyte."""
    figures = {key: value for key, value in classifier.metrics.items() if key not in LARGE}
    return json.dumps(
        {
            "name": name,
            "labels": list(classifier.classes),
            "backbone": classifier.backbone.name,
            "method": classifier.recipe.method,
            "threshold": classifier.threshold,
            "temperature": classifier.temperature,
            "metrics": _finite(figures),
        }
    ).encode()


def _finite(value: Any) -> Any:
    """As JSON allows it: null where there is no number."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
