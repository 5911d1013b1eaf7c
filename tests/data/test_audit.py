import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyespot.data.audit import audit, audited, misnamed
from eyespot.data.duplicates import Duplicates
from eyespot.data.finding import Finding
from eyespot.data.photos import Dataset, FileSource, MemorySource, Photo
from tests.data.files import encode, sample_image, save


def names(count: int) -> list[str]:
    return [f"{number}.jpg" for number in range(count)]


def copies(exact: Sequence[list[int]] = (), near: Sequence[list[int]] = ()) -> Duplicates:
    return Duplicates(np.zeros(0, np.int64), list(exact), list(near))


def sizes(**counts: int) -> list[Finding]:
    """What is found in classes of these sizes."""
    labels = [label for label, count in counts.items() for _ in range(count)]
    return audit(names(len(labels)), labels, copies())


def of_copies(
    labels: str, exact: Sequence[list[int]] = (), near: Sequence[list[int]] = ()
) -> list[Finding]:
    """What is found about copies among photos whose classes have names of one letter."""
    found = audit(names(len(labels)), list(labels), copies(exact, near))
    return [finding for finding in found if "duplicates" in finding.kind]


def test_nothing_is_wrong_with_a_fair_collection() -> None:
    assert sizes(cat=20, dog=199) == []


def test_no_photo() -> None:
    assert audit([], [], copies()) == []


def test_few_photos() -> None:
    assert sizes(cat=19, dog=5, cow=20) == [
        Finding(
            "few photos",
            "note",
            "Few photos: dog (5) and cat (19).",
            "Add photos until every class has at least 20.",
        )
    ]


def test_too_few_photos() -> None:
    worst, rest = sizes(cat=4, dog=1, cow=6)
    assert (worst.kind, worst.severity) == ("few photos", "warning")
    assert worst.message == "Too few photos to train on: dog (1) and cat (4)."
    assert (rest.severity, rest.message) == ("note", "Few photos: cow (6).")


def test_long_lists_of_classes_are_cut() -> None:
    (found,) = sizes(**{f"class {number}": 1 for number in range(11)})
    assert found.message.startswith("Too few photos to train on: class 0 (1), class 1 (1), ")
    assert found.message.endswith(", class 7 (1) and 3 more.")


def test_imbalance() -> None:
    assert sizes(cat=20, dog=50, cow=1200) == [
        Finding(
            "imbalance",
            "warning",
            "cow has 1,200 photos, cat only 20.",
            "Add photos of cat. Until then, look at the recall of cat, too.",
        )
    ]


@pytest.mark.parametrize(("most", "kinds"), [(199, []), (200, ["imbalance"])])
def test_ten_times_as_many_are_too_many(most: int, kinds: list[str]) -> None:
    assert [finding.kind for finding in sizes(cat=20, dog=most)] == kinds


def test_exact_duplicates() -> None:
    assert of_copies("aaaabb", exact=[[0, 1, 3], [4, 5]]) == [
        Finding(
            "exact duplicates",
            "note",
            "3 exact duplicates found.",
            "Duplicates stay in the same fold, so they do not inflate the metrics. Other photos "
            "would improve the classifier more.",
            ("0.jpg", "1.jpg", "3.jpg", "4.jpg", "5.jpg"),
        )
    ]


def test_near_duplicates() -> None:
    (found,) = of_copies("aab", near=[[0, 1]])
    assert (found.kind, found.severity) == ("near duplicates", "note")
    assert found.message == "1 near-duplicate found."
    assert found.photos == ("0.jpg", "1.jpg")


@pytest.mark.parametrize("kind", ["exact", "near"])
def test_one_image_in_two_classes(kind: str) -> None:
    conflict, note = of_copies("aba", **{kind: [[0, 1]]})
    assert conflict == Finding(
        "conflicting duplicates",
        "error",
        "1 photo has duplicates in several classes: a and b.",
        "Keep it in the correct class and delete the other duplicates.",
        ("0.jpg", "1.jpg"),
    )
    assert (note.kind, note.severity) == (f"{kind} duplicates", "note")


def test_many_images_in_two_classes() -> None:
    conflict = of_copies("abcba", exact=[[0, 1]], near=[[3, 4]])[0]
    assert conflict.message == "2 photos have duplicates in several classes: a and b."
    assert conflict.advice.startswith("Keep each in the correct class")
    assert sorted(conflict.photos) == ["0.jpg", "1.jpg", "3.jpg", "4.jpg"]


def test_each_pair_of_classes_in_conflict_is_told() -> None:
    found = of_copies("abac", exact=[[0, 1], [2, 3]])
    assert [finding.message for finding in found if finding.severity == "error"] == [
        "1 photo has duplicates in several classes: a and b.",
        "1 photo has duplicates in several classes: a and c.",
    ]


