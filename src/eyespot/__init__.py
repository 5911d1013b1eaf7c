"""Train image classifiers and detectors from a few photos, and evaluate them.

The public names are imported on first use (PEP 562): `import eyespot` is instant, and predicting
with a saved classifier never loads the parts that only training needs.
"""

import importlib
import warnings
from typing import Any

from eyespot.telemetry import opt_out as _opt_out

_opt_out()

# joblib, which scikit-learn brings, warns where /dev/shm is full; eyespot starts no such processes.
warnings.filterwarnings("ignore", "(?s).*joblib will operate in serial mode")

__version__ = "0.1.0"

_HOME = {
    "Box": "eyespot.tasks.detection.prediction",
    "Classifier": "eyespot.tasks.classification.classifier",
    "Dataset": "eyespot.data.photos",
    "Detector": "eyespot.tasks.detection.detector",
    "EvaluateResult": "eyespot.tasks.classification.result",
    "Explanation": "eyespot.explain.photo",
    "EyespotError": "eyespot.errors",
    "EyespotFeatures": "eyespot.features.transformer",
    "Photo": "eyespot.data.photos",
    "Prediction": "eyespot.tasks.classification.prediction",
    "TeachResult": "eyespot.tasks.classification.result",
    "embed": "eyespot.features.transformer",
    "evaluate": "eyespot.tasks.public",
    "find_photos": "eyespot.data.folders",
    "load": "eyespot.tasks.task",
    "open_boxes": "eyespot.data.boxes.open",
    "open_photos": "eyespot.data.open",
    "similar": "eyespot.features.similar",
    "teach": "eyespot.tasks.public",
    "write_report": "eyespot.report",
}
_ROOMS = (
    "data",
    "errors",
    "evaluation",
    "explain",  # callable: eyespot.explain(classifier, photo)
    "export",  # callable: eyespot.export(classifier, to, path)
    "features",
    "heads",
    "models",
    "tasks",
    "weights",
)

__all__ = ["__version__", "errors", "explain", "export", "heads", "models", *sorted(_HOME)]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
    elif name in _ROOMS:
        value = importlib.import_module(f"eyespot.{name}")
    else:
        raise AttributeError(f"module 'eyespot' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME, *_ROOMS})
