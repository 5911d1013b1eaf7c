"""Scorers: trained heads as arrays and a formula, in numpy alone.

Training needs scikit-learn and scipy; prediction does not, so that it starts in a fraction of a
second.
Every scorer maps features float32 [n, d] to scores float32 [n, K], one per class; the softmax of
scores / temperature are the probabilities.
"""

from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from eyespot.arrays import F32, I64, product, unit_rows
from eyespot.shown import Brief, shown

NEIGHBOUR_TEMPERATURE = 0.07
"""Temperature of a neighbour's vote by its cosine distance (Wu et al. 2018, section 3.4)."""


class Scorer(Protocol):
    """A trained head."""

    kind: str

    @property
    def classes(self) -> int: ...

    def scores(self, features: F32) -> F32: ...

    def to_arrays(self) -> dict[str, NDArray[np.generic]]:
        """The fitted state, for the classifier's file; `scorer_from_arrays` reads it."""
        ...


class _Fitted(Brief):
    """A dataclass of arrays and counts."""

    def to_arrays(self) -> dict[str, NDArray[np.generic]]:
        facts: Any = fields(self)  # type: ignore[arg-type]
        return {fact.name: np.atleast_1d(getattr(self, fact.name)) for fact in facts}


@dataclass(frozen=True, repr=False)
class LinearScorer(_Fitted):
    """x @ weights + bias; `weights` float32 [d, K], `bias` float32 [K].

    Logistic regression, the linear SVM and nearest class mean all end in this form, with the
    standardisation of the features folded in.
    """

    weights: F32
    bias: F32
    kind = "linear"

    @property
    def classes(self) -> int:
        return len(self.bias)

    def scores(self, features: F32) -> F32:
        return np.asarray(product(features, self.weights) + self.bias, dtype=np.float32)


@dataclass(frozen=True, repr=False)
class LogitsScorer(_Fitted):
    """A network's own logits, squared back: heads get the signed roots of all features."""

    classes: int
    kind = "logits"

    def scores(self, features: F32) -> F32:
        if features.shape[1] != self.classes:
            raise ValueError(f"{features.shape[1]} outputs for {self.classes} classes")
        return features * np.abs(features)


@dataclass(frozen=True, repr=False)
class NeighboursScorer(_Fitted):
    """Weighted vote of the `k` most similar photos (cosine of standardised features).

    A neighbour at cosine c votes exp((c - 1) / 0.07) for its class; a score is the logarithm of
    the votes. `mean`, `scale`: float32 [d]. `references`: float32 [m, d], standardised, of
    length one. `labels`: int64 [m].
    """

    mean: F32
    scale: F32
    references: F32
    labels: I64
    k: int
    classes: int
    kind = "neighbours"

    def scores(self, features: F32) -> F32:
        queries = unit_rows((features - self.mean) * self.scale)
        scores = neighbour_scores(queries, self.references, self.labels, (self.k,), self.classes)
        return np.asarray(scores[0])


def scorer_from_arrays(kind: str, arrays: dict[str, NDArray[np.generic]]) -> Scorer:
    """Rebuild a scorer. Raises ValueError if the arrays do not belong to a scorer of `kind`."""
    try:
        if kind == "logits":
            return LogitsScorer(int(arrays["classes"].item()))
        if kind == "linear":
            weights = np.asarray(arrays["weights"], dtype=np.float32)
            bias = np.asarray(arrays["bias"], dtype=np.float32)
            if weights.ndim != 2 or bias.shape != weights.shape[1:]:
                raise ValueError(f"weights {weights.shape} and bias {bias.shape} do not fit")
            return LinearScorer(weights, bias)
        if kind == "neighbours":
            references = np.asarray(arrays["references"], dtype=np.float32)
            mean = np.asarray(arrays["mean"], dtype=np.float32)
            scale = np.asarray(arrays["scale"], dtype=np.float32)
            labels = np.asarray(arrays["labels"], dtype=np.int64)
            k, classes = int(arrays["k"].item()), int(arrays["classes"].item())
            if references.ndim != 2 or not (mean.shape == scale.shape == references.shape[1:]):
                raise ValueError(
                    f"references {references.shape}, mean {mean.shape} and scale {scale.shape} do "
                    "not fit"
                )
            if k < 1 or labels.ndim != 1 or not 0 < len(labels) == len(references):
                raise ValueError(f"{k} of references {references.shape}, labels {labels.shape}")
            if not 0 <= labels.min() <= labels.max() < classes:
                raise ValueError(f"labels {labels.min()} to {labels.max()} of {classes} classes")
            return NeighboursScorer(mean, scale, references, labels, k, classes)
    except KeyError as error:
        raise ValueError(f"the array {error} is missing") from error
    raise ValueError(f"unknown kind of head: {shown(kind)}")


def neighbour_scores(
    queries: F32, references: F32, labels: I64, ks: tuple[int, ...], classes: int
) -> F32:
    """Scores float32 [len(ks), n, classes] for each number of neighbours in `ks`.

    Rows of `queries` and `references` have length one. A class without a vote gets the score of
    a vote at the opposite side of the sphere.
    """
    out = np.empty((len(ks), len(queries), classes), dtype=queries.dtype)
    most = min(max(ks), len(references))
    for start in range(0, len(queries), 1024):  # bounds the similarity matrix
        similarity = product(queries[start : start + 1024], references.T)
        nearest = np.argpartition(-similarity, most - 1, axis=1)[:, :most]
        closeness = np.take_along_axis(similarity, nearest, axis=1)
        order = np.argsort(-closeness, axis=1)
        nearest = np.take_along_axis(nearest, order, axis=1)
        closeness = np.take_along_axis(closeness, order, axis=1)
        votes = np.exp((closeness - 1) / NEIGHBOUR_TEMPERATURE)
        rows = np.arange(len(similarity))[:, None]
        for index, k in enumerate(ks):
            total = np.full((len(similarity), classes), np.exp(-2 / NEIGHBOUR_TEMPERATURE))
            np.add.at(total, (rows, labels[nearest[:, :k]]), votes[:, :k])
            out[index, start : start + 1024] = np.log(total)
    return out
