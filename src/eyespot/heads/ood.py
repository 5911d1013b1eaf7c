"""Out-of-distribution (OOD) score: how far a photo is from all training photos.

One minus the mean cosine similarity between the photo's last-layer features and those of the k
most similar training photos (Sun et al., "Out-of-Distribution Detection with Deep Nearest
Neighbors", ICML 2022, section 3). A head's own probabilities are no substitute: a softmax is
confident far from all training data, too.
"""

from dataclasses import dataclass

import numpy as np

from eyespot.arrays import F32, I64, product, unit_rows
from eyespot.heads.method import Fold
from eyespot.shown import Brief

NEIGHBOURS = 5
MOST_REFERENCES = 10_000
"""Enough for a good estimate; keeps prediction fast and the classifier's file small."""
HIGHEST = 2.0
"""The highest OOD score: as a threshold it rejects no photo."""


@dataclass(frozen=True, repr=False)
class OodScorer(Brief):
    """`references`: float32 [m, d], of length one."""

    references: F32

    def __call__(self, features: F32) -> F32:
        """OOD scores float32 [n] in 0..2 of last-layer features float32 [n, d]."""
        similarity = product(unit_rows(features), self.references.T)
        k = min(NEIGHBOURS, similarity.shape[1])
        nearest = np.partition(similarity, similarity.shape[1] - k, axis=1)[:, -k:]
        return np.asarray(1 - nearest.mean(axis=1), dtype=np.float32)


def fit_ood(features: F32, labels: I64, *, forget_photos: bool = False) -> OodScorer:
    """The scorer for training photos with these last-layer features, float32 [n, d].

    `forget_photos`: keep each class's mean instead of its photos.
    """
    rows = unit_rows(features)
    if forget_photos:
        rows = unit_rows(np.stack([rows[labels == c].mean(axis=0) for c in np.unique(labels)]))
    elif len(rows) > MOST_REFERENCES:
        picked = np.random.default_rng(0).permutation(len(rows))[:MOST_REFERENCES]
        rows = rows[np.sort(picked)]
    return OodScorer(rows)


def out_of_fold_ood_scores(
    features: F32, labels: I64, folds: list[Fold], *, forget_photos: bool = False
) -> F32:
    """OOD score float32 [n] of each photo against the training photos of its fold; NaN for photos
    in no test fold."""
    out = np.full(len(features), np.nan, dtype=np.float32)
    for train, test in folds:
        scorer = fit_ood(features[train], labels[train], forget_photos=forget_photos)
        for start in range(0, len(test), 1024):
            part = test[start : start + 1024]
            out[part] = scorer(features[part])
    return out
