import numpy as np
import pytest
from numpy.typing import NDArray

from eyespot.report.tsne import project


def nearest(places: NDArray[np.floating], count: int) -> NDArray[np.int64]:
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    return np.asarray(apart.argsort(axis=1)[:, :count])


def test_photos_that_look_alike_stand_together() -> None:
    rng = np.random.default_rng(0)
    classes = np.repeat(np.arange(5), 40)
    values = rng.normal(size=(5, 50))[classes] + 0.3 * rng.normal(size=(200, 50))
    places = project(values.astype(np.float32))
    assert places.min() == 0
    assert places.max() == 1
    assert (classes[nearest(places, 5)] == classes[:, None]).mean() > 0.95


def test_neighbours_are_kept_far_beyond_chance() -> None:
    angle = np.random.default_rng(0).uniform(0, 2 * np.pi, 300)
    values = np.stack([np.cos(k * angle + k) for k in range(1, 9)], axis=1).astype(np.float32)
    true, shown = nearest(values, 10), nearest(project(values), 10)
    kept = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(true, shown, strict=True)])
    assert kept > 0.5  # by chance: 0.03


@pytest.mark.parametrize("count", [0, 1, 2, 3, 10, 11, 12])
def test_a_handful_of_photos_has_places(count: int) -> None:
    values = np.random.default_rng(0).normal(size=(count, 8)).astype(np.float32)
    places = project(values)
    assert places.shape == (count, 2)
    assert np.isfinite(places).all()


def test_equal_photos_have_places() -> None:
    assert np.isfinite(project(np.ones((30, 8), np.float32))).all()
