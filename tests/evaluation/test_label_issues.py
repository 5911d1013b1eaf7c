"""Wrong labels that were planted are found; doubtful photos are left in peace."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from numpy.typing import NDArray

from eyespot.evaluation import find_label_issues
from eyespot.evaluation.crossval import cross_validate
from eyespot.heads.linear import Linear

PLANTED = (3, 41, 77, 90, 118, 140)


def answers(features: NDArray[np.float32], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Out-of-fold probabilities of a logistic regression."""
    parts = np.random.default_rng(9).permutation(len(labels)) % 5
    folds = [(np.flatnonzero(parts != f), np.flatnonzero(parts == f)) for f in range(5)]
    method = Linear("cross-entropy")
    return cross_validate(
        method.prepare(features), labels, 3, [folds], parts, method.hyperparameters
    ).probabilities


@pytest.fixture(scope="module")
def clusters() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """150 photos of three classes that are easily told apart, and their true labels."""
    rng = np.random.default_rng(0)
    truth = np.arange(150) % 3
    centres = 4 * rng.normal(size=(3, 20))
    return (centres[truth] + rng.normal(size=(150, 20))).astype(np.float32), truth


def test_planted_wrong_labels_are_found_and_no_others(
    clusters: tuple[NDArray[np.float32], NDArray[np.int64]],
) -> None:
    features, truth = clusters
    labels = truth.copy()
    labels[list(PLANTED)] = (truth[list(PLANTED)] + 1) % 3
    found = find_label_issues(answers(features, labels), labels)
    assert sorted(label_issue.index for label_issue in found) == list(PLANTED)
    assert all(label_issue.suggested == truth[label_issue.index] for label_issue in found)


def test_right_labels_are_not_suspected(
    clusters: tuple[NDArray[np.float32], NDArray[np.int64]],
) -> None:
    features, truth = clusters
    assert find_label_issues(answers(features, truth), truth) == []


def test_an_unsure_head_suspects_nobody() -> None:
    probabilities = np.array([[0.9, 0.1], [0.75, 0.25], [0.2, 0.8]])
    assert find_label_issues(probabilities, np.array([0, 1, 1])) == []


def test_a_class_must_be_as_likely_as_it_is_for_its_own_photos() -> None:
    """0.85 for class 0 says little where its own photos get 0.99."""
    probabilities = np.array([[0.99, 0.01], [0.99, 0.01], [0.85, 0.15], [0.1, 0.9]])
    assert find_label_issues(probabilities, np.array([0, 0, 1, 1])) == []
    probabilities[:2] = (0.82, 0.18)
    assert [s.index for s in find_label_issues(probabilities, np.array([0, 0, 1, 1]))] == [2]


def test_photos_that_were_not_asked_about_are_passed_over() -> None:
    probabilities = np.array([[np.nan, np.nan], [0.9, 0.1], [0.95, 0.05], [0.1, 0.9]])
    assert [s.index for s in find_label_issues(probabilities, np.array([1, 0, 1, 1]))] == [2]


def test_the_clearest_come_first() -> None:
    probabilities = np.array([[0.9, 0.06, 0.04], [0.99, 0.0, 0.01], [0.95, 0.03, 0.02]])
    found = find_label_issues(
        np.append(probabilities, [[0.85, 0.1, 0.05]], 0), np.array([1, 1, 1, 0])
    )
    assert [label_issue.index for label_issue in found] == [1, 2, 0]


def test_a_suspicion_is_made_of_plain_numbers() -> None:
    found = find_label_issues(np.array([[0.9, 0.1], [0.9, 0.1]]), np.array([0, 1]))
    assert json.loads(json.dumps([asdict(s) for s in found])) == [
        {"index": 1, "suggested": 0, "confidence": 0.9, "own": 0.1}
    ]
