"""The description of a served model."""

import json
import math
from typing import Any

from eyespot.tasks.protocol import Task


def about(name: str, model: Task) -> bytes:
    """JSON, half a megabyte for a classifier of 2,000 classes."""
    return json.dumps({"name": name, **_finite(model.about())}).encode()


def _finite(value: Any) -> Any:
    """JSON has no NaN or Inf: null instead."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
