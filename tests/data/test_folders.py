import os
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from eyespot.data.folders import find_photos, read_class_folders
from eyespot.data.open import open_photos
from eyespot.data.photos import Dataset
from eyespot.errors import DatasetError
from tests.data.files import save


def labels(dataset: Dataset) -> dict[str, str | None]:
    return {photo.name: photo.label for photo in dataset.photos}


def splits(dataset: Dataset) -> dict[str, str | None]:
    return {photo.name: photo.split for photo in dataset.photos}


def skipped(dataset: Dataset) -> dict[str, str]:
    return {one.path: one.reason for one in dataset.skipped}


def save_all(root: Path, *names: str) -> Path:
    for name in names:
        save(root / name)
    return root


def test_a_folder_per_class(tmp_path: Path) -> None:
    found = read_class_folders(save_all(tmp_path, "dog/1.png", "cat/1.png", "cat/2.png"))
    assert labels(found) == {"cat/1.png": "cat", "cat/2.png": "cat", "dog/1.png": "dog"}
    assert set(splits(found).values()) == {None}
    assert not found.skipped


def test_photos_come_in_natural_order(tmp_path: Path) -> None:
    found = read_class_folders(save_all(tmp_path, "b2/10.png", "b10/1.png", "b2/9.png"))
    assert list(labels(found)) == ["b2/9.png", "b2/10.png", "b10/1.png"]
    assert found.classes == ("b2", "b10")


def test_what_lies_deeper_belongs_to_the_class(tmp_path: Path) -> None:
    found = read_class_folders(save_all(tmp_path, "cat/2024/May/1.png", "cat/1.png", "dog/1.png"))
    assert labels(found)["cat/2024/May/1.png"] == "cat"
    assert found.classes == ("cat", "dog")


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train", "train"),
        ("Training", "train"),
        ("val", "val"),
        ("valid", "val"),
        ("VALIDATION", "val"),
        ("dev", "val"),
        ("test", "test"),
        ("testing", "test"),
    ],
)
def test_splits_go_by_many_names(tmp_path: Path, name: str, split: str) -> None:
    found = read_class_folders(save_all(tmp_path, f"{name}/cat/1.png", f"{name}/dog/1.png"))
    assert labels(found) == {f"{name}/cat/1.png": "cat", f"{name}/dog/1.png": "dog"}
    assert set(splits(found).values()) == {split}


def test_train_val_and_test(tmp_path: Path) -> None:
    found = read_class_folders(
        save_all(tmp_path, "train/cat/1.png", "val/cat/1.png", "test/b/1.png")
    )
    assert splits(found) == {
        "train/cat/1.png": "train",
        "val/cat/1.png": "val",
        "test/b/1.png": "test",
    }
    assert found.classes == ("b", "cat")


def test_a_stranger_beside_the_splits_is_named(tmp_path: Path) -> None:
    found = read_class_folders(
        save_all(tmp_path, "train/cat/1.png", "test/cat/1.png", "extra/1.png")
    )
    assert skipped(found) == {"extra": "is next to train, val and test"}


def test_trains_are_a_class_too(tmp_path: Path) -> None:
    found = read_class_folders(save_all(tmp_path, "train/1.png", "bus/1.png"))
    assert labels(found) == {"train/1.png": "train", "bus/1.png": "bus"}
    assert set(splits(found).values()) == {None}


def test_trains_sorted_into_folders_stay_a_class(tmp_path: Path) -> None:
    found = read_class_folders(save_all(tmp_path, "train/1.png", "train/steam/1.png", "bus/1.png"))
    assert found.classes == ("bus", "train")


@pytest.mark.parametrize(
    "name",
    [
        "Käfer",
        "猫",
        "красный гриб",
        " spaces  inside",
        "a, b",
        'the "best"',
        "it's",
        "🐈‍⬛",
        "50 % off",
    ],
)
def test_labels_in_any_script(tmp_path: Path, name: str) -> None:
    found = read_class_folders(save_all(tmp_path, f"{name}/photo ä.png", "other/1.png"))
    assert labels(found) == {f"{name}/photo ä.png": name, "other/1.png": "other"}
    assert all(photo.read() for photo in found.photos)


def test_one_letter_written_in_two_ways_is_one_class(tmp_path: Path) -> None:
    apart = unicodedata.normalize("NFD", "café")
    found = read_class_folders(save_all(tmp_path, f"train/{apart}/1.png", "test/café/1.png"))
    assert found.classes == ("café",)


