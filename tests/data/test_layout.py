"""The same tree, as a folder, as a zip file and as dropped on the studio's page: one reading."""

import io
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from eyespot.data.layout import read_layout
from eyespot.data.open import open_photos
from eyespot.data.photos import Dataset
from eyespot.data.shards import expand
from eyespot.errors import DatasetError
from eyespot.studio.archive import open_archive
from eyespot.studio.imports import read_dropped
from tests.data.files import save

Reading = dict[str, Counter[str | None]]
"""How many photos of each split a class has."""


def reading(dataset: Dataset) -> Reading:
    found: Reading = {}
    for photo in dataset.photos:
        found.setdefault(photo.label or "", Counter())[photo.split] += 1
    return found


def by_paths(names: Sequence[str], root: Path) -> Reading:
    found: Reading = {}
    for place in read_layout([tuple(name.split("/")) for name in names], "pets").places:
        if place:
            found.setdefault(place.label, Counter())[place.split] += 1
    if not found:
        raise DatasetError("no class")
    return found


def by_folder(names: Sequence[str], root: Path) -> Reading:
    for name in names:
        save(root / "pets" / name)
    return reading(open_photos(root / "pets", least_classes=1))


def by_zip(names: Sequence[str], root: Path) -> Reading:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name in names:
            made.writestr(f"pets/{name}", b"")
    with open_archive(file.getvalue()) as found:
        return reading(found.dataset)


def by_page(names: Sequence[str], root: Path) -> Reading:
    found = read_dropped([f"/pets/{name}" for name in names])
    return {name: Counter({None: len(own)}) for name, own in found.classes.items()}


ROUTES = pytest.mark.parametrize("route", [by_paths, by_folder, by_zip, by_page])


def files(text: str) -> list[str]:
    """The files of a tree as a shell would list them: {a,b}/1 is a/1.png and b/1.png; ~ is a
    space."""
    names = [name for word in text.split(" ") for name in expand(word)]
    return [f"{name.removeprefix('./').replace('~', ' ')}.png" for name in names]


