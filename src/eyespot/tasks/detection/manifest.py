"""The manifest of a detector's file, checked as a whole: the file may be a stranger's."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eyespot import __version__
from eyespot.arrays import F32, F64
from eyespot.data.photos import printable
from eyespot.evaluation.detection_calibration import ScoreCalibration
from eyespot.features.backbone import Backbone
from eyespot.features.dense import STRIDES
from eyespot.tasks.backbone_of_file import backbone_values, read_backbone
from eyespot.tasks.detection.method import DENSE, METHODS, method_called
from eyespot.tasks.file import Tensors
from eyespot.values import mapping, names, number, plain, whole

TASK = "detection"
HEAD = "head."
SLOPES, OFFSETS, THRESHOLDS = "calibration.slopes", "calibration.offsets", "thresholds"
TRAINED_ON = "trained_on"
MOST_CHANNELS = 4096
MOST_WIDTH = 512


@dataclass(repr=False)
class Model:
    """The content of a detector's file.

    `backbone`: its blocks are the maps at STRIDES. `channels`: of these maps. `method`: the head,
    by its name in METHODS. `width`: channels of it. `head`: its state, float32 arrays by name.
    `thresholds`: float64 [K], the
    calibrated score from which on a detection of each class is shown and counted. `trained_on`:
    uint64 [n], the start of the sha256 of each training photo.
    """

    classes: tuple[str, ...]
    backbone: Backbone
    channels: tuple[int, ...]
    width: int
    head: dict[str, F32]
    calibration: ScoreCalibration
    thresholds: F64
    trained_on: NDArray[np.uint64]
    metrics: dict[str, Any] = field(default_factory=dict)
    method: str = DENSE


def write_manifest(model: Model) -> tuple[dict[str, Any], Tensors]:
    """The manifest's JSON, and the arrays of the head."""
    arrays: Tensors = {f"{HEAD}{name}": array for name, array in model.head.items()}
    arrays |= {
        SLOPES: model.calibration.slopes,
        OFFSETS: model.calibration.offsets,
        THRESHOLDS: model.thresholds,
        TRAINED_ON: model.trained_on,
    }
    values = {
        "eyespot": __version__,
        "task": TASK,
        "classes": list(model.classes),
        **backbone_values(model.backbone),
        "channels": list(model.channels),
        "method": model.method,
        "width": model.width,
        "metrics": model.metrics,
    }
    return values, arrays


def read_manifest(values: Mapping[str, Any], arrays: Tensors) -> Model:
    """From the manifest's JSON, and the arrays of the head.

    Raises ValueError for values that eyespot does not write, or cannot use.
    """
    found = names(values.get("classes"), "the classes")
    classes = names([printable(name) for name in found], "the classes")
    backbone = read_backbone(values)
    stored = values.get("channels")
    if not isinstance(stored, list) or not len(stored) == len(STRIDES) == len(backbone.blocks):
        raise ValueError(f"expected the channels and blocks of {len(STRIDES)} maps")
    channels = tuple(whole(one, "the channels", 1, MOST_CHANNELS) for one in stored)
    method = values.get("method", DENSE)
    if not isinstance(method, str) or method not in METHODS:
        raise ValueError(f"the method is not one of {', '.join(METHODS)}")
    width = whole(values.get("width"), "the width of the head", 1, MOST_WIDTH)
    head = {
        name.removeprefix(HEAD): array for name, array in arrays.items() if name.startswith(HEAD)
    }
    expected = method_called(method).shapes(channels, len(classes), width)
    if {name: array.shape for name, array in head.items()} != expected:
        raise ValueError(
            "the arrays of the head do not fit the channels, the classes and the width"
        )
    for name, array in head.items():
        if array.dtype != np.float32 or not np.isfinite(array).all():
            raise ValueError(f"{name} is not finite float32")
    slopes, offsets, thresholds = (
        _by_class(arrays, name, len(classes)) for name in (SLOPES, OFFSETS, THRESHOLDS)
    )
    if (slopes <= 0).any():
        raise ValueError("a slope of the calibration is not positive")
    metrics: dict[str, Any] = plain(
        dict(mapping(values.get("metrics"), "the metrics")), "the metrics"
    )
    if "ap50" in metrics and metrics["ap50"] is not None:
        number(metrics["ap50"], "ap50", 0, 1)
    calibration = ScoreCalibration(slopes, offsets)
    trained_on = arrays.get(TRAINED_ON)
    if trained_on is None or trained_on.dtype != np.uint64 or trained_on.ndim != 1:
        raise ValueError("the hashes of the training photos are missing")
    return Model(
        classes,
        backbone,
        channels,
        width,
        head,
        calibration,
        thresholds,
        trained_on,
        metrics,
        method,
    )


def head_digest(model: Model) -> str:
    """A hash of the head's arrays."""
    digest = hashlib.sha256()
    for name, array in sorted(model.head.items()):
        digest.update(f"{name} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def start_of(sha256: str) -> int:
    """The start of a hexadecimal sha256, as `Model.trained_on` has it."""
    return int(sha256[:16], 16)


def _by_class(arrays: Tensors, name: str, classes: int) -> F64:
    array = arrays.get(name)
    if array is None or array.dtype != np.float64 or array.shape != (classes,):
        raise ValueError(f"expected {name} for {classes} classes")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} has NaN or Inf")
    return array
