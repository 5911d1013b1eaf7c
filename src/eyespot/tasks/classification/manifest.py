"""What the manifest of a classifier's file says, checked as a whole: the file may be a stranger's.

The figures of many classes are kept as arrays beside the head: as JSON, the confusion matrix of
2,700 classes took 50 MB.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eyespot.data.photos import printable
from eyespot.features.backbone import CONFIDENCE, Backbone
from eyespot.heads.ood import Familiarity
from eyespot.heads.scorers import Scorer, scorer_from_arrays
from eyespot.shown import shown
from eyespot.tasks.classification.file import Tensors
from eyespot.values import mapping, names, number, plain, text, whole

CONFUSION, PER_CLASS = "metrics.confusion", "metrics.per_class"
"""Arrays of figures: int64 [n, 3], the cells of the confusion matrix that are not 0, as (actual,
predicted, photos); float64 [K, 6], a row a class of `_SCORES`, NaN where undefined."""
_SCORES = ("precision", "recall", "f1", "support")
_COUNT = 2**53
"""Larger counts are no whole numbers in JSON."""


@dataclass(frozen=True)
class Recipe:
    """How a head was learnt: enough to learn it again when photos come or go.

    `method`: name of a head. `blocks`: which features it sees. `hyperparameter`: its regularization
    strength or number of neighbours.
    """

    method: str
    blocks: tuple[str, ...]
    hyperparameter: float


@dataclass(frozen=True)
class Manifest:
    """What a file says of a classifier, the photos apart; see `Classifier`, which has the same."""

    classes: tuple[str, ...]
    backbone: Backbone
    recipe: Recipe
    scorer: Scorer
    temperature: float
    familiarity: Familiarity | None
    threshold: float
    metrics: dict[str, Any]


def read_manifest(values: Mapping[str, Any], arrays: Tensors) -> Manifest:
    """By the manifest's JSON, and the arrays of the head and the figures.

    Raises ValueError for what eyespot does not write, or cannot use.
    """
    told = names(values.get("classes"), "the classes")
    # Where a classifier is taught, control characters in names become escapes as well.
    classes = names([printable(name) for name in told], "the classes")
    backbone = Backbone.from_dict(
        {
            **mapping(values.get("backbone"), "the backbone"),
            "preprocessing": values.get("preprocessing"),
        }
    )
    said = mapping(values.get("recipe"), "the recipe")
    recipe = Recipe(
        text(said.get("method"), "the recipe's method"),
        names(said.get("blocks"), "the recipe's blocks"),
        number(said.get("hyperparameter"), "the recipe's hyperparameter"),
    )
    if missing := set(recipe.blocks) - {*backbone.blocks, CONFIDENCE}:
        raise ValueError(f"the head sees {shown(min(missing))}, which the backbone does not give")
    temperature = number(values.get("temperature"), "the temperature")
    if temperature <= 0:
        raise ValueError(f"the temperature is {temperature}")
    return Manifest(
        classes,
        backbone,
        recipe,
        _scorer(values.get("scorer"), arrays, len(classes)),
        temperature,
        _familiarity(arrays.get("familiarity.references")),
        number(values.get("threshold"), "the threshold"),
        _metrics(values.get("metrics"), arrays, classes),
    )


def _scorer(kind: object, arrays: Tensors, classes: int) -> Scorer:
    own = {
        name.removeprefix("scorer."): array
        for name, array in arrays.items()
        if name.startswith("scorer.")
    }
    for name, array in own.items():
        _require_finite(name, array)
    scorer = scorer_from_arrays(text(kind, "the scorer"), own)
    if scorer.classes != classes:
        raise ValueError(f"{classes} class names for {scorer.classes} outputs")
    return scorer


def _familiarity(references: NDArray[Any] | None) -> Familiarity | None:
    if references is None:
        return None
    if references.ndim != 2 or not references.size or references.dtype.kind != "f":
        raise ValueError(
            f"familiarity with photos of {references.dtype} in the shape {references.shape}"
        )
    _require_finite("familiarity", references)
    return Familiarity(references.astype(np.float32, copy=False))


def _require_finite(name: str, array: NDArray[Any]) -> None:
    """Also in float32, with which heads compute."""
    with np.errstate(over="ignore"):
        single = array.astype(np.float32, copy=False) if array.dtype.kind == "f" else array
    if array.dtype.kind not in "fiu" or not np.isfinite(single).all():
        raise ValueError(f"{name} holds what is no finite number")


# --- figures -------------------------------------------------------------------------------------


def packed_metrics(metrics: Mapping[str, Any]) -> tuple[dict[str, Any], Tensors]:
    """The figures of a classifier for its file: as JSON, and what is large as arrays."""
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
    """The figures as `Classifier.metrics` has them; also of files that had all of them as JSON."""
    found = dict(mapping(values, "the metrics"))
    confusion = found.pop("confusion", None)
    metrics: dict[str, Any] = plain(found, "the metrics")
    if "top1" in metrics:
        for share in ("top1", "ece"):
            metrics[share] = number(metrics.get(share), share, 0, 1)
        interval = metrics.get("top1_interval")
        if not isinstance(interval, list) or len(interval) != 2:
            raise ValueError("top1_interval is no pair")
        for end in interval:
            number(end, "top1_interval", 0, 1)
        whole(metrics.get("count"), "count", 0, _COUNT)
        text(metrics.get("evaluated_on"), "evaluated_on")
    if "source" in metrics:
        source = metrics["source"]
        if not isinstance(source, list) or not all(isinstance(line, str) for line in source):
            raise ValueError("source is no list of texts")
        metrics["source"] = [printable(line) for line in source]
    json.dumps(metrics, ensure_ascii=False).encode()  # lone surrogates are told of as ValueError
    if PER_CLASS in arrays:
        metrics |= {"classes": list(classes), "per_class": _scores(arrays[PER_CLASS], classes)}
    if CONFUSION in arrays:
        metrics["confusion"] = _cells(arrays[CONFUSION], len(classes)).tolist()
    elif confusion is not None:
        metrics["confusion"] = _cells_of(confusion, len(classes)).tolist()
    return metrics


def _scores(rows: NDArray[Any], classes: Sequence[str]) -> list[dict[str, Any]]:
    if rows.shape != (len(classes), len(_SCORES) + 2) or rows.dtype != np.float64:
        raise ValueError(f"figures of classes in the shape {rows.shape}")
    support = rows[:, _SCORES.index("support")]
    if not ((support >= 0) & (support <= _COUNT)).all():
        raise ValueError("the numbers of photos by class")
    return [
        {
            "name": name,
            "precision": _share(precision),
            "recall": _share(recall),
            "recall_interval": [low, high],
            "f1": _share(f1),
            "support": int(count),
        }
        for name, (precision, recall, f1, count, low, high) in zip(
            classes, rows.tolist(), strict=True
        )
    ]


def _share(value: float) -> float | None:
    return None if math.isnan(value) else value


def _cells(cells: NDArray[Any], classes: int) -> NDArray[np.int64]:
    if cells.ndim != 2 or cells.shape[1] != 3 or cells.dtype != np.int64:
        raise ValueError(f"the confusion matrix is {cells.dtype} of the shape {cells.shape}")
    inside = (cells >= 0).all() and (cells[:, :2] < classes).all()
    if not inside:
        raise ValueError(f"the confusion matrix is not of {classes} classes")
    return cells


def _cells_of(matrix: object, classes: int) -> NDArray[np.int64]:
    """Of a whole matrix as JSON, as files had it once."""
    from eyespot.evaluation.metrics import cells_of

    try:
        counts = np.array(matrix, dtype=np.int64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError("the confusion matrix is none") from error
    if counts.shape != (classes, classes) or (counts < 0).any():
        raise ValueError(f"the confusion matrix has the shape {counts.shape}")
    return cells_of(counts)