READ = {
    "classes": ("{cat,dog}/{1,2}", "cat:2 dog:2"),
    "deeper": ("cat/{1,2023/1,2024/May/1} dog/1", "cat:3 dog:1"),
    "splits": ("{train,val,test}/{cat,dog}/1", "cat:train,val,test dog:train,val,test"),
    "spellings": (
        "training_set/{cat,dog}/1 Validation-Data/{cat,dog}/1 TEST/{cat,dog}/1",
        "cat:train,val,test dog:train,val,test",
    ),
    "years": ("train2017/{cat,dog}/1 val2017/{cat,dog}/1", "cat:train,val dog:train,val"),
    "lone split": ("train/{cat,dog}/1", "cat:train dog:train"),
    "a class lacks a split": ("train/{cat,dog}/1 test/cat/1", "cat:train,test dog:train"),
    "wrapped": ("data/set/{train,test}/{cat,dog}/1", "cat:train,test dog:train,test"),
    "twice": (
        "seg_train/seg_train/{cat,dog}/1 seg_test/seg_test/{cat,dog}/1",
        "cat:train,test dog:train,test",
    ),
    "images": ("{train,test}/images/{cat,dog}/1", "cat:train,test dog:train,test"),
    "flat test": ("train/{cat,dog}/1 test/{1,2,3}", "cat:train dog:train"),
    "test in test": ("train/{cat,dog}/1 test/test_images/{1,2}", "cat:train dog:train"),
    "stranger": ("{train,test}/{cat,dog}/1 seg_pred/1", "cat:train,test dog:train,test"),
    "originals": ("{train,test,.}/{cat,dog}/1", "cat:train,test dog:train,test"),
    "below": ("{cat,dog}/{train,test}/1", "cat:train,test dog:train,test"),
    "below, some": ("cat/{train,test}/1 dog/Train/1", "cat:train,test dog:train"),
    "trains": ("{train,bus}/1", "train:1 bus:1"),
    "sorted trains": ("train/{1,steam/1} bus/1", "train:2 bus:1"),
    "valid and not": ("{valid,invalid}/1", "valid:1 invalid:1"),
    "tests": ("{test~tube,crash~test}/1", "test~tube:1 crash~test:1"),
    "train below vehicles": ("vehicle/{train,car}/1 animal/cat/1", "vehicle:2 animal:1"),
    "folds": ("{fold1,fold2,fold3}/{cat,dog}/1", "cat:3 dog:3"),
    "folds and a test": (
        "{fold_1,fold_2}/{cat,dog}/1 test/{cat,dog}/1",
        "cat:train,train,test dog:train,train,test",
    ),
    "folds in train": ("train/{fold1,fold2}/{cat,dog}/1", "cat:train,train dog:train,train"),
    "years in classes": ("{cat,dog}/{2023,2024}/1", "cat:2 dog:2"),
    "months in classes": ("{cat,dog}/{May,June_2}/1", "cat:2 dog:2"),
    "synology": ("@eaDir/1/S @eaDir/S cat/@eaDir/1/S {cat,dog}/1", "cat:1 dog:1"),
    "systems": (
        "{$RECYCLE.BIN,.Trashes,System~Volume~Information,__MACOSX,#recycle,.git}/x/1 {cat,dog}/1"
        " cat/{__pycache__,.ipynb_checkpoints,Thumbnails,.thumbnails,lost+found}/1 cat/._1",
        "cat:1 dog:1",
    ),
    "yolo": ("runs/detect/train/{1,2} {cat,dog}/1", "cat:1 dog:1"),
    "yolo in a split": ("{train,test}/{cat,dog}/1 runs/exp/1", "cat:train,test dog:train,test"),
    "runs and walks": ("{runs,walks}/1", "runs:1 walks:1"),
    "thumbs": ("cat/{1,thumbs/1} dog/1 thumbs/{cat,dog}/1", "cat:1 dog:1"),
    "thumbs and fists": ("{thumbs,fists}/1", "thumbs:1 fists:1"),
    "one letter in two ways": ("cafe\u0301/1 caf\xe9/2 dog/1", "caf\xe9:2 dog:1"),
    "loose": ("{cat,dog}/1 cover", "cat:1 dog:1"),
}
REFUSED = {
    "flat splits": ("{train,test}/{1,2}", "a folder per class inside"),
    "flat, wrapped": ("data/{train,test}/1", "a folder per class inside"),
    "flat yolo": ("{train,valid,test}/images/{1,2}", "a folder per class inside"),
    "flat beside classes": ("{train,test,cat}/1", "a folder per class inside"),
    "lone flat": ("train/{1,2}", "a folder per class inside train"),
    "flat folds": ("{fold1,fold2}/{1,2}", "inside fold1 and fold2"),
    "splits in folds": ("{fold1,fold2}/{train,test}/{cat,dog}/1", "the folds share photos"),
    "splits in splits": ("{train,test}/{train,val}/{cat,dog}/1", "splits themselves"),
    "a split or a class": ("train/{steam,diesel}/1 bus/1", "train may be either"),
    "domains": ("{trainA,trainB,testA,testB}/1", "look like splits"),
    "classes in names": ("{train_cat,train_dog,test_cat,test_dog}/1", "look like splits"),
    "people": ("{anna,ben}/{cat,dog}/1", "either may be the classes"),
    "unknown splits": ("{part_a,part_b}/{cat,dog}/1", "either may be the classes"),
    "a person lacks a class": ("{anna,ben}/{cat,dog,owl}/1 cem/{cat,dog}/1", "either may be"),
    "people in splits": ("{train,test}/{anna,ben}/{cat,dog}/1", "either may be the classes"),
    "digits of people": ("{anna,ben}/{0,1,2}/1", "either may be the classes"),
    "some divided": ("cat/{train,test}/1 dog/1", "in every class"),
    "beside the collection": ("pets/{train,test}/{cat,dog}/1 docs/1", "If pets is the dataset"),
    "nothing": ("@eaDir/1", "class"),
}


def expected(text: str) -> Reading:
    found: Reading = {}
    for word in text.split(" "):
        name, _, said = word.partition(":")
        splits: list[str | None] = [None] * int(said) if said.isdigit() else [*said.split(",")]
        found[name.replace("~", " ")] = Counter(splits)
    return found


@ROUTES
@pytest.mark.parametrize("case", READ)
def test_a_tree_is_read(
    case: str, route: Callable[[Sequence[str], Path], Reading], tmp_path: Path
) -> None:
    text, said = READ[case]
    wanted = expected(said)
    if route is by_page:  # it has no splits
        wanted = {name: Counter([None] * n.total()) for name, n in wanted.items()}
    assert route(files(text), tmp_path) == wanted