def test_names_that_are_not_unicode_are_escaped(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    try:
        os.mkdir(folder)  # noqa: PTH102 - a Path cannot hold it everywhere
    except OSError:
        pytest.skip("names are unicode here")
    save(Path(os.fsdecode(folder)) / "1.png")
    found = read_class_folders(tmp_path)
    assert labels(found) == {"caf\\xe9/1.png": "caf\\xe9"}
    assert found.photos[0].read()


def test_hidden_files_and_folders_are_no_photos(tmp_path: Path) -> None:
    save_all(tmp_path, "cat/1.png", "cat/._1.png", "cat/.thumbs/1.png", ".git/1.png", ".2.png")
    found = read_class_folders(tmp_path)
    assert list(labels(found)) == ["cat/1.png"]
    assert not found.skipped


@pytest.mark.parametrize(
    "name", ["1.PNG", "1.Jpg", "1.JPEG", "1.jpe", "1.WebP", "1.TIFF", "1.HEIC"]
)
def test_endings_in_any_case(tmp_path: Path, name: str) -> None:
    assert list(labels(read_class_folders(save_all(tmp_path, f"cat/{name}")))) == [f"cat/{name}"]


def test_unknown_endings_are_looked_into(tmp_path: Path) -> None:
    save_all(tmp_path, "cat/1", "cat/2.jpg_large")
    (tmp_path / "cat" / "3").write_text("no image")
    found = read_class_folders(tmp_path)
    assert list(labels(found)) == ["cat/1", "cat/2.jpg_large"]
    assert skipped(found) == {"cat/3": "not an image in a supported format"}


def test_what_is_clearly_not_an_image_is_excluded(tmp_path: Path) -> None:
    save_all(tmp_path, "cat/1.png", "cat/notes.txt", "cat/1.JSON", "readme.md")
    found = read_class_folders(tmp_path)
    assert list(labels(found)) == ["cat/1.png"]
    assert not found.skipped


def test_raw_files_are_named(tmp_path: Path) -> None:
    found = read_class_folders(save_all(tmp_path, "cat/1.png", "cat/2.CR2"))
    assert list(labels(found)) == ["cat/1.png"]
    assert "export it as JPEG" in skipped(found)["cat/2.CR2"]


def test_photos_in_no_class_are_named(tmp_path: Path) -> None:
    found = read_class_folders(save_all(tmp_path, "cat/1.png", "loose.png"))
    assert skipped(found) == {"loose.png": "is not in a class folder"}


def test_photos_of_a_split_in_no_class_are_named(tmp_path: Path) -> None:
    found = read_class_folders(save_all(tmp_path, "train/cat/1.png", "test/loose.png"))
    assert skipped(found) == {"test/loose.png": "is not in a class folder"}


def test_an_empty_class_is_named(tmp_path: Path) -> None:
    (save_all(tmp_path, "cat/1.png") / "dog").mkdir()
    found = read_class_folders(tmp_path)
    assert skipped(found) == {"dog": "the folder holds no photo"}
    assert found.classes == ("cat",)


def link(path: Path, target: Path) -> None:
    try:
        path.symlink_to(target, target_is_directory=target.is_dir())
    except OSError:
        pytest.skip("links cannot be made here")


def test_links_that_loop_end_and_bring_each_photo_once(tmp_path: Path) -> None:
    save_all(tmp_path, "cat/inner/1.png", "cat/2.png", "dog/1.png")
    link(tmp_path / "cat" / "inner" / "up", tmp_path / "cat")
    link(tmp_path / "cat" / "here", tmp_path / "cat")
    link(tmp_path / "cat" / "twice", tmp_path / "cat" / "inner")
    found = read_class_folders(tmp_path)
    assert sorted(photo.read() for photo in found.photos) == sorted(
        (tmp_path / name).read_bytes() for name in ("cat/2.png", "cat/inner/1.png", "dog/1.png")
    )


def test_a_link_to_itself_is_no_photo(tmp_path: Path) -> None:
    save_all(tmp_path, "cat/1.png")
    link(tmp_path / "cat" / "loop", tmp_path / "cat" / "loop")
    link(tmp_path / "cat" / "gone", tmp_path / "nowhere")
    assert list(labels(read_class_folders(tmp_path))) == ["cat/1.png"]


def test_linked_folders_are_classes(tmp_path: Path) -> None:
    save_all(tmp_path, "store/cats/1.png", "data/dog/1.png")
    link(tmp_path / "data" / "cat", tmp_path / "store" / "cats")
    found = read_class_folders(tmp_path / "data")
    assert labels(found) == {"cat/1.png": "cat", "dog/1.png": "dog"}


def test_a_loop_to_the_root_does_not_mix_classes(tmp_path: Path) -> None:
    save_all(tmp_path, "cat/1.png", "dog/1.png")
    link(tmp_path / "cat" / "root", tmp_path)
    link(tmp_path / "dog" / "root", tmp_path)
    assert labels(read_class_folders(tmp_path)) == {"cat/1.png": "cat", "dog/1.png": "dog"}


def test_a_loop_to_the_split_does_not_mix_classes(tmp_path: Path) -> None:
    save_all(tmp_path, "train/cat/1.png", "train/dog/1.png", "test/cat/2.png")
    link(tmp_path / "train" / "cat" / "all", tmp_path / "train")
    found = read_class_folders(tmp_path)
    assert list(labels(found)) == ["test/cat/2.png", "train/cat/1.png", "train/dog/1.png"]


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A folder that users without any rights can reach, unlike tmp_path."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@contextmanager
def no_rights(folder: Path) -> Iterator[None]:
    """Lock a folder for a while; as root, who may read everything, be nobody."""
    if not hasattr(os, "geteuid"):
        pytest.skip("rights are another matter here")
    root = os.geteuid() == 0
    folder.chmod(0)
    try:
        if root:
            os.seteuid(65534)
        yield
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o755)


