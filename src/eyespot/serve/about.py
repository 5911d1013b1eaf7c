"""The description of a served classifier."""

import json
import math
from typing import Any

from eyespot.tasks.classification.classifier import Classifier

LARGE = ("confusion",)
"""Metrics that grow with the square of the number of classes; the report has them."""


def about(name: str, classifier: Classifier) -> bytes:
    """JSON, half a megabyte for 2,000 classes."""
    metrics = {key: value for key, value in classifier.metrics.items() if key not in LARGE}
    return json.dumps(
        {
            "name": name,
            "labels": list(classifier.classes),
            "backbone": classifier.backbone.name,
            "method": classifier.recipe.method,
            "ood_threshold": classifier.ood_threshold,
            "temperature": classifier.temperature,
            "metrics": _finite(metrics),
        }
    ).encode()


def _finite(value: Any) -> Any:
    """JSON has no NaN or Inf: null instead."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
