"""Labels that are made wrong on purpose, and how well the label_issues find them."""

import numpy as np
import pytest

from eyespot.evaluation.label_issues import (
    LabelIssue,
    find_label_issues,
    measure_planted,
    plant_wrong_labels,
)


@pytest.mark.parametrize("classes", [2, 7])
def test_as_many_labels_are_wrong_as_were_asked_for(classes: int) -> None:
    labels = np.random.default_rng(0).integers(0, classes, 400)
    before = labels.copy()
    planted = plant_wrong_labels(labels, classes, 0.05)
    assert (planted != labels).sum() == 20
    assert planted.min() >= 0
    assert planted.max() < classes
    assert (labels == before).all()
    assert (plant_wrong_labels(labels, classes, 0.05, seed=1) != planted).any()


def test_every_count_counts_what_it_says() -> None:
    labels, planted = np.array([0, 0, 1, 1, 2]), np.array([1, 0, 0, 1, 0])
    label_issues = [
        LabelIssue(0, 0, 0.9, 0.0),  # planted, and corrected
        LabelIssue(2, 2, 0.9, 0.0),  # planted, but it was something else
        LabelIssue(3, 0, 0.9, 0.0),  # was right
    ]
    found = measure_planted(label_issues, labels, planted)
    assert (found.planted, found.found, found.corrected, found.reported) == (3, 2, 1, 3)
    assert found.recall == pytest.approx(2 / 3)
    assert found.precision == pytest.approx(2 / 3)
    low, high = found.recall_interval
    assert 0 < low < 2 / 3 < high < 1


def test_a_head_that_knows_all_finds_all() -> None:
    labels = np.random.default_rng(0).integers(0, 3, 200)
    planted = plant_wrong_labels(labels, 3, 0.1)
    probabilities = np.full((200, 3), 0.02)
    probabilities[np.arange(200), labels] = 0.96
    found = measure_planted(find_label_issues(probabilities, planted), labels, planted)
    assert found.recall == found.precision == 1
    assert found.corrected == found.found


def test_nothing_planted_says_nothing() -> None:
    labels = np.zeros(4, np.int64)
    found = measure_planted([], labels, labels)
    assert np.isnan(found.recall)
    assert np.isnan(found.precision)
