"""How much a photo looks like any photo that was taught, to answer "none of these".

The mean cosine between the photo's last-layer features and the k most similar taught photos
(Sun et al., "Out-of-Distribution Detection with Deep Nearest Neighbors", ICML 2022, section 3).
A head's own probabilities say little here: a softmax is sure of itself far from all it has seen.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eyespot.arrays import product, unit_rows
from eyespot.heads.method import Fold
from eyespot.shown import Brief

NEIGHBOURS = 5
MOST_REFERENCES = 10_000
"""Enough for a good estimate; keeps answering fast and the classifier's file small."""


@dataclass(frozen=True, repr=False)
class Familiarity(Brief):
    """`references`: float32 [m, d], of length one."""

    references: NDArray[np.float32]

    def __call__(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Familiarity float32 [n] in -1..1 of last-layer features float32 [n, d]."""
        return _mean_of_nearest(product(unit_rows(features), self.references.T), NEIGHBOURS)


def learn_familiarity(
    features: NDArray[np.float32], labels: NDArray[np.int64], *, forget_photos: bool = False
) -> Familiarity:
    """Familiarity with the given last-layer features, float32 [n, d].

    `forget_photos`: remember each class's mean instead of its photos.
    """
    rows = unit_rows(features)
    if forget_photos:
        rows = unit_rows(np.stack([rows[labels == c].mean(axis=0) for c in np.unique(labels)]))
    elif len(rows) > MOST_REFERENCES:
        picked = np.random.default_rng(0).permutation(len(rows))[:MOST_REFERENCES]
        rows = rows[np.sort(picked)]
    return Familiarity(rows)


def familiarity_out_of_fold(
    features: NDArray[np.float32],
    labels: NDArray[np.int64],
    folds: list[Fold],
    *,
    forget_photos: bool = False,
) -> NDArray[np.float32]:
    """Familiarity float32 [n] of each photo with the photos of the other folds; NaN if unasked."""
    out = np.full(len(features), np.nan, dtype=np.float32)
    for train, test in folds:
        known = learn_familiarity(features[train], labels[train], forget_photos=forget_photos)
        for start in range(0, len(test), 1024):
            part = test[start : start + 1024]
            out[part] = known(features[part])
    return out


def _mean_of_nearest(similarity: NDArray[np.floating], k: int) -> NDArray[np.float32]:
    k = min(k, similarity.shape[1])
    nearest = np.partition(similarity, similarity.shape[1] - k, axis=1)[:, -k:]
    return np.asarray(nearest.mean(axis=1), dtype=np.float32)
