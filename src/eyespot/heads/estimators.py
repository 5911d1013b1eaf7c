"""The heads as scikit-learn estimators, for pipelines and grid searches.

    head = LogisticHead().fit(features, labels)
    head.predict_proba(new_features)

`fit` selects the hyperparameter and calibrates the probabilities by cross-validation.
"""

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from eyespot.arrays import F32, F64, I64
from eyespot.heads.calibration import select_hyperparameter, softmax
from eyespot.heads.linear import Linear, Loss
from eyespot.heads.method import Fold, Method
from eyespot.heads.neighbours import Neighbours, Prototypes


class Head(ClassifierMixin, BaseEstimator):
    """Base class of the heads. `cv`: folds for selection and calibration.

    Fitted: `classes_` [K]; `hyperparameter_`, the selected value; `temperature_`; `scorer_`;
    `n_features_in_`.
    """

    cv: int

    def _method(self) -> tuple[Method, float | Literal["auto"]]:
        """The method, and its hyperparameter."""
        raise NotImplementedError

    def fit(self, X: ArrayLike, y: ArrayLike) -> "Head":
        """Fit to features [n, d] and labels [n]. Raises ValueError for a single class."""
        features, labels = validate_data(self, X, y, dtype=np.float32)
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        count = len(self.classes_)
        if count < 2:
            raise ValueError(f"Expected at least two classes, got {count} class.")
        method, wanted = self._method()
        hyperparameters = method.hyperparameters if wanted == "auto" else (float(wanted),)
        prepared = method.prepare(features)
        folds = _stratified(codes, self.cv)
        scores = prepared.out_of_fold(codes, count, folds, hyperparameters)
        best, self.temperature_ = select_hyperparameter(scores, codes)
        self.hyperparameter_ = hyperparameters[best]
        self.scorer_ = prepared.fit(codes, count, self.hyperparameter_)
        return self

    def _scores(self, X: ArrayLike) -> F32:
        check_is_fitted(self)
        # In double precision, so that a row's scores do not depend on the rows beside it.
        return self.scorer_.scores(validate_data(self, X, dtype=np.float64, reset=False))

    def decision_function(self, X: ArrayLike) -> F32:
        """Scores [n, K]; for two classes the difference [n], as in scikit-learn."""
        scores = self._scores(X)
        return scores[:, 1] - scores[:, 0] if scores.shape[1] == 2 else scores

    def predict_proba(self, X: ArrayLike) -> F64:
        """Calibrated probabilities [n, K]."""
        return softmax(self._scores(X) / self.temperature_)

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The most probable class of each row, [n]."""
        best = self._scores(X).argmax(axis=1)
        return np.asarray(self.classes_[best])


class LinearHead(Head):
    """A linear head. `l2`: the penalty, or "auto". `balanced`: equal weights for classes instead of
    photos."""

    _loss: Loss

    def __init__(
        self, *, l2: float | Literal["auto"] = "auto", balanced: bool = False, cv: int = 5
    ) -> None:
        self.l2 = l2
        self.balanced = balanced
        self.cv = cv

    def _method(self) -> tuple[Method, float | Literal["auto"]]:
        return Linear(self._loss, self.balanced), self.l2


class LogisticHead(LinearHead):
    """Multinomial logistic regression. Parameters as LinearHead."""

    _loss = "cross-entropy"


class LinearSVMHead(LinearHead):
    """Linear SVM, squared hinge, one class against the rest. Parameters as LinearHead."""

    _loss = "squared hinge"


class NearestNeighboursHead(Head):
    """k-nearest neighbours by cosine. `n_neighbors`: how many, or "auto"."""

    def __init__(self, *, n_neighbors: int | Literal["auto"] = "auto", cv: int = 5) -> None:
        self.n_neighbors = n_neighbors
        self.cv = cv

    def _method(self) -> tuple[Method, float | Literal["auto"]]:
        return Neighbours(), self.n_neighbors


class PrototypesHead(Head):
    """Nearest class mean by cosine."""

    def __init__(self, *, cv: int = 5) -> None:
        self.cv = cv

    def _method(self) -> tuple[Method, float | Literal["auto"]]:
        return Prototypes(), "auto"


def _stratified(labels: I64, count: int) -> list[Fold]:
    """Folds with every class dealt out evenly, in a fixed random order."""
    order = np.random.default_rng(0).permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    fold = np.empty(len(labels), dtype=np.int64)
    fold[order] = np.arange(len(labels)) % min(count, len(labels))
    return [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in np.unique(fold)]
