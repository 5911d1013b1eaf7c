"""Metrics of a classifier, each with its 95% CI."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import isnan
from typing import Any

import numpy as np

from eyespot.arrays import F64, I64, Bools
from eyespot.evaluation.intervals import wilson_interval
from eyespot.shown import Brief

Interval = tuple[float, float]
BINS = 15
"""Bins of confidence, as Guo et al. 2017 use; fewer when they would hold under ten photos."""


@dataclass(frozen=True, slots=True)
class ClassScore:
    """Metrics of one class. `support`: its photos. Shares are 0..1; NaN where undefined."""

    name: str
    precision: float
    recall: float
    recall_interval: Interval
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Photos with about the same confidence, and their accuracy."""

    confidence: float
    accuracy: float
    interval: Interval
    count: int


@dataclass(frozen=True, repr=False)
class Evaluation(Brief):
    """The result of `evaluate`. `confusion`: int64 [K, K], rows are the actual classes."""

    classes: tuple[str, ...]
    count: int
    top1: float
    top1_interval: Interval
    top5: float
    top5_interval: Interval
    balanced_accuracy: float
    ece: float
    per_class: tuple[ClassScore, ...]
    confusion: I64
    reliability: tuple[ReliabilityBin, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and lists, for JSON; undefined shares are None."""
        return {**self.to_metrics(), "confusion": self.confusion.tolist()}

    def to_metrics(self) -> dict[str, Any]:
        """As `to_dict`, for a classifier to keep: `confusion` are the cells that are not 0, as
        [actual, predicted, photos], since all of 10,000 classes would be 100 million."""
        plain = {name: _plain(value) for name, value in vars(self).items()}
        return plain | {"confusion": cells_of(self.confusion).tolist()}


def evaluate(
    probabilities: F64, labels: I64, classes: Sequence[str], groups: I64 | None = None
) -> Evaluation:
    """Compare predictions `probabilities` [n, K] with the actual `labels` int64 [n].

    Rows of NaN (photos that were not held out) are skipped. `groups`: int64 [n], equal for
    duplicates; intervals count a group once, because duplicates are classified alike.
    """
    held_out = ~np.isnan(probabilities[:, 0])
    probabilities, labels = probabilities[held_out], labels[held_out]
    count, k = len(labels), len(classes)
    independent = count if groups is None else len(np.unique(groups[held_out]))
    true = probabilities[np.arange(count), labels]
    # Rank of the true class; among equals the first class wins, as argmax has it.
    earlier = np.arange(k)[None, :] < labels[:, None]
    rank = ((probabilities > true[:, None]) | ((probabilities == true[:, None]) & earlier)).sum(1)
    top1, top5 = float((rank < 1).mean()), float((rank < 5).mean())
    guesses = probabilities.argmax(axis=1)
    confusion = np.zeros((k, k), dtype=np.int64)
    np.add.at(confusion, (labels, guesses), 1)
    per_class = tuple(_class_score(name, confusion, index) for index, name in enumerate(classes))
    reliability = reliability_bins(probabilities.max(axis=1), guesses == labels)
    return Evaluation(
        classes=tuple(classes),
        count=count,
        top1=top1,
        top1_interval=wilson_interval(top1 * independent, independent),
        top5=top5,
        top5_interval=wilson_interval(top5 * independent, independent),
        balanced_accuracy=float(np.nanmean([score.recall for score in per_class])),
        ece=calibration_error(reliability) if count else 0.0,
        per_class=per_class,
        confusion=confusion,
        reliability=reliability,
    )


def mistakes(probabilities: F64, labels: I64) -> I64:
    """Indices of the misclassified photos, the most confident first; NaN is skipped."""
    held_out = ~np.isnan(probabilities[:, 0])
    wrong = np.flatnonzero(held_out & (probabilities.argmax(axis=1) != labels))
    return wrong[np.argsort(-probabilities[wrong].max(axis=1), kind="stable")]


def cells_of(confusion: I64) -> I64:
    """The cells of a confusion matrix [K, K] that are not 0, [n, 3]: actual, predicted, photos."""
    actual, predicted = np.nonzero(confusion)
    return np.stack([actual, predicted, confusion[actual, predicted]], axis=1)


def _class_score(name: str, confusion: I64, index: int) -> ClassScore:
    correct = int(confusion[index, index])
    support, predicted = int(confusion[index].sum()), int(confusion[:, index].sum())
    precision = correct / predicted if predicted else float("nan")
    recall = correct / support if support else float("nan")
    f1 = 2 * correct / (support + predicted) if support + predicted else float("nan")
    return ClassScore(name, precision, recall, wilson_interval(correct, support), f1, support)


def reliability_bins(confidence: F64, correct: Bools) -> tuple[ReliabilityBin, ...]:
    """Equal-width bins (Guo et al. 2017, section 2); empty ones are left out."""
    bins = int(np.clip(len(correct) // 10, 1, BINS))
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    out = []
    for number in np.unique(which):
        inside = which == number
        count, hits = int(inside.sum()), int(correct[inside].sum())
        out.append(
            ReliabilityBin(
                float(confidence[inside].mean()), hits / count, wilson_interval(hits, count), count
            )
        )
    return tuple(out)


def calibration_error(bins: Sequence[ReliabilityBin]) -> float:
    """Expected calibration error (ECE): mean difference between confidence and accuracy, 0..1; NaN
    without a bin (Guo et al. 2017, equation 5)."""
    count = sum(one.count for one in bins)
    differences = sum(one.count * abs(one.confidence - one.accuracy) for one in bins)
    return differences / count if count else float("nan")


def _plain(value: Any) -> Any:
    """A value for JSON: lists for tuples, dicts for dataclasses, None for NaN."""
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, ClassScore | ReliabilityBin):
        return {name: _plain(item) for name, item in asdict(value).items()}
    return None if isinstance(value, float) and isnan(value) else value
