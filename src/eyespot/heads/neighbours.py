"""k-nearest neighbours: a photo gets the class of the most similar training photos.

Cosine similarity of standardised features; votes fade with distance, so that the number of
neighbours matters little (Wu et al., "Unsupervised Feature Learning via Non-Parametric Instance
Discrimination", CVPR 2018, section 3.4).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eyespot.heads.method import Fold
from eyespot.heads.scorers import NeighboursScorer, neighbour_scores
from eyespot.heads.standardise import UnitRows


@dataclass(frozen=True)
class Neighbours:
    """The hyperparameter is the number of neighbours."""

    name: str = "nearest neighbours"
    hyperparameters: tuple[float, ...] = (50, 20, 10, 5, 3, 1)

    def prepare(
        self, features: NDArray[np.float32], block_widths: Sequence[int] | None = None
    ) -> "PreparedNeighbours":
        return PreparedNeighbours(features, block_widths)


class PreparedNeighbours(UnitRows):
    def out_of_fold(
        self,
        labels: NDArray[np.int64],
        classes: int,
        folds: Sequence[Fold],
        hyperparameters: Sequence[float],
    ) -> NDArray[np.float32]:
        scores = np.full((len(hyperparameters), len(labels), classes), np.nan, dtype=np.float32)
        ks = tuple(int(hyperparameter) for hyperparameter in hyperparameters)
        for train, test in folds:
            scores[:, test] = neighbour_scores(
                self.rows[test], self.rows[train], labels[train], ks, classes
            )
        return scores

    def fit(
        self, labels: NDArray[np.int64], classes: int, hyperparameter: float
    ) -> NeighboursScorer:
        return NeighboursScorer(
            self.mean, self.scale, self.rows, labels, int(hyperparameter), classes
        )
