"""The OOD threshold, and its effect."""

import json

import numpy as np
import pytest

from eyespot.evaluation import fit_rejection, wilson_interval
from eyespot.evaluation.rejection import KEPT

SCORES = np.linspace(0, 1, 101, dtype=np.float32)
ALL_RIGHT = np.ones(101, dtype=np.bool_)


def test_the_promised_share_of_correct_photos_is_accepted() -> None:
    found = fit_rejection(SCORES, ALL_RIGHT)
    assert found.ood_threshold == pytest.approx(KEPT, abs=1e-6)
    assert (found.ood_threshold >= SCORES).mean() >= KEPT
    assert found.known_rejected == pytest.approx(5 / 101)
    assert found.known_rejected_interval == wilson_interval(5, 101)


def test_only_correctly_classified_photos_set_the_threshold() -> None:
    strange = np.full(100, 2, dtype=np.float32)
    wrong = np.zeros(100, dtype=np.bool_)
    found = fit_rejection(np.append(SCORES, strange), np.append(ALL_RIGHT, wrong))
    assert found.ood_threshold == fit_rejection(SCORES, ALL_RIGHT).ood_threshold
    assert found.known_rejected == pytest.approx(105 / 201)


def test_rejection_raises_the_accuracy_of_the_accepted() -> None:
    right = SCORES <= 0.8
    found = fit_rejection(SCORES, right)
    answered = found.ood_threshold >= SCORES
    assert found.accuracy_accepted == pytest.approx(float(right[answered].mean()))
    assert found.accuracy_accepted > right.mean()


def test_photos_that_were_not_held_out_are_skipped() -> None:
    gaps = np.full(30, np.nan, dtype=np.float32)
    with_gaps = fit_rejection(np.append(gaps, SCORES), np.append(np.zeros(30, bool), ALL_RIGHT))
    assert with_gaps == fit_rejection(SCORES, ALL_RIGHT)


def test_hidden_classes_measure_how_many_unknowns_are_rejected() -> None:
    hidden = np.array([1.5, 0.99, 0.5, 0.1], dtype=np.float32)
    found = fit_rejection(SCORES, ALL_RIGHT, hidden)
    assert found.unknown_rejected == 0.5
    assert found.unknown_rejected_interval == wilson_interval(2, 4)


@pytest.mark.parametrize("hidden", [None, np.empty(0, dtype=np.float32)])
def test_without_a_hidden_class_nothing_is_claimed(hidden: np.ndarray | None) -> None:
    found = fit_rejection(SCORES, ALL_RIGHT, hidden)
    assert found.unknown_rejected is None
    assert found.unknown_rejected_interval is None


def test_without_a_correct_photo_all_set_the_threshold() -> None:
    found = fit_rejection(SCORES, ~ALL_RIGHT)
    assert found.ood_threshold == pytest.approx(KEPT, abs=1e-6)
    assert found.accuracy_accepted == 0


def test_without_held_out_photos_none_is_rejected() -> None:
    found = fit_rejection(np.full(4, np.nan, dtype=np.float32), np.ones(4, dtype=np.bool_))
    assert found.ood_threshold == 2  # the highest score
    assert found.known_rejected == 0
    assert found.known_rejected_interval == (0, 1)


def test_to_dict_goes_into_json() -> None:
    found = fit_rejection(SCORES, ALL_RIGHT, SCORES[-10:])
    kept = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert kept["ood_threshold"] == found.ood_threshold
    assert kept["unknown_rejected"] == found.unknown_rejected
