import numpy as np
import pytest
from numpy.typing import NDArray

from eyespot.heads.eigenbasis import Eigenbasis
from eyespot.heads.linear import Linear


def features(count: int, width: int, seed: int = 0) -> NDArray[np.float32]:
    """Correlated columns, the first of them strong."""
    rng = np.random.default_rng(seed)
    hidden = rng.standard_normal((count, width)) * np.geomspace(3, 0.03, width)
    turn = np.linalg.qr(rng.standard_normal((width, width)))[0]
    return np.asarray(hidden @ turn + 1, dtype=np.float32)


@pytest.mark.parametrize(("count", "width"), [(200, 30), (30, 200)])
def test_coordinates_keep_all_distances(count: int, width: int) -> None:
    x = features(count, width)
    basis = Eigenbasis(x)
    standard = (x - basis.mean) * basis.scale
    products = basis.coordinates @ basis.coordinates.T
    np.testing.assert_allclose(products, standard @ standard.T, atol=1e-3)


@pytest.mark.parametrize(("count", "width"), [(200, 30), (30, 200)])
def test_weights_are_folded_back_to_the_features(count: int, width: int) -> None:
    x = features(count, width)
    basis = Eigenbasis(x)
    weights = np.random.default_rng(1).standard_normal((basis.coordinates.shape[1], 3))
    np.testing.assert_allclose(
        (x - basis.mean) @ basis.fold(weights), basis.coordinates @ weights, atol=1e-3
    )


def test_a_basis_of_some_photos_spans_what_matters() -> None:
    x = features(600, 400)
    directions = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)[2][:2]
    labels = ((x - x.mean(axis=0)) @ directions.T > 0) @ np.array([1, 2])
    train, test = x[:400], x[400:]
    whole, drawn = (Eigenbasis(train, most=most) for most in (None, 120))
    assert drawn.coordinates.shape == (400, 120)
    right = []
    for basis in (whole, drawn):
        scorer = Linear("cross-entropy").over(basis).fit(labels[:400], 4, 1e-3)
        right.append((scorer.scores(test).argmax(axis=1) == labels[400:]).mean())
    assert right[0] > 0.75
    assert right[1] > right[0] - 0.1