def test_a_locked_class_is_named(reachable: Path) -> None:
    save_all(reachable, "cat/1.png", "dog/1.png")
    with no_rights(reachable / "dog"):
        found = read_class_folders(reachable)
    assert list(labels(found)) == ["cat/1.png"]
    assert skipped(found) == {"dog": "the folder cannot be read: Permission denied"}


def test_a_locked_split_is_named(reachable: Path) -> None:
    save_all(reachable, "train/cat/1.png", "test/cat/1.png")
    with no_rights(reachable / "test"):
        found = read_class_folders(reachable)
    assert splits(found) == {"train/cat/1.png": "train"}
    assert skipped(found) == {"test": "the folder cannot be read: Permission denied"}


def test_a_locked_root_is_explained(reachable: Path) -> None:
    save_all(reachable, "root/cat/1.png")
    with no_rights(reachable / "root"), pytest.raises(DatasetError, match="Permission denied"):
        open_photos(reachable / "root")


def test_one_class_is_not_enough(tmp_path: Path) -> None:
    save_all(tmp_path, "cat/1.png")
    with pytest.raises(DatasetError, match=r"at least 2 classes, found 'cat'.*class 'other'"):
        open_photos(tmp_path)
    assert open_photos(tmp_path, least_classes=1).classes == ("cat",)


def test_a_folder_too_high_is_guessed(tmp_path: Path) -> None:
    save_all(tmp_path, "photos/cat/1.png", "photos/dog/1.png")
    with pytest.raises(DatasetError, match=r"open .*photos instead"):
        open_photos(tmp_path)


def test_no_class_is_explained(tmp_path: Path) -> None:
    save_all(tmp_path, "1.png", "2.png")
    with pytest.raises(DatasetError, match=r"2 photos outside class folders.*Make a folder"):
        open_photos(tmp_path)


def test_no_photo_is_explained(tmp_path: Path) -> None:
    (tmp_path / "cat").mkdir()
    with pytest.raises(DatasetError, match=r"found no photo.*cat: the folder holds no photo"):
        open_photos(tmp_path)


def test_an_empty_folder_is_explained(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"a folder per class with photos.*found no photo"):
        open_photos(tmp_path)


def test_a_misspelt_folder_is_explained(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no file or folder .*photoz.*spelling"):
        open_photos(tmp_path / "photoz")


def test_find_photos_takes_files_folders_and_patterns(tmp_path: Path) -> None:
    save_all(tmp_path, "a/1.png", "a/b/2.png", "c10.png", "c9.png", "other")
    found = find_photos([tmp_path / "a", str(tmp_path / "c*.png"), tmp_path / "other"])
    names = [str(Path(photo.name).relative_to(tmp_path)) for photo in found.photos]
    assert names == ["a/1.png", "a/b/2.png", "c9.png", "c10.png", "other"]


def test_find_photos_gives_each_once(tmp_path: Path) -> None:
    save_all(tmp_path, "1.png")
    found = find_photos([tmp_path, tmp_path / "1.png", str(tmp_path / "*.png")])
    assert len(found.photos) == 1


def test_a_file_with_brackets_in_its_name_is_no_pattern(tmp_path: Path) -> None:
    file = save(tmp_path / "[1] what?.png")
    assert find_photos([file]).photos[0].name == str(file)


def test_a_pattern_that_matches_nothing_is_explained(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no file, folder or pattern .*x\*\.png"):
        find_photos([str(tmp_path / "x*.png")])


def test_no_photos_to_look_at_are_explained(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"Expected photos in .*found none"):
        find_photos([tmp_path])
    with pytest.raises(DatasetError, match="the list"):
        find_photos([])
