"""Which photos validate when the photos do not say so."""

from collections import Counter

import pytest

from eyespot.data.photos import Dataset, MemorySource, Photo
from eyespot.errors import DatasetError
from eyespot.training.split import split_photos


def photos(*rows: tuple[str, str | None, str | None]) -> Dataset:
    """One of each (label, group, split)."""
    return Dataset(
        tuple(
            Photo(f"{number}", MemorySource(b""), label, split=split, group=group)
            for number, (label, group, split) in enumerate(rows)
        ),
        (),
    )


def test_a_share_of_every_class_validates() -> None:
    dataset = photos(*[("cat", None, None)] * 30, *[("dog", None, None)] * 5)
    learn, held, test = split_photos(dataset, 0.1, seed=0)
    assert Counter(photo.label for photo in held) == {"cat": 3, "dog": 1}
    assert len(learn) == 31
    assert test == []
    assert {p.name for p in learn}.isdisjoint(p.name for p in held)
    assert split_photos(dataset, 0.1, seed=0) == (learn, held, test)
    assert split_photos(dataset, 0.1, seed=1) != (learn, held, test)


@pytest.mark.parametrize("seed", range(5))
def test_a_burst_is_never_on_both_sides(seed: int) -> None:
    rows = [("cat" if number % 2 else "dog", f"burst {number // 6}", None) for number in range(60)]
    learn, held, _ = split_photos(photos(*rows), 0.2, seed)
    assert {p.group for p in learn}.isdisjoint(p.group for p in held)
    assert 12 <= len(held) <= 18
    assert len(learn) + len(held) == 60


def test_no_class_is_held_out_as_a_whole() -> None:
    rows = [("cat", None, None)] * 10 + [("dog", "one burst", None)] * 10 + [("owl", None, None)]
    learn, held, _ = split_photos(photos(*rows), 0.3, seed=0)
    assert Counter(photo.label for photo in learn) == {"cat": 7, "dog": 10, "owl": 1}
    assert Counter(photo.label for photo in held) == {"cat": 3}


def test_what_the_photos_say_counts() -> None:
    rows = [
        ("cat", None, "train"),
        ("dog", None, "val"),
        ("dog", None, None),
        ("cat", None, "test"),
    ]
    learn, held, test = split_photos(photos(*rows), 0.5, seed=0)
    assert [[p.name for p in part] for part in (learn, held, test)] == [["0", "2"], ["1"], ["3"]]
    with pytest.raises(DatasetError, match="all are for validation or test"):
        split_photos(photos(("cat", None, "val"), ("dog", None, "test")), 0.1, 0)


def test_a_class_that_only_validates_or_tests_is_refused() -> None:
    rows = [("cat", None, "train"), ("dog", None, "train"), ("owl", None, "test")]
    with pytest.raises(DatasetError, match=r"every class, but 'owl'"):
        split_photos(photos(*rows, ("cat", None, "val")), 0.1, 0)
