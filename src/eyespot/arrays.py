"""Products and similarities of rows of features."""

import numpy as np
from numpy.typing import NDArray


def product(rows: NDArray[np.floating], matrix: NDArray[np.floating]) -> NDArray[np.floating]:
    """rows @ matrix [n, d] x [d, k], for a single row on one core.

    BLAS would start a second thread, which then spins until the next call and takes 2 ms of the
    core that the network needs for a camera's next frame.
    """
    if len(rows) == 1:
        return np.asarray(np.einsum("nd,dk->nk", rows, matrix))
    return rows @ matrix


def unit_rows(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each row scaled to length one (rows of zeros stay zeros)."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    unit = np.divide(rows, norms, out=np.zeros_like(rows), where=norms > 0)
    return np.asarray(unit)


def most_similar(
    query: NDArray[np.float32], rows: NDArray[np.float32], k: int
) -> list[tuple[int, float]]:
    """The `k` of `rows` [n, d] nearest to `query` [d], all of length one: (row, cosine), the
    nearest first."""
    alike = product(query[None], rows.T)[0]
    nearest = np.argsort(-alike, kind="stable")[:k]
    return [(int(row), float(alike[row])) for row in nearest]
