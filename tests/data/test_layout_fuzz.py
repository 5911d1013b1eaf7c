"""Whatever tree is made, its reading is the one by which it was made, or a refusal."""

import io
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eyespot.data.layout import Place, read_layout
from eyespot.data.open import open_photos
from eyespot.errors import DatasetError
from eyespot.studio.archive import open_archive

SPELLINGS = {
    "train": ("train", "Training_Set", "train2017", "seg_train", "TRAIN-data"),
    "val": ("val", "valid", "Validation", "dev_set"),
    "test": ("test", "Testing", "hold-out", "test_images"),
}
CLASSES = (
    *("cat", "Dog", "sea lion", "7", "caf\xe9", "train station", "contest", "valley", "\u732b"),
    "images",
)
JUNK = ("@eaDir", "$RECYCLE.BIN", "__MACOSX", ".git", "System Volume Information", "lost+found")
DEEPER = ("", "", "", "2023", "a", "a/b")


@dataclass
class Made:
    """Files, and what each is: its class and split, or None if it is no photo of a class."""

    truth: dict[str, tuple[str, str | None] | None] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        return list(self.truth)


@st.composite
def trees(draw: st.DrawFn) -> Made:
    """A tree by one of the plans that people follow."""
    classes = draw(st.lists(st.sampled_from(CLASSES), min_size=2, max_size=4, unique=True))
    plan = draw(st.sampled_from(["classes", "above", "below", "folds"]))
    splits = draw(st.lists(st.sampled_from(list(SPELLINGS)), min_size=1, max_size=3, unique=True))
    spelt = {split: draw(st.sampled_from(SPELLINGS[split])) for split in splits}
    wrapped = draw(st.sampled_from(["", "", "data/", "a/data/"])) if plan == "above" else ""
    made = Made()
    for label in classes:
        parts: list[tuple[str, str | None]] = [(label, None)]
        if plan == "above":
            parts = [(f"{spelt[split]}/{label}", split) for split in splits]
        elif plan == "below":
            parts = [(f"{label}/{spelt[split]}", split) for split in splits]
        elif plan == "folds":
            parts = [(f"fold{number}/{label}", None) for number in (1, 2)]
        for place, split in parts:
            for number in range(draw(st.integers(1, 2))):
                deeper = draw(st.sampled_from(DEEPER))
                name = "/".join(filter(None, (place, deeper, f"{number}.png")))
                made.truth[f"{wrapped}{name}"] = (label, split)
    for folder in draw(st.lists(st.sampled_from(JUNK), max_size=2, unique=True)):
        beside = draw(st.sampled_from(made.names)).rpartition("/")[0]
        at = draw(st.sampled_from(["", f"{beside}/"]))
        made.truth[f"{at}{folder}/x/1.png"] = None
    if draw(st.booleans()):
        made.truth["loose.png"] = None
    return made


def outcome(names: Sequence[str]) -> list[Place | None] | str:
    """Where each file belongs, or the refusal."""
    try:
        return list(read_layout([tuple(name.split("/")) for name in names], "pets").places)
    except DatasetError as error:
        return str(error)


def check_reading(made: Made) -> None:
    found = outcome(made.names)
    if isinstance(found, str):
        assert found.startswith("Expected ")
        return
    said = [place and (place.label, place.split) for place in found]
    assert dict(zip(made.names, said, strict=True)) == made.truth


@given(trees())
def test_a_tree_is_read_as_it_was_made(made: Made) -> None:
    check_reading(made)


@pytest.mark.slow
@settings(max_examples=10_000)
@given(trees())
def test_many_trees_are_read_as_they_were_made(made: Made) -> None:
    check_reading(made)


ANY_NAME = st.sampled_from(
    [
        *("cat", "dog", "train", "test_set", "Val", "fold1", "fold_2", "images", "runs", "thumbs"),
        *(
            "@eaDir",
            ".git",
            "trainA",
            "testB",
            "2023",
            "May",
            "cafe\u0301",
            "caf\xe9",
            " cat",
            "x.",
        ),
    ]
)
ANY_TREE = st.lists(
    st.builds(
        lambda folders, number: "/".join([*folders, f"{number}.png"]),
        st.lists(ANY_NAME, max_size=4),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=12,
    unique=True,
)


def check_any(names: list[str]) -> None:
    """No photo is lost without a word, and no split becomes a class without one."""
    try:
        layout = read_layout([tuple(name.split("/")) for name in names], "pets")
    except DatasetError:
        return
    said = " ".join(finding.message for finding in layout.findings)
    lost = [name for name, place in zip(names, layout.places, strict=True) if place is None]
    told = {skipped.path for skipped in layout.skipped}
    passed = [name for name in lost if not any(f"{name}/".startswith(f"{path}/") for path in told)]
    assert not passed or "Excluded" in said
    for place in layout.places:
        if place and place.label in ("train", "test_set", "Val"):
            assert place.label in said


@given(ANY_TREE)
def test_nothing_is_silent(names: list[str]) -> None:
    check_any(names)


@pytest.mark.slow
@settings(max_examples=10_000)
@given(ANY_TREE)
def test_nothing_is_silent_in_many_trees(names: list[str]) -> None:
    check_any(names)


def read_folder(names: Sequence[str], root: Path) -> Counter[tuple[str | None, str | None]] | None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    try:
        return Counter((p.label, p.split) for p in open_photos(root, least_classes=1).photos)
    except DatasetError:
        return None


def read_zip(names: Sequence[str]) -> Counter[tuple[str | None, str | None]] | None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name in names:
            made.writestr(f"pets/{name}", b"")
    try:
        with open_archive(file.getvalue()) as found:
            return Counter((p.label, p.split) for p in found.dataset.photos)
    except DatasetError:
        return None


@settings(max_examples=50)
@given(trees())
def test_a_folder_and_its_zip_file_are_read_alike(made: Made) -> None:
    with TemporaryDirectory() as root:
        assert read_folder(made.names, Path(root)) == read_zip(made.names)
