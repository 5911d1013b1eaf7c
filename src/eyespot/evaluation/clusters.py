"""Clusters of similar photos; the number of clusters follows from the photos.

k-means (Lloyd 1982) on the principal components of the features, with the number of groups whose
mean silhouette is greatest (Rousseeuw, "Silhouettes", Journal of Computational and Applied
Mathematics 1987). HDBSCAN was measured, too: in so many dimensions it leaves at least three photos
in ten without a cluster, and agrees less with labels (see docs/guides/dataset.md).
"""

from dataclasses import dataclass

import numpy as np

from eyespot.arrays import F32, I64
from eyespot.shown import Brief

COMPONENTS = 50
COUNTS = (2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 17, 20, 24, 30)
"""Numbers of clusters to evaluate. Nobody reviews more one by one."""
LEAST_PHOTOS = 3
"""Least average number of photos in a cluster."""
STARTS = 2
"""k-means ends in a local optimum; the best of so many starts is used."""
SAMPLE = 2000
"""Photos for finding the number of clusters; pairwise distances grow quadratically."""


@dataclass(frozen=True, repr=False)
class Clusters(Brief):
    """`of`: int64 [n], the group of each photo; the largest is 0. `members`: the photos of each
    group, the most typical (nearest to its centre) first. `silhouette`: mean over photos, -1..1,
    of how much nearer a photo is to its own group than to the next; NaN where there is one group.
    """

    of: I64
    members: list[list[int]]
    silhouette: float


def find_clusters(features: F32, seed: int = 0) -> Clusters:
    """Clusters of n photos by their features, float32 [n, d], without labels."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import pairwise_distances, silhouette_score

    places = principal_components(features, seed)
    rng = np.random.default_rng(seed)
    some = places[np.sort(rng.permutation(len(places))[:SAMPLE])]
    different = len(np.unique(some.round(5), axis=0))  # equal photos share a place
    most = min(len(some) // LEAST_PHOTOS, different)
    apart = pairwise_distances(some) if most > 1 else np.zeros((0, 0))
    found: dict[int, float] = {}
    for count in COUNTS:
        if count <= most:
            group = KMeans(count, n_init=STARTS, random_state=seed).fit_predict(some)
            found[count] = float(silhouette_score(apart, group, metric="precomputed"))
    if not found:
        distance = np.linalg.norm(places, axis=1)  # the centre is at 0
        members = [np.argsort(distance, kind="stable").tolist()] if len(places) else []
        return Clusters(np.zeros(len(places), np.int64), members, float("nan"))
    count = max(found, key=lambda count: found[count])
    model = KMeans(count, n_init=STARTS, random_state=seed).fit(places)
    distance = np.linalg.norm(places - model.cluster_centers_[model.labels_], axis=1)
    near = np.argsort(distance, kind="stable")
    groups = [near[model.labels_[near] == number].tolist() for number in range(count)]
    members = sorted((group for group in groups if group), key=len, reverse=True)
    of = np.empty(len(places), np.int64)
    for number, group in enumerate(members):
        of[group] = number
    return Clusters(of, members, found[count])


def principal_components(features: F32, seed: int = 0) -> F32:
    """Principal components of the directions from the mean, float32 [n, COMPONENTS] or fewer.
    Lengths are normalised: they follow contrast, not content."""
    from sklearn.decomposition import PCA

    width = min(COMPONENTS, *features.shape)
    if width < 2:
        return np.zeros((len(features), 1), np.float32)
    rows = features - features.mean(axis=0)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if lengths.max() <= 1e-4 * np.linalg.norm(features, axis=1).max():  # equal, but for rounding
        return np.zeros((len(features), 1), np.float32)
    rows /= np.maximum(lengths, 1e-9)
    return np.asarray(PCA(width, random_state=seed).fit_transform(rows), dtype=np.float32)
