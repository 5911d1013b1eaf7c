"""Choosing by the answers must not make the answers look better than they are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from eyespot.evaluation.crossval import CrossValidated, cross_validate, nested_selection
from eyespot.heads.calibration import log_loss
from eyespot.heads.linear import Linear
from eyespot.heads.method import Fold
from eyespot.heads.scorers import Scorer

COUNT, CLASSES, FOLDS = 200, 2, 5
PARTS = np.arange(COUNT) % FOLDS


def folds_of(parts: NDArray[np.int64]) -> list[Fold]:
    return [(np.flatnonzero(parts != f), np.flatnonzero(parts == f)) for f in np.unique(parts)]


@dataclass
class Scripted:
    """Answers with given scores [hyperparameters, n, K], whatever the labels are."""

    scores: NDArray[np.float32]

    def out_of_fold(
        self,
        labels: NDArray[np.int64],
        classes: int,
        folds: Sequence[Fold],
        hyperparameters: Sequence[float],
    ) -> NDArray[np.float32]:
        asked = np.concatenate([test for _, test in folds])
        out = np.full_like(self.scores, np.nan)
        out[:, asked] = self.scores[:, asked]
        return out

    def fit(self, labels: NDArray[np.int64], classes: int, hyperparameter: float) -> Scorer:
        raise AssertionError("cross-validation needs no final head")


def accuracy(answers: NDArray[np.floating], labels: NDArray[np.int64]) -> float:
    return float((answers.argmax(axis=-1) == labels).mean())


def guesses(rng: np.random.Generator, hyperparameters: int) -> NDArray[np.float32]:
    return rng.normal(size=(hyperparameters, COUNT, CLASSES)).astype(np.float32)


def as_candidate(scores: NDArray[np.float32], labels: NDArray[np.int64]) -> CrossValidated:
    return cross_validate(Scripted(scores[None]), labels, CLASSES, [folds_of(PARTS)], PARTS, (1.0,))


def test_the_best_of_many_knobs_is_worth_chance_on_random_labels() -> None:
    looks, honest = [], []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        labels = rng.integers(0, CLASSES, COUNT)
        scores = guesses(rng, 100)
        found = cross_validate(
            Scripted(scores), labels, CLASSES, [folds_of(PARTS)], PARTS, tuple(range(100))
        )
        looks.append(accuracy(found.scores, labels))
        honest.append(accuracy(found.probabilities, labels))
    assert np.mean(looks) > 0.55
    assert abs(np.mean(honest) - 0.5) < 0.035  # three standard errors


def test_the_best_of_many_candidates_is_worth_chance_on_random_labels() -> None:
    looks, honest = [], []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        labels = rng.integers(0, CLASSES, COUNT)
        candidates = [as_candidate(scores, labels) for scores in guesses(rng, 50)]
        _, answers = nested_selection(candidates, labels, PARTS)
        looks.append(max(accuracy(c.probabilities, labels) for c in candidates))
        honest.append(accuracy(answers, labels))
    assert np.mean(looks) > 0.55
    assert abs(np.mean(honest) - 0.5) < 0.035  # three standard errors


def test_the_first_candidate_is_kept_unless_another_is_clearly_better() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, CLASSES, COUNT)
    plain, noisy, better = (
        as_candidate((np.eye(CLASSES)[labels] * sure + noise).astype(np.float32), labels)
        for sure, noise in (
            (1.0, rng.normal(size=(COUNT, CLASSES))),
            (1.05, rng.normal(size=(COUNT, CLASSES))),
            (3.0, rng.normal(size=(COUNT, CLASSES))),
        )
    )
    assert nested_selection([plain, noisy], labels, PARTS)[0] == 0
    assert nested_selection([plain, better], labels, PARTS)[0] == 1


def test_a_real_head_on_noise_is_worth_chance() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(COUNT, 400)).astype(np.float32)
    labels = rng.integers(0, CLASSES, COUNT)
    method = Linear("cross-entropy")
    found = cross_validate(
        method.prepare(noise), labels, CLASSES, [folds_of(PARTS)], PARTS, method.hyperparameters
    )
    assert accuracy(method.prepare(noise).fit(labels, CLASSES, 1e-3).scores(noise), labels) == 1
    assert abs(accuracy(found.probabilities, labels) - 0.5) < 0.1
    assert found.log_loss < np.log(2) * 1.1  # and it knows that it guesses


def test_a_photo_has_no_say_in_how_it_is_answered() -> None:
    """The answers of a part stay the same, whatever the labels of that part are."""
    rng = np.random.default_rng(1)
    labels = rng.integers(0, CLASSES, COUNT)
    turned = np.where(PARTS == 0, 1 - labels, labels)
    scores = guesses(rng, 20)

    def answers(labels: NDArray[np.int64]) -> NDArray[np.float64]:
        return cross_validate(
            Scripted(scores), labels, CLASSES, [folds_of(PARTS)], PARTS, tuple(range(20))
        ).probabilities

    first, second = answers(labels), answers(turned)
    np.testing.assert_array_equal(first[PARTS == 0], second[PARTS == 0])
    assert not np.array_equal(first[PARTS != 0], second[PARTS != 0])


def test_the_knob_that_knows_is_chosen() -> None:
    rng = np.random.default_rng(2)
    labels = rng.integers(0, CLASSES, COUNT)
    scores = guesses(rng, 6)
    scores[4, np.arange(COUNT), labels] += 3
    hyperparameters = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
    found = cross_validate(
        Scripted(scores), labels, CLASSES, [folds_of(PARTS)], PARTS, hyperparameters
    )
    assert found.hyperparameter == 1e-5
    np.testing.assert_array_equal(found.scores, scores[4])
    assert accuracy(found.probabilities, labels) == accuracy(scores[4], labels)
    assert found.log_loss == pytest.approx(log_loss(found.probabilities, labels))


def test_the_candidate_that_knows_is_chosen() -> None:
    rng = np.random.default_rng(3)
    labels = rng.integers(0, CLASSES, COUNT)
    scores = guesses(rng, 5)
    scores[2, np.arange(COUNT), labels] += 3
    candidates = [as_candidate(s, labels) for s in scores]
    best, honest = nested_selection(candidates, labels, PARTS)
    assert best == 2
    np.testing.assert_array_equal(honest, candidates[2].probabilities)


def test_of_equally_right_candidates_the_better_calibrated_one_is_chosen() -> None:
    rng = np.random.default_rng(4)
    labels = rng.integers(0, CLASSES, COUNT)
    vague = np.full((COUNT, CLASSES), 0.45)
    vague[np.arange(COUNT), labels] = 0.55
    clear = np.full((COUNT, CLASSES), 0.1)
    clear[np.arange(COUNT), labels] = 0.9
    blank = np.zeros((COUNT, CLASSES), dtype=np.float32)
    candidates = [CrossValidated(p, blank, 1.0, 1.0, 0.0) for p in (vague, clear)]
    assert nested_selection(candidates, labels, PARTS)[0] == 1


def test_photos_in_no_test_fold_are_not_answered() -> None:
    rng = np.random.default_rng(5)
    labels = rng.integers(0, CLASSES, COUNT)
    held_out = folds_of(PARTS)[:1]
    found = cross_validate(Scripted(guesses(rng, 3)), labels, CLASSES, [held_out], PARTS, (1, 2, 3))
    asked = PARTS == 0
    assert np.isnan(found.probabilities[~asked]).all()
    np.testing.assert_allclose(found.probabilities[asked].sum(axis=1), 1)
    honest = nested_selection([found, found], labels, PARTS)[1]
    np.testing.assert_array_equal(honest, found.probabilities)


def test_the_scores_of_several_divisions_are_averaged() -> None:
    labels = np.arange(COUNT) % CLASSES

    class Drifting(Scripted):
        calls = 0

        def out_of_fold(
            self,
            labels: NDArray[np.int64],
            classes: int,
            folds: Sequence[Fold],
            hyperparameters: Sequence[float],
        ) -> NDArray[np.float32]:
            self.calls += 1
            return np.full((1, COUNT, CLASSES), self.calls, dtype=np.float32)

    blank = np.zeros((1, COUNT, CLASSES), dtype=np.float32)
    repeats = [folds_of(PARTS), folds_of(PARTS[::-1].copy())]
    found = cross_validate(Drifting(blank), labels, CLASSES, repeats, PARTS, (1.0,))
    np.testing.assert_array_equal(found.scores, np.full((COUNT, CLASSES), 1.5))
