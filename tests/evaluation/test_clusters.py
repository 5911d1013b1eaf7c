import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score, pairwise_distances, silhouette_score

from eyespot.evaluation.clusters import find_clusters, principal_components


def kinds_of_photos(kinds: int, each: int, seed: int = 0) -> NDArray[np.float32]:
    """Features of photos of so many kinds, one kind after the other."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(kinds, 64)).repeat(each, axis=0)
    return (centres + 0.3 * rng.normal(size=centres.shape)).astype(np.float32)


@pytest.mark.parametrize("kinds", [2, 5, 10])
def test_groups_are_the_kinds_of_photos(kinds: int) -> None:
    found = find_clusters(kinds_of_photos(kinds, 20))
    assert len(found.members) == kinds
    assert adjusted_rand_score(np.arange(kinds).repeat(20), found.of) == 1


def test_the_largest_group_comes_first_with_its_most_typical_photo() -> None:
    features = np.concatenate([kinds_of_photos(2, 10)[:10], kinds_of_photos(2, 30)[30:]])
    found = find_clusters(features)
    assert [len(group) for group in found.members] == [30, 10]
    assert set(found.members[0]) == set(range(10, 40)) == set(np.flatnonzero(found.of == 0))
    rows = features / np.linalg.norm(features, axis=1, keepdims=True)
    apart = pairwise_distances(rows[found.members[0]]).sum(axis=1)
    assert apart.argmin() <= 2
    assert apart[0] < np.median(apart) < apart[-1]


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_a_handful_of_photos_is_one_group(count: int) -> None:
    found = find_clusters(np.random.default_rng(0).normal(size=(count, 8)).astype(np.float32))
    assert [sorted(group) for group in found.members] == ([list(range(count))] if count else [])
    assert found.of.tolist() == [0] * count
    assert np.isnan(found.silhouette)


def test_equal_photos_are_one_group() -> None:
    assert len(find_clusters(np.ones((30, 8), np.float32)).members) == 1
    pair = np.repeat(np.eye(3, 8, dtype=np.float32), 20, axis=0)
    assert len(find_clusters(pair).members) == 3


def test_more_photos_than_are_sampled_all_get_a_group() -> None:
    found = find_clusters(kinds_of_photos(3, 800))
    assert adjusted_rand_score(np.arange(3).repeat(800), found.of) == 1


def test_silhouette_is_that_of_scikit_learn() -> None:
    photos = kinds_of_photos(3, 20)
    found = find_clusters(photos)
    expected = silhouette_score(principal_components(photos), found.of)
    assert found.silhouette == pytest.approx(expected, abs=1e-5)
