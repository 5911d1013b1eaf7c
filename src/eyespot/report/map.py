"""A two-dimensional map of photos by their features."""

import numpy as np
from numpy.typing import NDArray

MOST = 800
"""More points than this are not told apart on a page, and take too long to arrange."""


def arrange(features: NDArray[np.float32], seed: int = 0) -> NDArray[np.float32]:
    """Positions float32 [n, 2] in 0..1, similar photos side by side.

    Stochastic neighbour embedding (van der Maaten and Hinton, "Visualizing Data using t-SNE",
    JMLR 2008) of the 30 principal components of the unit features.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    rows = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    count = len(rows)
    if count < 8:
        points = PCA(2, random_state=seed).fit_transform(rows) if count > 2 else rows[:, :2]
    else:
        components = min(30, count - 1, rows.shape[1])
        reduced = PCA(components, svd_solver="randomized", random_state=seed).fit_transform(rows)
        points = TSNE(
            2, perplexity=min(30.0, (count - 1) / 3), init="pca", max_iter=300, random_state=seed
        ).fit_transform(reduced)
    low, high = points.min(axis=0), points.max(axis=0)
    return np.asarray((points - low) / np.maximum(high - low, 1e-9), dtype=np.float32)
