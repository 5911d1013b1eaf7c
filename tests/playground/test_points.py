import numpy as np
import pytest

from eyespot.errors import UsageError
from eyespot.playground.points import (
    CLASSIFICATION,
    EDGE,
    REGRESSION,
    make_points,
    own_points,
)

ALL = [("classification", name) for name in CLASSIFICATION] + [
    ("regression", name) for name in REGRESSION
]


@pytest.mark.parametrize(("problem", "data"), ALL)
@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_every_set_keeps_its_promises(problem: str, data: str, noise: float) -> None:
    points = make_points(problem, data, 401, noise, 0.3, 7)
    assert points.positions.shape == (401, 2)
    assert np.abs(points.positions).max() <= EDGE
    assert points.is_train.sum() == 120
    if problem == "classification":
        assert (points.targets == 1).sum() == 200
        assert (points.targets == -1).sum() == 201
    else:
        assert -1 <= points.targets.min() < -0.8
        assert 0.8 < points.targets.max() <= 1
    again = make_points(problem, data, 401, noise, 0.3, 7)
    np.testing.assert_array_equal(points.positions, again.positions)
    np.testing.assert_array_equal(points.is_train, again.is_train)
    other = make_points(problem, data, 401, noise, 0.3, 8)
    assert (points.positions != other.positions).any()


def test_without_noise_the_classes_are_what_their_names_say() -> None:
    def of(data: str) -> tuple[np.ndarray, np.ndarray]:
        points = make_points("classification", data, 500, 0, 0.5, 0)
        return points.positions, points.targets

    positions, targets = of("circle")
    radius = np.hypot(*positions.T)
    assert radius[targets > 0].max() < 2.5
    assert radius[targets < 0].min() > 3.5
    positions, targets = of("xor")
    np.testing.assert_array_equal(np.sign(positions.prod(axis=1)), targets)
    assert (np.sign(positions[targets > 0, 0]) == 1).mean() == pytest.approx(0.5, abs=0.1)
    positions, targets = of("gauss")
    np.testing.assert_allclose(positions[targets > 0].mean(axis=0), [2, 2], atol=0.2)
    np.testing.assert_allclose(positions[targets < 0].mean(axis=0), [-2, -2], atol=0.2)
    positions, targets = of("spiral")
    radius, angle = np.hypot(*positions.T), np.arctan2(*positions.T)
    wound = angle - 3.5 * np.pi * radius / 5
    np.testing.assert_allclose(np.cos(wound), targets, atol=1e-9)


def test_noise_moves_the_same_points_further() -> None:
    still, little, much = (
        make_points("classification", "xor", 400, noise, 0.5, 3).positions
        for noise in (0, 0.01, 0.02)
    )
    np.testing.assert_allclose(much - still, 2 * (little - still), atol=1e-12)
    assert (little - still).std() == pytest.approx(0.02, rel=0.1)


def test_regression_is_a_slope_or_hills() -> None:
    points = make_points("regression", "plane", 100, 0, 0.5, 0)
    np.testing.assert_allclose(points.targets, points.positions.sum(axis=1) / 10)
    places = np.array([[2.5, 2.5], [-2.5, 2.5], [0.0, 2.5]])
    np.testing.assert_allclose(REGRESSION["gauss"](places), [1, -1, 0])


def test_own_points_are_divided_and_stay_where_they_are() -> None:
    own = [(float(n) / 10, -1.0, 1.0 if n % 2 else -1.0) for n in range(40)]
    points = own_points(own, 0.5, 0)
    np.testing.assert_array_equal(points.positions, np.array(own)[:, :2])
    np.testing.assert_array_equal(points.targets, np.array(own)[:, 2])
    assert points.is_train.sum() == 20
    more = own_points([*own, (5.0, 5.0, 1.0)], 0.5, 0)
    moved = (more.is_train[:40] != points.is_train).sum()
    assert moved <= 1, "a new point must not shuffle the others"
    assert own_points(own[:3], 0.1, 0).is_train.sum() == 2
    assert own_points(own[:3], 0.9, 0).is_train.sum() == 2


def test_too_few_own_points_are_refused() -> None:
    with pytest.raises(UsageError, match=r"3 points or more are needed, not 0\. Add"):
        own_points([], 0.5, 0)
