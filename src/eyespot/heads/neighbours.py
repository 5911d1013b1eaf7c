"""Heads that compare angles: k-nearest neighbours, and prototypes.

k-nearest neighbours: a photo gets the class of the most similar training photos. Cosine similarity
of standardised features; votes fade with distance, so that the number of neighbours matters little
(Wu et al., "Unsupervised Feature Learning via Non-Parametric Instance Discrimination", CVPR 2018,
section 3.4).

Prototypes: a class is the mean of its photos, a photo belongs to the nearest mean (Mensink et al.,
"Distance-Based Image Classification: Generalizing to New Classes at Near-Zero Cost", TPAMI 2013,
section 3.2; with cosine similarity of photos of length one as in Wang et al., "SimpleShot", 2019).
Nothing is fitted: the most stable head with one or two photos per class.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eyespot.arrays import F32, I64, unit_rows
from eyespot.heads.method import Fold
from eyespot.heads.scorers import NeighboursScorer, neighbour_scores
from eyespot.heads.standardise import standardisation


@dataclass(frozen=True)
class Neighbours:
    """The hyperparameter is the number of neighbours; 0 for all of them."""

    hyperparameters: tuple[float, ...] = (50, 20, 10, 5, 3, 1)
    means: bool = False

    def prepare(
        self, features: F32, block_widths: Sequence[int] | None = None
    ) -> "PreparedNeighbours":
        mean, scale = standardisation(features, block_widths)
        return PreparedNeighbours(mean, scale, unit_rows((features - mean) * scale), self.means)


@dataclass(frozen=True)
class Prototypes(Neighbours):
    """Nearest neighbours among the class means. Its one hyperparameter has no effect."""

    hyperparameters: tuple[float, ...] = (0.0,)
    means: bool = True


@dataclass(frozen=True)
class PreparedNeighbours:
    """`rows`: features, standardised by `mean` and `scale`, of length one, float32 [n, d].

    `means`: compare with the mean direction of each class instead of its photos.
    """

    mean: F32
    scale: F32
    rows: F32
    means: bool

    def out_of_fold(
        self, labels: I64, classes: int, folds: Sequence[Fold], hyperparameters: Sequence[float]
    ) -> F32:
        scores = np.full((len(hyperparameters), len(labels), classes), np.nan, dtype=np.float32)
        ks = tuple(int(hyperparameter) or classes for hyperparameter in hyperparameters)
        for train, test in folds:
            references, own = self._references(self.rows[train], labels[train])
            scores[:, test] = neighbour_scores(self.rows[test], references, own, ks, classes)
        return scores

    def fit(self, labels: I64, classes: int, hyperparameter: float) -> NeighboursScorer:
        references, own = self._references(self.rows, labels)
        k = int(hyperparameter) or classes
        return NeighboursScorer(self.mean, self.scale, references, own, k, classes)

    def _references(self, rows: F32, labels: I64) -> tuple[F32, I64]:
        """The photos, or the mean direction of each class that has photos; and their labels."""
        if not self.means:
            return rows, labels
        present = np.unique(labels)
        members = (labels[None, :] == present[:, None]).astype(np.float32)
        return unit_rows(members @ rows), present
