"""Teach a computer to recognise new things from a few photos.

The public names are imported on first use (PEP 562), so that `import eyespot` is instant and
predicting with a saved classifier never loads the parts that only training needs.
"""

import importlib
import warnings
from typing import Any

from eyespot.telemetry import opt_out as _opt_out

_opt_out()

# scikit-learn's joblib says so where /dev/shm is full; nothing here asks it for processes.
warnings.filterwarnings("ignore", "(?s).*joblib will operate in serial mode")

__version__ = "0.1.0"

_HOME = {
    "Classifier": "eyespot.tasks.classification.classifier",
    "ClassifierFileError": "eyespot.errors",
    "CacheError": "eyespot.errors",
    "Dataset": "eyespot.data.photos",
    "DatasetError": "eyespot.errors",
    "Explanation": "eyespot.explain.photo",
    "ExportError": "eyespot.errors",
    "EyespotError": "eyespot.errors",
    "Lesson": "eyespot.tasks.classification.teach",
    "MissingExtraError": "eyespot.errors",
    "Photo": "eyespot.data.photos",
    "PhotoError": "eyespot.errors",
    "Prediction": "eyespot.tasks.classification.classifier",
    "UsageError": "eyespot.errors",
    "WeightsError": "eyespot.errors",
    "examine": "eyespot.tasks.classification.evaluate",
    "explain_photo": "eyespot.explain.photo",
    "export_onnx": "eyespot.export.write",
    "export_openvino": "eyespot.export.write",
    "export_torch": "eyespot.export.write",
    "export_web": "eyespot.export.web",
    "find_photos": "eyespot.data.folders",
    "imagenet": "eyespot.tasks.classification.classifier",
    "learn": "eyespot.tasks.classification.teach",
    "load": "eyespot.tasks.classification.classifier",
    "open_photos": "eyespot.data.open",
    "teach": "eyespot.tasks.classification.teach",
    "write_report": "eyespot.report",
}
_ROOMS = (
    "data",
    "errors",
    "evaluation",
    "explain",
    "export",
    "features",
    "heads",
    "models",
    "tasks",
    "weights",
)

__all__ = ["__version__", *sorted(_HOME)]


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
