"""The threshold of "none of these", and the figures that go with it."""

import json

import numpy as np
import pytest

from eyespot.evaluation import fit_rejection, wilson_interval
from eyespot.evaluation.rejection import KEPT

SCORES = np.linspace(0, 1, 101, dtype=np.float32)
ALL_RIGHT = np.ones(101, dtype=np.bool_)


def test_as_many_rightly_recognised_photos_as_promised_are_kept() -> None:
    found = fit_rejection(SCORES, ALL_RIGHT)
    assert found.threshold == pytest.approx(1 - KEPT, abs=1e-6)
    assert (found.threshold <= SCORES).mean() >= KEPT
    assert found.known_refused == pytest.approx(5 / 101)
    assert found.known_refused_interval == wilson_interval(5, 101)


def test_only_rightly_recognised_photos_set_the_threshold() -> None:
    strange = np.full(100, -1, dtype=np.float32)
    wrong = np.zeros(100, dtype=np.bool_)
    found = fit_rejection(np.append(SCORES, strange), np.append(ALL_RIGHT, wrong))
    assert found.threshold == fit_rejection(SCORES, ALL_RIGHT).threshold
    assert found.known_refused == pytest.approx(105 / 201)


def test_refusing_strange_photos_leaves_the_answers_righter() -> None:
    right = SCORES >= 0.2
    found = fit_rejection(SCORES, right)
    answered = found.threshold <= SCORES
    assert found.accuracy_answered == pytest.approx(float(right[answered].mean()))
    assert found.accuracy_answered > right.mean()


def test_photos_that_were_not_asked_about_are_passed_over() -> None:
    gaps = np.full(30, np.nan, dtype=np.float32)
    with_gaps = fit_rejection(np.append(gaps, SCORES), np.append(np.zeros(30, bool), ALL_RIGHT))
    assert with_gaps == fit_rejection(SCORES, ALL_RIGHT)


def test_hidden_classes_tell_how_many_strangers_are_refused() -> None:
    hidden = np.array([-0.5, 0.01, 0.5, 0.9], dtype=np.float32)
    found = fit_rejection(SCORES, ALL_RIGHT, hidden)
    assert found.unknown_refused == 0.5
    assert found.unknown_refused_interval == wilson_interval(2, 4)


@pytest.mark.parametrize("hidden", [None, np.empty(0, dtype=np.float32)])
def test_without_a_hidden_class_nothing_is_claimed(hidden: np.ndarray | None) -> None:
    found = fit_rejection(SCORES, ALL_RIGHT, hidden)
    assert found.unknown_refused is None
    assert found.unknown_refused_interval is None


def test_where_nothing_was_right_all_photos_set_the_threshold() -> None:
    found = fit_rejection(SCORES, ~ALL_RIGHT)
    assert found.threshold == pytest.approx(1 - KEPT, abs=1e-6)
    assert found.accuracy_answered == 0


def test_where_nothing_was_asked_nothing_is_refused() -> None:
    found = fit_rejection(np.full(4, np.nan, dtype=np.float32), np.ones(4, dtype=np.bool_))
    assert found.threshold == -1  # the least a cosine can be
    assert found.known_refused == 0
    assert found.known_refused_interval == (0, 1)


def test_to_dict_goes_into_json() -> None:
    found = fit_rejection(SCORES, ALL_RIGHT, SCORES[:10])
    kept = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert kept["threshold"] == found.threshold
    assert kept["unknown_refused"] == found.unknown_refused
