from pathlib import Path

import numpy as np
import pytest

from eyespot.data.boxes.open import box_format, open_boxes
from eyespot.errors import DatasetError
from tests.data.boxes.files import CAT, boxes_of, photo, reasons, splits_of, told, voc

ONE_BASED = (11, 21, 30, 40, "cat")


def test_coordinates_count_from_1(tmp_path: Path) -> None:
    photo(tmp_path / "1.jpg")
    voc(tmp_path / "1.xml", [ONE_BASED, (1, 1, 1, 1, "cat")])
    found = open_boxes(tmp_path)
    assert boxes_of(found) == {"1.jpg": [CAT, (0, 0, 1, 1, "cat")]}
    assert "counted from 1" in told(found)["coordinates"]
    assert found.photos[0].boxes.dtype == np.float32
    assert found.photos[0].photo.label is None


def test_coordinates_count_from_0_if_any_does(tmp_path: Path) -> None:
    for name, box in (("1", CAT), ("2", (0, 3, 5, 9, "cat"))):
        photo(tmp_path / f"{name}.jpg")
        voc(tmp_path / f"{name}.xml", [box])
    found = open_boxes(tmp_path)
    assert boxes_of(found)["1.jpg"] == [CAT]
    assert "counted from 0" in told(found)["coordinates"]


def test_lists_of_the_development_kit_are_splits(tmp_path: Path) -> None:
    for name in "abcde":
        photo(tmp_path / f"JPEGImages/{name}.jpg")
        voc(tmp_path / f"Annotations/{name}.xml", [ONE_BASED])
    lists = {"train": "a\n", "val": "b\n", "trainval": "a\nb\nc\n", "test": "d\nmissing\n"}
    lists["cat_test"] = "e 1\n"  # a list of one class is not a split
    (tmp_path / "ImageSets/Main").mkdir(parents=True)
    (tmp_path / "ImageSets/Segmentation").mkdir()
    (tmp_path / "ImageSets/Segmentation/val.txt").write_text("a\n")
    for name, text in lists.items():
        (tmp_path / f"ImageSets/Main/{name}.txt").write_text(text)
    found = open_boxes(tmp_path)
    assert splits_of(found) == {
        "JPEGImages/a.jpg": "train",
        "JPEGImages/b.jpg": "val",
        "JPEGImages/c.jpg": "train",
        "JPEGImages/d.jpg": "test",
    }
    assert "Annotations/e.xml" in told(found)["not listed"]
    assert reasons(found) == {"missing": "is listed, but has no XML file"}


def test_a_photo_in_two_lists_is_held_out(tmp_path: Path) -> None:
    photo(tmp_path / "JPEGImages/a.jpg")
    voc(tmp_path / "Annotations/a.xml", [ONE_BASED])
    (tmp_path / "ImageSets/Main").mkdir(parents=True)
    for name in ("train", "test"):
        (tmp_path / f"ImageSets/Main/{name}.txt").write_text("a\n")
    found = open_boxes(tmp_path)
    assert splits_of(found) == {"JPEGImages/a.jpg": "test"}
    assert "two splits" in told(found)


def test_roboflow_folders_are_splits(tmp_path: Path) -> None:
    for split in ("train", "valid", "test"):
        photo(tmp_path / split / "1.jpg")
        voc(tmp_path / split / "1.xml", [ONE_BASED])
    found = open_boxes(tmp_path)
    assert splits_of(found) == {"train/1.jpg": "train", "valid/1.jpg": "val", "test/1.jpg": "test"}


def test_a_sibling_folder(tmp_path: Path) -> None:
    photo(tmp_path / "images/1.jpg")
    voc(tmp_path / "annotations/1.xml", [ONE_BASED])
    assert boxes_of(open_boxes(tmp_path)) == {"images/1.jpg": [CAT]}
    assert boxes_of(open_boxes(tmp_path / "annotations/1.xml")) == {"images/1.jpg": [CAT]}


def test_difficult_boxes_are_ignored(tmp_path: Path) -> None:
    photo(tmp_path / "1.jpg")
    voc(tmp_path / "1.xml", [ONE_BASED], object="<difficult>1</difficult>")
    found = open_boxes(tmp_path)
    assert found.photos[0].ignored.tolist() == [True]
    assert "1 box marked as difficult" in told(found)["ignored"]


