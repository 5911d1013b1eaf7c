"""A review finds the faults of a dataset, proposes changes, and changes no file."""

import hashlib
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from eyespot.data.photos import Dataset, MemorySource, Photo
from eyespot.errors import DatasetError
from eyespot.review.actions import Action, propose
from eyespot.review.review import Review, open_any, review
from tests.pictures import patches, write_folder

SURFACES = ("brick", "grass", "gravel")


def contents(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three surfaces, and one fault of each kind."""
    root = write_folder(tmp_path_factory.mktemp("review") / "photos", 25, SURFACES)
    shutil.copy(root / "brick/1.png", root / "brick/copy.png")
    shutil.copy(root / "brick/2.png", root / "grass/same.png")
    with Image.open(root / "gravel/3.png") as picture:
        picture.resize((64, 64)).save(root / "gravel/small.png")
        picture.save(root / "gravel/not_png.png", "JPEG")
    Image.fromarray(patches("grass", 1, seed=9)[0]).save(root / "gravel/is_grass.png")
    astronaut = data.astronaut()  # type: ignore[no-untyped-call]
    Image.fromarray(astronaut).save(root / "gravel/astronaut.jpg")
    (root / "brick/broken.jpg").write_text("no picture")
    return root


@pytest.fixture(scope="module")
def found(
    folder: Path, converted_networks: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Review, list[Action]]:
    cache = tmp_path_factory.mktemp("cache")
    (cache / "networks").symlink_to(converted_networks, target_is_directory=True)
    before = contents(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EYESPOT_CACHE", str(cache))
        patch.setattr("eyespot.review.review.LEAST_PLANTED", 3)
        seen = review(folder)
    actions = propose(seen)
    assert contents(folder) == before
    return seen, actions


def of_kind(actions: list[Action], kind: str) -> dict[str, str]:
    return {
        Path(action.path).name: Path(action.detail).name
        for action in actions
        if action.kind == kind
    }


def test_duplicates_with_two_labels_are_proposed(
    found: tuple[Review, list[Action]], folder: Path
) -> None:
    settle = [action for action in found[1] if action.kind == "settle label"]
    details = {action.path: action.detail for action in settle}
    one, other = str(folder / "brick/2.png"), str(folder / "grass/same.png")
    assert details == {one: f"{other} is labelled grass", other: f"{one} is labelled brick"}
    assert {action.score for action in settle} == {1.0}


def test_of_duplicates_with_one_label_the_largest_is_kept(
    found: tuple[Review, list[Action]],
) -> None:
    removed = of_kind(found[1], "remove duplicate")
    assert len(removed) == 3
    assert sorted([*removed.items()][:1]) in ([("1.png", "copy.png")], [("copy.png", "1.png")])
    assert removed["small.png"] == removed["not_png.png"] == "3.png"


def test_a_wrong_label_is_an_issue_and_the_right_one_is_suggested(
    found: tuple[Review, list[Action]],
) -> None:
    assert of_kind(found[1], "check label")["is_grass.png"] == "grass"
    # The photo with two labels is not proposed twice.
    assert not {"same.png", "2.png"} & set(of_kind(found[1], "check label"))


def test_the_photo_unlike_all_others_comes_first(found: tuple[Review, list[Action]]) -> None:
    assert next(iter(of_kind(found[1], "look at outlier"))) == "astronaut.jpg"


def test_unreadable_and_misnamed_files_are_named(
    found: tuple[Review, list[Action]], folder: Path
) -> None:
    unreadable = [action for action in found[1] if action.kind == "fix file"]
    assert [action.path for action in unreadable] == [str(folder / "brick/broken.jpg")]
    assert "not an image" in unreadable[0].detail
    assert [*of_kind(found[1], "rename")] == ["not_png.png"]


def test_the_most_useful_comes_first(found: tuple[Review, list[Action]]) -> None:
    kinds = list(dict.fromkeys(action.kind for action in found[1]))
    assert kinds == [
        "settle label",
        "check label",
        "fix file",
        "remove duplicate",
        "look at outlier",
        "rename",
    ]
    for kind in ("check label", "look at outlier"):
        scores = [action.score for action in found[1] if action.kind == kind]
        assert scores == sorted(scores, key=lambda score: -(score or 0))


def test_groups_are_the_surfaces(found: tuple[Review, list[Action]]) -> None:
    seen, _ = found
    assert sorted(index for group in seen.clusters.members for index in group) == [
        *range(len(seen.photos))
    ]
    for group in seen.clusters.members[:3]:
        (_, most), *_ = Counter(seen.photos[index].label for index in group).most_common(1)
        assert most > 0.9 * len(group)


def test_the_check_was_tested_with_planted_labels(found: tuple[Review, list[Action]]) -> None:
    check = found[0].check
    assert check
    assert check.planted
    assert check.compared == len(found[0].photos)
    assert check.planted.planted == round(0.05 * len(found[0].photos))
    assert check.planted.recall > 0.5
    assert check.planted.precision > 0.5


def test_photos_without_labels_are_sorted_into_groups(folder: Path, tmp_path: Path) -> None:
    flat = tmp_path / "flat"
    flat.mkdir()
    for name in ("brick", "gravel"):
        for number in range(12):
            shutil.copy(folder / name / f"{number}.png", flat / f"{name}{number}.png")
    seen = review(flat)
    assert seen.classes == ()
    assert seen.check is None
    assert set(seen.labels.tolist()) == {-1}
    assert {finding.kind for finding in seen.findings} <= {"near duplicates"}
    sorted_into = [action for action in propose(seen) if action.kind == "sort into"]
    assert len(sorted_into) == 24
    groups = {(Path(a.path).name[:5], a.detail) for a in sorted_into}
    assert len(groups) == len({detail for _, detail in groups}) >= 2  # none mixes the surfaces


@pytest.mark.parametrize("inside", ["", "old"])
def test_a_folder_without_two_class_folders_is_unlabelled(tmp_path: Path, inside: str) -> None:
    (tmp_path / inside).mkdir(exist_ok=True)
    for number, patch in enumerate(patches("brick", 3)):
        Image.fromarray(patch).save(tmp_path / f"{number}.png")
        Image.fromarray(patch).save(tmp_path / inside / f"in{number}.png")
    dataset = open_any(tmp_path)
    assert len(dataset.photos) == 6
    assert dataset.classes == ()


def test_class_folders_and_tables_keep_their_labels(tmp_path: Path) -> None:
    write_folder(tmp_path / "photos", 2)
    assert open_any(tmp_path / "photos").classes == ("brick", "grass")
    (tmp_path / "one.csv").write_text("path,label\nphotos/brick/0.png,wall\n")
    assert open_any(tmp_path / "one.csv").classes == ("wall",)


@pytest.mark.parametrize(("name", "text"), [("nothing", "Check the spelling"), ("", "found none")])
def test_no_photos(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(DatasetError, match=text):
        open_any(tmp_path / name)


def test_only_broken_files(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("no picture")
    with pytest.raises(DatasetError, match="None of the 1 photos can be read"):
        review(tmp_path)


def test_a_dataset_of_duplicates_has_a_review() -> None:
    patch = patches("brick", 1)[0]
    photos = tuple(Photo(f"p{n}", MemorySource(patch), "ab"[n % 2]) for n in range(8))
    seen = review(Dataset(photos))
    assert np.isnan(seen.ood_scores).all()
    assert seen.check is None
    assert {action.kind for action in propose(seen)} == {"settle label"}
