"""The manifest of a classifier's file, checked as a whole: the file may be a stranger's.

The metrics of many classes are stored as arrays beside the head: as JSON, the confusion matrix of
2,700 classes took 50 MB.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eyespot import __version__
from eyespot.data.photos import printable
from eyespot.features.backbone import CONFIDENCE, Backbone
from eyespot.heads.ood import HIGHEST, OodScorer
from eyespot.heads.scorers import Scorer, scorer_from_arrays
from eyespot.shown import shown
from eyespot.tasks.backbone_of_file import backbone_values, read_backbone
from eyespot.tasks.file import Tensors
from eyespot.values import mapping, names, number, plain, text, whole

TASK = "classification"
OOD_REFERENCES = "ood.references"
CONFUSION, PER_CLASS = "metrics.confusion", "metrics.per_class"
"""Arrays of metrics: int64 [n, 3], the cells of the confusion matrix that are not 0, as (actual,
predicted, photos); float64 [K, 6], a row a class of `_SCORES`, NaN where undefined."""
_SCORES = ("precision", "recall", "f1", "support")
_COUNT = 2**53
"""Larger counts lose precision in JSON."""


@dataclass(frozen=True)
class Recipe:
    """How a head was trained: enough to train it again when photos come or go.

    `method`: name of a head. `blocks`: its input features. `hyperparameter`: its regularization
    strength or number of neighbours.
    """

    method: str
    blocks: tuple[str, ...]
    hyperparameter: float


@dataclass(repr=False)
class Model:
    """The content of a classifier's file without its photos; fields as in `Classifier`."""

    classes: tuple[str, ...]
    backbone: Backbone
    recipe: Recipe
    scorer: Scorer
    temperature: float = 1.0
    ood_scorer: OodScorer | None = None
    ood_threshold: float = HIGHEST
    metrics: dict[str, Any] = field(default_factory=dict)


def write_manifest(model: Model) -> tuple[dict[str, Any], Tensors]:
    """The manifest's JSON, and the arrays of the head and the metrics."""
    metrics, arrays = packed_metrics(model.metrics)
    arrays |= {f"scorer.{name}": array for name, array in model.scorer.to_arrays().items()}
    if model.ood_scorer is not None:
        arrays[OOD_REFERENCES] = model.ood_scorer.references
    recipe = model.recipe
    values = {
        "eyespot": __version__,
        "task": TASK,
        "classes": list(model.classes),
        **backbone_values(model.backbone),
        "recipe": {
            "method": recipe.method,
            "blocks": list(recipe.blocks),
            "hyperparameter": recipe.hyperparameter,
        },
        "scorer": model.scorer.kind,
        "temperature": model.temperature,
        "ood_threshold": model.ood_threshold,
        "metrics": metrics,
    }
    return values, arrays


def read_manifest(values: Mapping[str, Any], arrays: Tensors) -> Model:
    """From the manifest's JSON, and the arrays of the head and the metrics.

    Raises ValueError for values that eyespot does not write, or cannot use.
    """
    found = names(values.get("classes"), "the classes")
    # `teach` escapes control characters in names in the same way.
    classes = names([printable(name) for name in found], "the classes")
    backbone = read_backbone(values)
    stored = mapping(values.get("recipe"), "the recipe")
    recipe = Recipe(
        text(stored.get("method"), "the recipe's method"),
        names(stored.get("blocks"), "the recipe's blocks"),
        number(stored.get("hyperparameter"), "the recipe's hyperparameter"),
    )
    if missing := set(recipe.blocks) - {*backbone.blocks, CONFIDENCE}:
        raise ValueError(f"the head needs {shown(min(missing))}, which the backbone lacks")
    temperature = number(values.get("temperature"), "the temperature")
    if temperature <= 0:
        raise ValueError(f"the temperature is {temperature}")
    return Model(
        classes,
        backbone,
        recipe,
        _scorer(values.get("scorer"), arrays, len(classes)),
        temperature,
        _ood_scorer(arrays.get(OOD_REFERENCES)),
        number(values.get("ood_threshold"), "ood_threshold"),
        _metrics(values.get("metrics"), arrays, classes),
    )


def _scorer(kind: object, arrays: Tensors, classes: int) -> Scorer:
    own = {}
    for name, array in arrays.items():
        room, _, part = name.partition(".")
        if room == "scorer":
            own[part] = _finite(part, array)
    scorer = scorer_from_arrays(text(kind, "the scorer"), own)
    if scorer.classes != classes:
        raise ValueError(f"{classes} class names for {scorer.classes} outputs")
    return scorer


