import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from eyespot.arrays import unit_rows
from eyespot.evaluation import fit_rejection
from eyespot.heads.calibration import fit_temperature, softmax
from eyespot.heads.neighbours import Neighbours, Prototypes
from eyespot.heads.ood import NEIGHBOURS, fit_ood, out_of_fold_ood_scores
from eyespot.heads.scorers import NeighboursScorer, scorer_from_arrays


def data(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, 150)
    centres = rng.normal(size=(3, 16)) * 2
    return (centres[labels] + rng.normal(size=(150, 16))).astype(np.float32), labels


def test_one_neighbour_agrees_with_scikit_learn() -> None:
    x, y = data()
    prepared = Neighbours().prepare(x)
    folds = [(np.arange(100), np.arange(100, 150))]
    ours = prepared.out_of_fold(y, 3, folds, (1,))[0, 100:].argmax(axis=1)
    theirs = KNeighborsClassifier(1, metric="cosine").fit(prepared.rows[:100], y[:100])
    assert (ours == theirs.predict(prepared.rows[100:])).all()


def test_neighbours_know_their_own_photos() -> None:
    x, y = data()
    scorer = Neighbours().prepare(x).fit(y, 3, 1)
    assert (scorer.scores(x).argmax(axis=1) == y).all()


def test_prototype_is_the_nearest_mean_direction() -> None:
    x, y = data()
    prepared = Prototypes().prepare(x)
    means = unit_rows(np.stack([prepared.rows[y == c].mean(axis=0) for c in range(3)]))
    expected = (prepared.rows @ means.T).argmax(axis=1)
    assert (prepared.fit(y, 3, 0.0).scores(x).argmax(axis=1) == expected).all()


def test_a_class_without_photos_is_never_the_answer() -> None:
    x, y = data()
    folds = [(np.flatnonzero(y != 2), np.flatnonzero(y == 2))]
    for method in (Prototypes(), Neighbours()):
        scores = method.prepare(x).out_of_fold(y, 3, folds, (method.hyperparameters[-1],))[0]
        assert not (scores[y == 2].argmax(axis=1) == 2).any()


def test_scorers_survive_being_arrays() -> None:
    x, y = data()
    for scorer in (Neighbours().prepare(x).fit(y, 3, 5), Prototypes().prepare(x).fit(y, 3, 0)):
        again = scorer_from_arrays(scorer.kind, scorer.to_arrays())
        assert isinstance(again, NeighboursScorer)
        np.testing.assert_array_equal(again.scores(x), scorer.scores(x))
    with pytest.raises(ValueError, match="unknown kind of head"):
        scorer_from_arrays("oracle", {})
    with pytest.raises(ValueError, match="missing"):
        scorer_from_arrays("linear", {})


def test_temperature_recovers_what_scores_were_multiplied_by() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(20_000, 4)) * 2
    labels = (softmax(scores).cumsum(axis=1) > rng.random((20_000, 1))).argmax(axis=1)
    assert fit_temperature(scores, labels) == pytest.approx(1, rel=0.05)
    assert fit_temperature(scores * 5, labels) == pytest.approx(5, rel=0.05)


def test_a_few_photos_without_an_error_are_no_certainty() -> None:
    scores = np.eye(3)[[0, 1, 2]] * 4
    labels = np.array([0, 1, 2])
    sure = softmax(scores / fit_temperature(scores, labels)).max()
    assert 0.7 < sure < 0.95


def test_photos_of_another_kind_have_higher_ood_scores() -> None:
    rng = np.random.default_rng(0)
    known = rng.normal(size=(60, 32)).astype(np.float32) + np.eye(32, dtype=np.float32)[0] * 6
    strange = rng.normal(size=(60, 32)).astype(np.float32) + np.eye(32, dtype=np.float32)[1] * 6
    labels = np.zeros(60, np.int64)
    folds = [(np.arange(30), np.arange(30, 60)), (np.arange(30, 60), np.arange(30))]
    own = out_of_fold_ood_scores(known, labels, folds)
    for forget in (False, True):
        other = fit_ood(known, labels, forget_photos=forget)(strange)
        assert other.min() > own.max()


def test_rejection_is_that_of_a_threshold_on_the_mean_similarity() -> None:
    rng = np.random.default_rng(1)
    train = (rng.normal(size=(80, 16)) + 1).astype(np.float32)
    shift = rng.uniform(0, 2, (500, 1))
    photos = (rng.normal(size=(500, 16)) + shift).astype(np.float32)
    cosines = unit_rows(photos) @ unit_rows(train).T
    similarity = np.sort(cosines, axis=1)[:, -NEIGHBOURS:].mean(axis=1, dtype=np.float32)
    scores = fit_ood(train, np.zeros(80, np.int64))(photos)
    np.testing.assert_allclose(scores, 1 - similarity, atol=1e-6)
    found = fit_rejection(scores, np.ones(500, np.bool_))
    kept = similarity >= np.quantile(similarity, 0.05)
    assert (scores <= found.ood_threshold).tolist() == kept.tolist()
