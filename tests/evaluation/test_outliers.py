import numpy as np
import pytest

from eyespot.evaluation.rejection import find_outliers


def test_the_most_unlike_comes_first_and_usual_ones_are_left_alone() -> None:
    scores = np.random.default_rng(0).uniform(0.2, 0.4, 100)
    scores[[7, 40, 3]] = [0.8, 0.95, 0.7]
    scores[50] = 0.001  # a low score is not an outlier
    assert find_outliers(scores) == [40, 7, 3]


def test_photos_that_were_not_asked_about_are_passed_over() -> None:
    scores = np.full(50, 0.3)
    scores[10], scores[20] = np.nan, 0.9
    assert find_outliers(scores) == [20]


@pytest.mark.parametrize("values", [[], [0.1], [0.1, 0.9, 0.9], [np.nan] * 9])
def test_few_photos_have_no_outlier(values: list[float]) -> None:
    assert find_outliers(np.array(values)) == []
