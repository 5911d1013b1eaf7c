"""Linear heads: multinomial logistic regression and the linear SVM, along a path of penalties.

Both minimise mean loss + l2 / 2 * |W|^2 (the intercept is free) over standardised features; the
loss is cross-entropy (Bishop 2006, section 4.3.4) or the squared hinge of one class against the
rest (Fan et al., LIBLINEAR, JMLR 2008, appendix A).

What makes it fast: in the eigenbasis of the features' covariance, the curvature of the loss is
bounded by a diagonal (Boehning 1992), so that L-BFGS on rescaled coordinates needs 10 to 30 steps
where it otherwise needs hundreds. The basis does not depend on labels, folds or penalty: it is
computed once, has at most min(n, d) dimensions, and each penalty starts from the one before.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

from eyespot.heads.method import Fold
from eyespot.heads.scorers import LinearScorer
from eyespot.heads.standardise import standardisation

Loss = Literal["cross-entropy", "squared hinge"]
Array = NDArray[np.floating]

CURVATURE: dict[Loss, float] = {"cross-entropy": 0.25, "squared hinge": 2.0}
"""Largest second derivative of a photo's loss in one score."""


@dataclass(frozen=True)
class Linear:
    """Logistic regression or linear SVM; the knob is the penalty l2.

    `balanced`: weigh every class alike instead of every photo alike.
    """

    loss: Loss
    balanced: bool = False
    knobs: tuple[float, ...] = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5)

    @property
    def name(self) -> str:
        return "logistic regression" if self.loss == "cross-entropy" else "linear SVM"

    def prepare(
        self, features: Array, block_widths: Sequence[int] | None = None
    ) -> "PreparedLinear":
        return PreparedLinear(self.loss, self.balanced, features, block_widths)


class PreparedLinear:
    """Features in their eigenbasis: coordinates float32 [n, r], r <= min(n, d)."""

    def __init__(
        self, loss: Loss, balanced: bool, features: Array, block_widths: Sequence[int] | None
    ) -> None:
        self.loss: Loss = loss
        self.balanced = balanced
        self.mean, self.scale = standardisation(features, block_widths)
        count, width = features.shape
        if width <= count:
            gram = _covariance(features, self.mean, self.scale)
            variance, axes = _principal(gram)
            self.basis = self.scale[:, None] * axes  # [d, r]
            self.coordinates = features @ self.basis
            self.coordinates -= self.mean @ self.basis
        else:
            centred = (features - self.mean) * self.scale
            variance, axes = _principal(centred @ centred.T / count)
            lengths = np.sqrt(variance * count)
            self.coordinates = axes * lengths
            self.basis = self.scale[:, None] * (centred.T @ (axes / lengths))
        self.variance = variance

    def out_of_fold(
        self,
        labels: NDArray[np.int64],
        classes: int,
        folds: Sequence[Fold],
        knobs: Sequence[float],
    ) -> Array:
        scores = np.full((len(knobs), len(labels), classes), np.nan, dtype=np.float32)

        def learn_fold(fold: Fold) -> None:
            train, test = fold
            weights = None
            for index, l2 in enumerate(knobs):
                weights = self._minimise(
                    self.coordinates[train], labels[train], classes, l2, weights
                )
                scores[index, test] = self.coordinates[test] @ weights[:-1] + weights[-1]

        # Narrow products use one core well and several badly: one fold per core instead.
        with threadpool_limits(1, "blas"), ThreadPoolExecutor(len(folds) or 1) as pool:
            list(pool.map(learn_fold, folds))
        return scores

    def fit(self, labels: NDArray[np.int64], classes: int, knob: float) -> LinearScorer:
        weights = self._minimise(self.coordinates, labels, classes, knob, None)
        folded = self.basis @ weights[:-1]
        bias = weights[-1] - self.mean @ folded
        return LinearScorer(folded.astype(np.float32), bias.astype(np.float32))

    def _minimise(
        self,
        coordinates: Array,
        labels: NDArray[np.int64],
        classes: int,
        l2: float,
        start: Array | None,
    ) -> Array:
        """Weights float32 [r + 1, classes], the intercepts in the last row."""
        rescale = (1 / np.sqrt(CURVATURE[self.loss] * self.variance + l2)).astype(np.float32)
        inputs = coordinates * rescale
        penalty = l2 * (rescale * rescale)[:, None]
        targets = np.eye(classes, dtype=np.float32)[labels]
        weight = self._photo_weights(labels, classes)[:, None]
        loss_and_slope = LOSSES[self.loss]

        def objective(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            parameters = flat.reshape(-1, classes).astype(np.float32)
            scores = inputs @ parameters[:-1] + parameters[-1]
            loss, slope = loss_and_slope(scores, targets)
            slope *= weight
            shrunk = penalty * parameters[:-1]
            value = float((weight[:, 0] * loss).sum() + 0.5 * (shrunk * parameters[:-1]).sum())
            gradient = np.vstack([inputs.T @ slope + shrunk, slope.sum(axis=0)])
            return value, gradient.ravel().astype(np.float64)

        flat = np.zeros((len(self.variance) + 1, classes))
        if start is not None:
            flat[:-1] = start[:-1] / rescale[:, None]
            flat[-1] = start[-1]
        result = minimize(
            objective,
            flat.ravel(),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": 200, "gtol": 1e-5, "ftol": 1e-6},
        )
        weights = result.x.reshape(-1, classes)
        weights[:-1] *= rescale[:, None]
        return np.asarray(weights, dtype=np.float32)

    def _photo_weights(self, labels: NDArray[np.int64], classes: int) -> Array:
        """What each photo counts, float32 [n], adding up to 1."""
        if not self.balanced:
            return np.full(len(labels), 1 / len(labels), dtype=np.float32)
        counts = np.bincount(labels, minlength=classes)
        return (1 / counts[labels] / np.count_nonzero(counts)).astype(np.float32)


def cross_entropy(scores: Array, targets: Array) -> tuple[Array, Array]:
    """Loss [n] and its derivative by the scores [n, K]; targets are one-hot [n, K]."""
    scores = scores - scores.max(axis=1, keepdims=True)
    exponents = np.exp(scores)
    totals = exponents.sum(axis=1, keepdims=True)
    loss = np.log(totals[:, 0]) - (scores * targets).sum(axis=1)
    return loss, exponents / totals - targets


def squared_hinge(scores: Array, targets: Array) -> tuple[Array, Array]:
    """Loss [n], summed over one-against-rest problems, and its derivative [n, K]."""
    signs = 2 * targets - 1
    margins = np.maximum(1 - signs * scores, 0)
    return (margins * margins).sum(axis=1), -2 * signs * margins


LOSSES = {"cross-entropy": cross_entropy, "squared hinge": squared_hinge}


def _covariance(features: Array, mean: Array, scale: Array) -> Array:
    """Covariance [d, d] of the standardised features, without a standardised copy of them."""
    total = np.zeros((features.shape[1],) * 2, dtype=np.float64)
    for start in range(0, len(features), 8192):
        part = features[start : start + 8192] - mean
        total += part.T @ part
    return (total * np.outer(scale, scale) / len(features)).astype(np.float32)


def _principal(symmetric: Array) -> tuple[Array, Array]:
    """Eigenvalues [r] and eigenvectors [m, r], without those lost in rounding."""
    values, vectors = eigh(symmetric, overwrite_a=True, check_finite=False)
    kept = values > max(values[-1], 0) * 1e-6
    return values[kept], vectors[:, kept]