def test_a_image_in_three_classes() -> None:
    assert of_copies("cab", near=[[0, 1, 2]])[0].message == (
        "1 photo has duplicates in several classes: a, b and c."
    )


def test_a_conflict_among_exact_and_near_copies_is_told_once() -> None:
    found = of_copies("aba", exact=[[0, 1]], near=[[0, 1, 2]])
    assert [finding.photos for finding in found if finding.severity == "error"] == [
        ("0.jpg", "1.jpg", "2.jpg")
    ]


@given(
    st.lists(st.sampled_from(["a", "b", "c"]), min_size=2, max_size=60),
    st.sets(st.integers(0, 59), max_size=9),
)
def test_the_worst_comes_first_and_conflicts_are_never_missed(
    labels: list[str], group: set[int]
) -> None:
    members = sorted(i for i in group if i < len(labels))
    groups = [members] if len(members) > 1 else []
    found = audit(names(len(labels)), labels, copies(near=groups))
    order = [["error", "warning", "note"].index(finding.severity) for finding in found]
    assert order == sorted(order)
    assert (0 in order) == (len({labels[i] for i in members}) > 1)


def write(folder: Path, name: str, kind: str) -> Photo:
    save(folder / name).write_bytes(encode(sample_image(), kind))
    return Photo(name, FileSource(folder / name), "cat")


def test_misnamed_photos(tmp_path: Path) -> None:
    photos = [
        write(tmp_path, "cat/1.jpg", "PNG"),
        write(tmp_path, "cat/2.jpg", "JPEG"),
        write(tmp_path, "cat/3.PNG", "WEBP"),
    ]
    assert misnamed(photos) == [
        Finding(
            "misnamed",
            "note",
            "2 photos with a wrong file ending, as cat/1.jpg (PNG).",
            "eyespot used them. Rename them if other programs cannot open them.",
            ("cat/1.jpg", "cat/3.PNG"),
        )
    ]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("1.jpg", "JPEG"),
        ("1.JPEG", "JPEG"),
        ("1.jfif", "JPEG"),
        ("1.tif", "TIFF"),
        ("1.dib", "BMP"),
        ("1.pgm", "PPM"),
        ("1", "PNG"),
        ("1.jpg_large", "PNG"),
    ],
)
def test_names_that_promise_nothing_else_are_right(tmp_path: Path, name: str, kind: str) -> None:
    assert misnamed([write(tmp_path, name, kind)]) == []


def test_what_has_no_name_or_cannot_be_read_is_not_misnamed(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no image")
    (tmp_path / "folder.jpg").mkdir()
    photos = [
        Photo("a", MemorySource(encode(sample_image(), "PNG")), "cat"),
        *(
            Photo(n, FileSource(tmp_path / n), "cat")
            for n in ("gone.jpg", "text.jpg", "folder.jpg")
        ),
    ]
    assert misnamed(photos) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_nothing_is_read_from_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "1.jpg"
    os.mkfifo(pipe)
    both_ends = os.open(pipe, os.O_RDWR)  # so that a reader finds something and need not wait
    try:
        os.write(both_ends, encode(sample_image(), "PNG"))
        assert misnamed([Photo("1.jpg", FileSource(pipe), "cat")]) == []
    finally:
        os.close(both_ends)


def test_classes_that_look_alike_are_told() -> None:
    labels = ["Cat", "cat", "sea lion", "sea-lion", "Sea_Lion", "\ufb01sh", "fish", "dog"]
    dataset = audited(Dataset(tuple(Photo(name, MemorySource(b""), name) for name in labels)))
    said = " ".join(finding.message for finding in dataset.findings)
    assert all(repr(name) in said for name in labels[:7])
    assert "dog" not in said
    assert [finding.severity for finding in dataset.findings] == ["warning"] * 3


def test_names_of_marks_alone_are_no_one_class() -> None:
    dataset = Dataset(
        tuple(Photo(name, MemorySource(b""), name) for name in ("C", "C++", "+", "-"))
    )
    assert audited(dataset).findings == ()


def test_a_class_without_photos_to_train_on_is_told() -> None:
    photos = [("cat", "train"), ("cat", "test"), ("owl", "test"), ("owl", "test"), ("elk", "val")]
    given = tuple(
        Photo(str(number), MemorySource(b""), label, split)
        for number, (label, split) in enumerate(photos)
    )
    assert [finding.message for finding in audited(Dataset(given)).findings] == [
        "elk has 1 validation photo and no training photos.",
        "owl has 2 test photos and no training photos.",
    ]
    assert audited(Dataset(given[2:4])).findings == ()  # nothing to train on is another matter