@ROUTES
@pytest.mark.parametrize("case", REFUSED)
def test_a_tree_is_refused(
    case: str, route: Callable[[Sequence[str], Path], Reading], tmp_path: Path
) -> None:
    text, said = REFUSED[case]
    with pytest.raises(DatasetError, match=said):
        route(files(text), tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{training_set,test_set}/{cat,dog}/1", r"splits: training_set \(train\) and test_set"),
        ("data/{train,test}/{cat,dog}/1", r"splits in data: train"),
        ("train/{cat,dog}/1 test/{1,2}", "Skipped 2 photos of test outside class folders"),
        ("{cat,dog}/{train,test}/1", "inside the classes read as splits: train and test"),
        ("{cat,dog}/{2023,2024}/1", r"cat and dog contain the same folders \(2023 and 2024\)"),
        ("cat/{1,old/test/1} dog/1", "^cat/old/test is inside a class and not read as a split"),
        ("{fold1,fold2}/{cat,dog}/1", "fold1 and fold2 were read as folds"),
        ("train/1 bus/1", "train was read as a class"),
        ("owl/{snowy,barn}/1", r"only class folder, owl, contains folders \(snowy and barn"),
        ("{cat,dog}/1 cat/@eaDir/{1,2}/S .git/1", r"Excluded 3 files: @eaDir \(2\) and .git \(1"),
        ("{cat,dog}/1 runs/exp/1", r"Excluded 1 file: runs \(1\)"),
    ],
)
def test_a_guess_is_told(text: str, said: str) -> None:
    layout = read_layout([tuple(name.split("/")) for name in files(text)], "pets")
    with pytest.raises(AssertionError, match=said):
        raise AssertionError(" ".join(finding.message for finding in layout.findings))


def test_plain_class_folders_need_no_word() -> None:
    layout = read_layout([("cat", "1.png"), ("dog", "a", "1.png"), ("dog", "1.png")], "pets")
    assert layout.findings == ()
    assert layout.skipped == ()


def test_names_in_archives_and_on_pages_are_read_alike() -> None:
    odd = ["./pets/cat/1.png", "pets\\cat\\2.png", "/pets/dog/1.png", "pets/x/../dog/2.png"]
    assert read_dropped(odd).classes == {"cat": [0, 1], "dog": [2, 3]}


def test_several_folders_that_are_dropped_are_classes() -> None:
    found = read_dropped(["/cat/1.png", "/dog/1.png", "/dog/2.png"])
    assert found.classes == {"cat": [0], "dog": [1, 2]}


def test_a_folder_of_photos_that_is_dropped_is_a_class() -> None:
    assert read_dropped(["/mug/1.png", "/mug/2.png"]).classes == {"mug": [0, 1]}


def test_names_in_utf_8_without_the_flag(tmp_path: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name in ("Käfer/1.png", "dog/1.png"):
            made.writestr(name, b"")
    content = file.getvalue()
    marked = "Käfer/1.png".encode()
    assert content.count(marked) == 2
    # Clear bit 11 of the flags in the local header and in the central directory.
    bare = bytearray(content)
    bare[7] &= ~0x08
    start = content.index(b"PK\x01\x02")
    bare[start + 9] &= ~0x08
    with open_archive(bytes(bare)) as found:
        assert found.dataset.classes == ("dog", "Käfer")
        assert found.dataset.findings == ()
    guessed = bytes(bare).replace(marked, b"K\x84\x84fer/1.png")
    with open_archive(guessed) as found:
        assert found.dataset.classes == ("dog", "Kääfer")
        assert "does not declare the encoding of its names" in found.dataset.findings[0].message


# --- cases that were misread ------------------------------------------------------------------


def test_case_training_set(shared_cases: Path) -> None:
    found = open_photos(shared_cases / "folders-training-set" / "dataset")
    assert reading(found) == {name: Counter({"train": 3, "test": 2}) for name in ("cats", "dogs")}


def test_case_eadir(shared_cases: Path) -> None:
    found = open_photos(shared_cases / "folders-eadir" / "pets")
    assert reading(found) == {name: Counter({None: 3}) for name in ("cat", "dog")}
    assert [one.kind for one in found.findings] == ["excluded files"]


def test_case_class_only_in_test(shared_cases: Path) -> None:
    case = shared_cases / "folders-class-only-in-test"
    said = " ".join(one.message for one in open_photos(case / "a").findings)
    assert "owl has 3 test photos and no training photos" in said
    said = " ".join(one.message for one in open_photos(case / "b").findings)
    assert "'cat' and 'Cat'" in said or "'Cat' and 'cat'" in said
    assert "cat has 3 test photos and no training photos" in said


def test_case_zip(shared_cases: Path) -> None:
    with open_archive(shared_cases / "studio-zip-train-test" / "pets.zip") as found:
        assert set(found.dataset.classes) == {"cat", "dog"}
        assert {photo.split for photo in found.dataset.photos} == {"train", "test"}


def test_test_photos_in_a_project_are_told(shared_cases: Path) -> None:
    case = shared_cases / "folders-training-set"
    files = [path for path in (case / "dataset").rglob("*") if path.is_file()]
    found = read_dropped([path.relative_to(case).as_posix() for path in files])
    assert "include the 4 validation and test photos" in found.note
