"""What all ways of learning a head have in common: one hyperparameter, and a path along it.

A `Method` looks at the features once (`prepare`), then learns from any part of the photos for
every value of its hyperparameter. Cross-validation is cheap: what folds share is done once.
Nothing that is shared has seen a label; only standardisation and a change of basis are.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from eyespot.heads.scorers import Scorer

Fold = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Indices of the photos to learn from, and of those to be asked about."""


class Prepared(Protocol):
    """Features ready to learn from."""

    def out_of_fold(
        self,
        labels: NDArray[np.int64],
        classes: int,
        folds: Sequence[Fold],
        hyperparameters: Sequence[float],
    ) -> NDArray[np.float32]:
        """Scores float32 [len(hyperparameters), n, classes] of photos by heads that never saw them.

        `labels`: int64 [n] in 0..classes-1. Photos in no fold's second part get NaN.
        """
        ...

    def fit(self, labels: NDArray[np.int64], classes: int, hyperparameter: float) -> Scorer:
        """A head learnt from all the photos."""
        ...


class Method(Protocol):
    """One way to learn a head. `hyperparameters`: the values to choose among, strictest first."""

    @property
    def name(self) -> str: ...

    @property
    def hyperparameters(self) -> tuple[float, ...]: ...

    def prepare(
        self, features: NDArray[np.float32], block_widths: Sequence[int] | None = None
    ) -> Prepared: ...