def _ood_scorer(references: NDArray[Any] | None) -> OodScorer | None:
    if references is None:
        return None
    if references.ndim != 2 or not references.size or references.dtype.kind != "f":
        raise ValueError(f"OOD references are {references.dtype} of the shape {references.shape}")
    return OodScorer(_finite(OOD_REFERENCES, references).astype(np.float32, copy=False))


def _finite(name: str, array: NDArray[Any]) -> NDArray[Any]:
    """The array, if it is finite also in float32, in which heads compute."""
    with np.errstate(over="ignore"):
        single = array.astype(np.float32, copy=False) if array.dtype.kind == "f" else array
    if array.dtype.kind not in "fiu" or not np.isfinite(single).all():
        raise ValueError(f"{name} has NaN or Inf")
    return array


# --- metrics -------------------------------------------------------------------------------------


def packed_metrics(metrics: Mapping[str, Any]) -> tuple[dict[str, Any], Tensors]:
    """The metrics of a classifier for its file: as JSON, the large ones as arrays."""
    rest, arrays = dict(metrics), dict[str, NDArray[Any]]()
    if "confusion" in rest:
        arrays[CONFUSION] = np.array(rest.pop("confusion"), dtype=np.int64).reshape(-1, 3)
    if "per_class" in rest:
        rows = [
            [math.nan if score[key] is None else score[key] for key in _SCORES]
            + list(score["recall_interval"])
            for score in rest.pop("per_class")
        ]
        arrays[PER_CLASS] = np.array(rows, dtype=np.float64).reshape(-1, len(_SCORES) + 2)
        rest.pop("classes", None)
    return rest, arrays


def _metrics(values: object, arrays: Tensors, classes: Sequence[str]) -> dict[str, Any]:
    """The metrics as in `Classifier.metrics`."""
    metrics: dict[str, Any] = plain(dict(mapping(values, "the metrics")), "the metrics")
    if large := {"confusion", "per_class"} & set(metrics):
        raise ValueError(f"{min(large)} is JSON instead of an array")
    if "top1" in metrics:
        for share in ("top1", "ece"):
            metrics[share] = number(metrics.get(share), share, 0, 1)
        interval = metrics.get("top1_interval")
        if not isinstance(interval, list) or len(interval) != 2:
            raise ValueError("top1_interval is not a pair")
        for end in interval:
            number(end, "top1_interval", 0, 1)
        whole(metrics.get("count"), "count", 0, _COUNT)
        text(metrics.get("evaluated_on"), "evaluated_on")
    if "source" in metrics:
        source = metrics["source"]
        if not isinstance(source, list) or not all(isinstance(line, str) for line in source):
            raise ValueError("source is not a list of texts")
        metrics["source"] = [printable(line) for line in source]
    json.dumps(metrics, ensure_ascii=False).encode()  # lone surrogates raise ValueError
    if PER_CLASS in arrays:
        metrics |= {"classes": list(classes), "per_class": _scores(arrays[PER_CLASS], classes)}
    if CONFUSION in arrays:
        metrics["confusion"] = _cells(arrays[CONFUSION], len(classes)).tolist()
    return metrics


def _scores(rows: NDArray[Any], classes: Sequence[str]) -> list[dict[str, Any]]:
    if rows.shape != (len(classes), len(_SCORES) + 2) or rows.dtype != np.float64:
        raise ValueError(f"metrics of classes in the shape {rows.shape}")
    support = rows[:, _SCORES.index("support")]
    if not ((support >= 0) & (support <= _COUNT)).all():
        raise ValueError("the numbers of photos by class")
    scores = []
    for name, row in zip(classes, rows.tolist(), strict=True):
        precision, recall, f1 = (None if math.isnan(value) else value for value in row[:3])
        score = {"name": name, "precision": precision, "recall": recall}
        score |= {"recall_interval": row[4:], "f1": f1, "support": int(row[3])}
        scores.append(score)
    return scores


def _cells(cells: NDArray[Any], classes: int) -> NDArray[np.int64]:
    if cells.ndim != 2 or cells.shape[1] != 3 or cells.dtype != np.int64:
        raise ValueError(f"the confusion matrix is {cells.dtype} of the shape {cells.shape}")
    if (cells < 0).any() or (cells[:, :2] >= classes).any():
        raise ValueError(f"the confusion matrix is not of {classes} classes")
    return cells
