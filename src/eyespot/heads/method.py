"""Protocols of heads: one hyperparameter, and a path along its values.

A `Method` prepares the features once, then trains on any part of the photos for every value of its
hyperparameter. Cross-validation is cheap, because the folds share the preparation: standardisation
and a change of basis, which depend on no label.
"""

from collections.abc import Sequence
from typing import Protocol

from eyespot.arrays import F32, I64
from eyespot.heads.scorers import Scorer

Fold = tuple[I64, I64]
"""Indices of the training photos, and of the held-out photos."""


class Prepared(Protocol):
    """Features ready for training."""

    def out_of_fold(
        self, labels: I64, classes: int, folds: Sequence[Fold], hyperparameters: Sequence[float]
    ) -> F32:
        """Out-of-fold scores float32 [len(hyperparameters), n, classes].

        `labels`: int64 [n] in 0..classes-1. Photos that no fold holds out get NaN.
        """
        ...

    def fit(self, labels: I64, classes: int, hyperparameter: float) -> Scorer:
        """A head trained on all the photos."""
        ...


class Method(Protocol):
    """A kind of head. `hyperparameters`: the values to select from, strictest first."""

    @property
    def hyperparameters(self) -> tuple[float, ...]: ...

    def prepare(self, features: F32, block_widths: Sequence[int] | None = None) -> Prepared: ...
