"""Arrays by their type, and products and similarities of rows of features."""

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
U8 = NDArray[np.uint8]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Floats = NDArray[np.floating]
Integers = NDArray[np.signedinteger]


def product(rows: Floats, matrix: Floats) -> Floats:
    """rows @ matrix [n, d] x [d, k], for a single row on one core.

    BLAS would start a second thread, which then spins until the next call and takes 2 ms of the
    core that the network needs for a camera's next frame.
    """
    if len(rows) == 1:
        return np.asarray(np.einsum("nd,dk->nk", rows, matrix))
    return rows @ matrix


def unit_rows(rows: F32) -> F32:
    """Each row scaled to length one (rows of zeros stay zeros)."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    unit = np.divide(rows, norms, out=np.zeros_like(rows), where=norms > 0)
    return np.asarray(unit)


def most_similar(query: F32, rows: F32, k: int) -> list[tuple[int, float]]:
    """The `k` of `rows` [n, d] nearest to `query` [d], all of length one: (row, cosine), the
    nearest first."""
    cosines = product(query[None], rows.T)[0]
    nearest = np.argsort(-cosines, kind="stable")[:k]
    return [(int(row), float(cosines[row])) for row in nearest]
