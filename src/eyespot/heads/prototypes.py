"""Prototypes: a class is the mean of its photos, a photo belongs to the nearest mean.

Mensink et al., "Distance-Based Image Classification: Generalizing to New Classes at Near-Zero
Cost", TPAMI 2013, section 3.2; with cosine similarity of photos of length one as in Wang et al.,
"SimpleShot", 2019. Nothing is fitted: the most stable head with one or two photos per class.

The computation is that of nearest neighbours, with the class means as neighbours.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eyespot.arrays import unit_rows
from eyespot.heads.method import Fold
from eyespot.heads.scorers import NeighboursScorer, neighbour_scores
from eyespot.heads.standardise import UnitRows


@dataclass(frozen=True)
class Prototypes:
    """Without a hyperparameter: its one value has no effect."""

    name: str = "prototypes"
    hyperparameters: tuple[float, ...] = (0.0,)

    def prepare(
        self, features: NDArray[np.float32], block_widths: Sequence[int] | None = None
    ) -> "PreparedPrototypes":
        return PreparedPrototypes(features, block_widths)


class PreparedPrototypes(UnitRows):
    def out_of_fold(
        self,
        labels: NDArray[np.int64],
        classes: int,
        folds: Sequence[Fold],
        hyperparameters: Sequence[float],
    ) -> NDArray[np.float32]:
        scores = np.full((len(hyperparameters), len(labels), classes), np.nan, dtype=np.float32)
        for train, test in folds:
            means, present = self._means(self.rows[train], labels[train], classes)
            scores[:, test] = neighbour_scores(self.rows[test], means, present, (classes,), classes)
        return scores

    def fit(
        self, labels: NDArray[np.int64], classes: int, hyperparameter: float
    ) -> NeighboursScorer:
        means, present = self._means(self.rows, labels, classes)
        return NeighboursScorer(self.mean, self.scale, means, present, classes, classes)

    def _means(
        self, rows: NDArray[np.float32], labels: NDArray[np.int64], classes: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Mean direction of each class that has photos, and which classes these are."""
        present = np.unique(labels)
        members = (labels[None, :] == present[:, None]).astype(np.float32)
        return unit_rows(members @ rows), present
