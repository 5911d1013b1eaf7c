import numpy as np
import pytest

from eyespot.evaluation.outliers import find_outliers


def test_the_most_unlike_comes_first_and_usual_ones_are_left_alone() -> None:
    familiarity = np.random.default_rng(0).uniform(0.6, 0.8, 100)
    familiarity[[7, 40, 3]] = [0.2, 0.05, 0.3]
    familiarity[50] = 0.999  # very familiar is no outlier
    assert find_outliers(familiarity) == [40, 7, 3]


def test_photos_that_were_not_asked_about_are_passed_over() -> None:
    familiarity = np.full(50, 0.7)
    familiarity[10], familiarity[20] = np.nan, 0.1
    assert find_outliers(familiarity) == [20]


@pytest.mark.parametrize("values", [[], [0.1], [0.1, 0.9, 0.9], [np.nan] * 9])
def test_few_photos_have_no_outlier(values: list[float]) -> None:
    assert find_outliers(np.array(values)) == []