def test_parts_of_an_object_are_not_boxes(tmp_path: Path) -> None:
    part = "<part><name>head</name><bndbox><xmin>1</xmin></bndbox></part>"
    photo(tmp_path / "1.jpg")
    voc(tmp_path / "1.xml", [ONE_BASED], object=part)
    assert boxes_of(open_boxes(tmp_path)) == {"1.jpg": [CAT]}


def test_missing_photos_and_damaged_files_are_skipped(tmp_path: Path) -> None:
    photo(tmp_path / "1.jpg")
    voc(tmp_path / "1.xml", [ONE_BASED])
    voc(tmp_path / "2.xml", [ONE_BASED])
    (tmp_path / "3.xml").write_text("<annotation><object>")
    (tmp_path / "4.xml").write_text('<!DOCTYPE a [<!ENTITY b "c">]><annotation>&b;</annotation>')
    photo(tmp_path / "5.jpg")
    found = open_boxes(tmp_path)
    assert list(boxes_of(found)) == ["1.jpg"]
    assert reasons(found)["2.xml"] == "the photo is missing: 2.jpg"
    assert "is not valid XML" in reasons(found)["3.xml"]
    assert "DOCTYPE" in reasons(found)["4.xml"]
    assert told(found)["not annotated"].endswith("left out: 5.jpg.")


def test_the_file_name_wins_over_the_stated_one(tmp_path: Path) -> None:
    for name in ("1", "2"):
        photo(tmp_path / f"{name}.jpg")
    voc(tmp_path / "1.xml", [ONE_BASED], filename="2.jpg")
    found = open_boxes(tmp_path)
    assert list(boxes_of(found)) == ["1.jpg"]
    assert "another name" in told(found)


def test_the_stated_name_finds_a_photo(tmp_path: Path) -> None:
    photo(tmp_path / "images/photo.jpg")
    voc(tmp_path / "annotations/label.xml", [ONE_BASED], filename="photo.jpg")
    assert list(boxes_of(open_boxes(tmp_path))) == ["images/photo.jpg"]


def test_a_folder_without_boxes(tmp_path: Path) -> None:
    photo(tmp_path / "1.jpg")
    voc(tmp_path / "1.xml", [])
    with pytest.raises(DatasetError, match="found 1 photo without any box"):
        open_boxes(tmp_path)


def test_blood_cells(shared_data: Path) -> None:
    assert box_format(shared_data / "bccd") == "Pascal VOC"
    found = open_boxes(shared_data / "bccd")
    assert (len(found.photos), sum(len(one.labels) for one in found.photos)) == (364, 4888)
    assert found.classes == ("Platelets", "RBC", "WBC")
    splits = [one.photo.split for one in found.photos]
    assert [splits.count(split) for split in ("train", "val", "test")] == [205, 87, 72]
    assert not found.skipped
    assert {finding.severity for finding in found.findings} == {"note"}


def test_raccoons(shared_data: Path) -> None:
    found = open_boxes(shared_data / "raccoon")
    assert (len(found.photos), sum(len(one.labels) for one in found.photos)) == (200, 217)
    assert found.classes == ("raccoon",)
    assert {one.photo.split for one in found.photos} == {None}
    assert not found.skipped


def test_the_same_name_in_parallel_folders(tmp_path: Path) -> None:
    for split, box in (("train", ONE_BASED), ("val", (1, 1, 5, 5, "dog"))):
        photo(tmp_path / f"images/{split}/1.jpg")
        voc(tmp_path / f"annotations/{split}/1.xml", [box])
    voc(tmp_path / "labels/1.xml", [ONE_BASED])
    found = open_boxes(tmp_path)
    assert boxes_of(found)["images/train/1.jpg"] == [CAT]
    assert boxes_of(found)["images/val/1.jpg"] == [(0, 0, 5, 5, "dog")]
    assert reasons(found) == {"labels/1.xml": "several photos have its name: 1.jpg"}


def test_linked_folders_are_followed_once(tmp_path: Path) -> None:
    photo(tmp_path / "elsewhere/1.jpg")
    voc(tmp_path / "set/annotations/1.xml", [ONE_BASED])
    (tmp_path / "set/images").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere/circle").symlink_to(tmp_path / "set")
    assert list(boxes_of(open_boxes(tmp_path / "set"))) == ["images/1.jpg"]
