import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.svm import LinearSVC

from eyespot.heads.linear import LOSSES, Linear, Loss
from eyespot.heads.standardise import standardisation


def blobs(
    n: int, d: int, k: int, seed: int = 0, spread: float = 1.0
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, k, n)
    centres = rng.normal(size=(k, d))
    return (centres[labels] + spread * rng.normal(size=(n, d))).astype(np.float32), labels


def centred(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Softmax does not see a number added to all scores of a photo."""
    return np.asarray(scores - scores.mean(axis=1, keepdims=True))


@pytest.mark.parametrize(("n", "d"), [(300, 20), (60, 200)])
def test_logistic_regression_agrees_with_scikit_learn(n: int, d: int) -> None:
    x, y = blobs(n, d, 4, spread=2.0)
    mean, scale = standardisation(x)
    l2 = 1e-2
    ours = Linear("cross-entropy").prepare(x).fit(y, 4, l2)
    theirs = LogisticRegression(C=1 / (l2 * n), tol=1e-8, max_iter=10_000)
    theirs.fit((x - mean) * scale, y)
    expected = centred(theirs.decision_function((x - mean) * scale))
    assert np.abs(centred(ours.scores(x)) - expected).max() < 0.02 * np.abs(expected).max()


def test_squared_hinge_agrees_with_scikit_learn() -> None:
    x, y = blobs(300, 20, 4, spread=2.0)
    mean, scale = standardisation(x)
    l2 = 1e-2
    ours = Linear("squared hinge").prepare(x).fit(y, 4, l2)
    # A large constant column makes liblinear's penalty on the intercept negligible.
    theirs = LinearSVC(C=1 / (2 * l2 * 150), intercept_scaling=100, tol=1e-8, max_iter=100_000)
    theirs.fit((x - mean) * scale, y)
    expected = theirs.decision_function((x - mean) * scale)
    assert np.abs(ours.scores(x) - expected).max() < 0.03 * np.abs(expected).max()


@pytest.mark.parametrize("name", list(LOSSES))
def test_slope_is_the_derivative_of_the_loss(name: Loss) -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(5, 3)).astype(np.float64)
    targets = np.eye(3)[[0, 1, 2, 0, 1]]
    _, slope = LOSSES[name](scores, targets)
    step = 1e-6
    for i in range(5):
        for j in range(3):
            up, down = scores.copy(), scores.copy()
            up[i, j] += step
            down[i, j] -= step
            numeric = (LOSSES[name](up, targets)[0] - LOSSES[name](down, targets)[0])[i]
            assert slope[i, j] == pytest.approx(numeric / (2 * step), abs=1e-5)


def test_out_of_fold_scores_come_from_heads_that_never_saw_the_photo() -> None:
    x, y = blobs(100, 300, 2)
    noise = np.random.default_rng(1).integers(0, 2, 100)
    folds = [
        (np.flatnonzero(np.arange(100) % 5 != k), np.flatnonzero(np.arange(100) % 5 == k))
        for k in range(5)
    ]
    prepared = Linear("cross-entropy").prepare(x)
    scores = prepared.out_of_fold(noise, 2, folds, (1e-3,))[0]
    inside = prepared.fit(noise, 2, 1e-3).scores(x)
    assert accuracy_score(noise, inside.argmax(axis=1)) > 0.9  # it can learn noise by heart
    assert accuracy_score(noise, scores.argmax(axis=1)) < 0.65  # but cannot foretell it
    honest = prepared.out_of_fold(y, 2, folds, (1e-3,))[0]
    assert accuracy_score(y, honest.argmax(axis=1)) > 0.95


def test_unasked_photos_are_nan() -> None:
    x, y = blobs(40, 10, 2)
    folds = [(np.arange(30), np.arange(30, 40))]
    scores = Linear("cross-entropy").prepare(x).out_of_fold(y, 2, folds, (1e-2, 1e-3))
    assert np.isnan(scores[:, :30]).all()
    assert not np.isnan(scores[:, 30:]).any()


def test_balanced_weights_find_the_rare_class() -> None:
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(0, 1, (950, 2)), rng.normal(1.5, 1, (50, 2))]).astype(np.float32)
    y = np.repeat([0, 1], [950, 50])
    plain, fair = (
        Linear("cross-entropy", balanced=b).prepare(x).fit(y, 2, 1e-3).scores(x).argmax(axis=1)
        for b in (False, True)
    )
    assert (fair[y == 1] == 1).mean() > (plain[y == 1] == 1).mean() + 0.3


def test_constant_columns_do_no_harm() -> None:
    x, y = blobs(100, 9, 2, spread=0.5)
    wide = np.concatenate([x, np.full((100, 3), 7.0, np.float32)], axis=1)
    scores = Linear("cross-entropy").prepare(wide).fit(y, 2, 1e-2).scores(wide)
    assert np.isfinite(scores).all()
    assert accuracy_score(y, scores.argmax(axis=1)) > 0.9


def test_blocks_weigh_alike_however_wide_they_are() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 12)).astype(np.float32)
    mean, scale = standardisation(x, [2, 10])
    total = ((x - mean) * scale).var(axis=0)
    assert total[:2].sum() == pytest.approx(total[2:].sum(), rel=0.05)
    with pytest.raises(ValueError, match="do not add up"):
        standardisation(x, [2, 2])
