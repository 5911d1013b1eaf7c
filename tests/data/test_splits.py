import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from eyespot.data.splits import choose_repeats, fold_of, folds

Counts = NDArray[np.int64]


def divide(
    labels: list[int], groups: list[int] | None = None, count: int = 5, seed: int = 0
) -> Counts:
    own = np.arange(len(labels)) if groups is None else np.array(groups, dtype=np.int64)
    return fold_of(np.array(labels, dtype=np.int64), own, count, seed)


def per_fold(fold: Counts, labels: list[int], label: int, count: int = 5) -> Counts:
    """Photos of a class in each fold."""
    return np.bincount(fold[np.equal(labels, label)], minlength=count)


def test_every_class_is_spread_evenly() -> None:
    labels = [0] * 50 + [1] * 20 + [2] * 5
    fold = divide(labels)
    for label, share in ((0, 10), (1, 4), (2, 1)):
        assert per_fold(fold, labels, label).tolist() == [share] * 5


def test_what_is_left_over_goes_to_the_emptier_folds() -> None:
    labels = [label for label in range(7) for _ in range(6)]  # each a photo too many
    sizes = np.bincount(divide(labels))
    assert sizes.max() - sizes.min() <= 1


def test_photos_of_one_group_share_a_fold() -> None:
    groups = [number // 3 for number in range(60)]
    fold = divide([0] * 30 + [1] * 30, groups)
    assert (fold.reshape(20, 3) == fold[::3, None]).all()


def test_groups_of_one_size_are_spread_evenly() -> None:
    labels = [0] * 30 + [1] * 60
    fold = divide(labels, [number // 3 for number in range(90)])
    assert per_fold(fold, labels, 0).tolist() == [6] * 5
    assert per_fold(fold, labels, 1).tolist() == [12] * 5


def test_a_large_group_is_balanced_by_single_photos() -> None:
    labels = [0] * 50
    fold = divide(labels, [0] * 10 + list(range(1, 41)))
    assert np.bincount(fold).tolist() == [10] * 5


@pytest.mark.parametrize("seed", range(5))
def test_a_large_group_is_balanced_by_small_ones(seed: int) -> None:
    fold = divide([0] * 24, [0] * 12 + [1 + number // 2 for number in range(12)], 2, seed)
    assert np.bincount(fold).tolist() == [12, 12]


def test_a_class_with_one_photo_is_in_one_fold() -> None:
    labels = [0] * 20 + [1]
    fold = divide(labels)
    assert sorted(per_fold(fold, labels, 1).tolist()) == [0, 0, 0, 0, 1]
    assert per_fold(fold, labels, 0).tolist() == [4] * 5


def test_many_classes_with_one_photo_do_not_crowd_one_fold() -> None:
    assert np.bincount(divide(list(range(20)))).tolist() == [4] * 5


def test_fewer_photos_than_folds() -> None:
    fold = divide([0, 1, 0])
    assert len(set(fold.tolist())) == 3
    assert len(folds(fold)) == 3


def test_no_photo() -> None:
    assert divide([]).tolist() == []
    assert folds(divide([])) == []


def test_one_seed_divides_the_same_way_each_time() -> None:
    labels = [0, 1] * 20
    assert divide(labels, seed=3).tolist() == divide(labels, seed=3).tolist()
    assert divide(labels, seed=3).tolist() != divide(labels, seed=4).tolist()


def test_the_numbers_of_the_groups_do_not_matter() -> None:
    labels = [0, 1, 0, 1, 0, 0, 1, 1]
    groups = [0, 1, 2, 2, 3, 0, 4, 5]
    assert divide(labels, groups).tolist() == divide(labels, [7 * g - 3 for g in groups]).tolist()


@pytest.mark.parametrize(("photos", "repeats"), [(10, 5), (199, 5), (200, 1), (100_000, 1)])
def test_few_photos_are_divided_repeatedly(photos: int, repeats: int) -> None:
    assert choose_repeats(photos) == repeats


@st.composite
def collections(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    """Labels and groups, in any order; the photos of a group are of one class."""
    groups = draw(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 8)), max_size=30))
    photos = [(label, number) for number, (label, size) in enumerate(groups) for _ in range(size)]
    photos = draw(st.permutations(photos))
    return [label for label, _ in photos], [group for _, group in photos]


@given(collections(), st.integers(2, 10), st.integers(0, 99))
def test_every_photo_is_in_one_test_fold_without_its_group_in_training(
    collection: tuple[list[int], list[int]], count: int, seed: int
) -> None:
    labels, groups = collection
    divisions = folds(divide(labels, groups, count, seed))
    tested = [index for _, test in divisions for index in test.tolist()]
    assert sorted(tested) == list(range(len(labels)))
    assert len(divisions) <= count
    for train, test in divisions:
        assert sorted([*train.tolist(), *test.tolist()]) == list(range(len(labels)))
        assert not {groups[i] for i in train} & {groups[i] for i in test}


@given(collections(), st.integers(2, 10), st.integers(0, 99))
@example(([0] * 8 + [1] * 9, [0, 0, 0, 1, 1, 2, 2, 3, *range(4, 13)]), 3, 0)
def test_folds_differ_by_at_most_the_largest_group_of_a_class(
    collection: tuple[list[int], list[int]], count: int, seed: int
) -> None:
    labels, groups = collection
    fold = divide(labels, groups, count, seed)
    for label in set(labels):
        largest = np.bincount([g for g, own in zip(groups, labels, strict=True) if own == label])
        sizes = per_fold(fold, labels, label, count)
        assert sizes.max() - sizes.min() <= largest.max()


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), max_size=60))
def test_a_group_of_several_classes_is_not_divided(photos: list[tuple[int, int]]) -> None:
    groups = np.array([group for _, group in photos], dtype=np.int64)
    fold = divide([label for label, _ in photos], groups.tolist())
    for group in set(groups.tolist()):
        assert len(set(fold[groups == group].tolist())) == 1


@given(st.lists(st.integers(0, 6), max_size=120), st.integers(2, 10))
def test_single_photos_fill_the_folds_evenly(labels: list[int], count: int) -> None:
    """Within each class to a photo; in all, as far as that allows."""
    fold = divide(labels, count=count)
    for label in set(labels):
        sizes = per_fold(fold, labels, label, count)
        assert sizes.max() - sizes.min() <= 1
    total = np.bincount(fold, minlength=count)
    assert total.max() - total.min() <= 1
