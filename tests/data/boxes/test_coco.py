import json
from pathlib import Path

import pytest

from eyespot.data.boxes.open import box_format, open_boxes
from eyespot.errors import DatasetError
from tests.data.boxes.files import CAT, DOG, boxes_of, coco, photo, reasons, splits_of, told


def test_the_layout_of_coco(tmp_path: Path) -> None:
    for split in ("train", "val"):
        photo(tmp_path / f"{split}2017/{split}1.jpg")
        coco(tmp_path / f"annotations/instances_{split}2017.json", {f"{split}1.jpg": [CAT, DOG]})
        coco(tmp_path / f"annotations/person_keypoints_{split}2017.json", {f"{split}1.jpg": []})
    found = open_boxes(tmp_path)
    assert boxes_of(found) == {
        "train2017/train1.jpg": [CAT, DOG],
        "val2017/val1.jpg": [CAT, DOG],
    }
    assert splits_of(found) == {"train2017/train1.jpg": "train", "val2017/val1.jpg": "val"}
    assert box_format(tmp_path) == "COCO"


def test_roboflow_folders(tmp_path: Path) -> None:
    for split in ("train", "valid"):
        photo(tmp_path / split / "1.jpg")
        coco(tmp_path / split / "_annotations.coco.json", {"1.jpg": [CAT] if split != "x" else []})
    found = open_boxes(tmp_path)
    assert splits_of(found) == {"train/1.jpg": "train", "valid/1.jpg": "val"}


def test_one_file_beside_its_photos(tmp_path: Path) -> None:
    photo(tmp_path / "images/1.jpg")
    photo(tmp_path / "images/2.jpg")
    file = coco(tmp_path / "labels.json", {"1.jpg": [CAT], "2.jpg": []})
    for source in (tmp_path, file):
        found = open_boxes(source)
        assert boxes_of(found) == {"images/1.jpg": [CAT], "images/2.jpg": []}
        assert "1 photo without boxes" in told(found)["background"]


def test_crowds_are_ignored(tmp_path: Path) -> None:
    photo(tmp_path / "1.jpg")
    coco(tmp_path / "a.json", {"1.jpg": [CAT]}, iscrowd=1)
    assert open_boxes(tmp_path).photos[0].ignored.tolist() == [True]


def test_polygons_become_boxes_and_masks_are_left_out(tmp_path: Path) -> None:
    photo(tmp_path / "1.jpg")
    file = coco(tmp_path / "a.json", {"1.jpg": [CAT, CAT, CAT]})
    whole = json.loads(file.read_text())
    shapes = ([[5, 5, 20, 6, 7, 30]], {"counts": [1], "size": [1, 1]})
    for annotation, shape in zip(whole["annotations"][1:], shapes, strict=True):
        del annotation["bbox"]
        annotation["segmentation"] = shape
    file.write_text(json.dumps(whole))
    found = open_boxes(tmp_path)
    assert boxes_of(found) == {"1.jpg": [CAT, (5, 5, 20, 30, "cat")]}
    assert {"polygon", "other shape"} <= set(told(found))


def test_unknown_classes_and_images_and_missing_photos(tmp_path: Path) -> None:
    photo(tmp_path / "1.jpg")
    file = coco(tmp_path / "a.json", {"1.jpg": [CAT, CAT], "gone.jpg": [CAT]})
    whole = json.loads(file.read_text())
    whole["annotations"][0]["category_id"] = 99
    whole["annotations"].append({"image_id": 99, "category_id": 3, "bbox": [0, 0, 9, 9]})
    file.write_text(json.dumps(whole))
    found = open_boxes(tmp_path)
    assert boxes_of(found) == {"1.jpg": [CAT]}
    assert "1 box with a class number that has no name" in told(found)["unknown class"]
    assert "1 box of photos that the file does not list" in told(found)["unknown photo"]
    assert reasons(found) == {"gone.jpg": "the photo is missing"}


def test_two_files_of_the_same_photo_are_refused(tmp_path: Path) -> None:
    photo(tmp_path / "1.jpg")
    coco(tmp_path / "a.json", {"1.jpg": [CAT]})
    coco(tmp_path / "b.json", {"1.jpg": [DOG]})
    with pytest.raises(
        DatasetError, match=r"Expected one COCO file for each photo.*a\.json.*b\.js"
    ):
        open_boxes(tmp_path)
    assert boxes_of(open_boxes(tmp_path / "b.json")) == {"1.jpg": [DOG]}


@pytest.mark.parametrize(
    "text",
    [
        '{"images": 1, "annotations": [], "categories": []}',
        '{"images": [1], "annotations": [{"bbox": 1}], "categories": []}',
        '{"images": [{"id": 1}, {"id": 1}], "annotations": [{"bbox": 1}], "categories": []}',
        '{"images": [], "annotations": [{"bbox": ',
        '{"categories": [], "annotations": [{"bbox": ' + "[" * 100_000,
    ],
)
def test_damaged_files_are_refused_in_a_sentence(tmp_path: Path, text: str) -> None:
    photo(tmp_path / "1.jpg")
    (tmp_path / "instances_a.json").write_text(text)
    with pytest.raises(DatasetError) as error:
        open_boxes(tmp_path)
    assert len(str(error.value)) < 500


def test_odd_values_never_stop_the_reading(tmp_path: Path) -> None:
    photo(tmp_path / "1.jpg")
    file = coco(tmp_path / "a.json", {"1.jpg": [CAT]})
    whole = json.loads(file.read_text())
    first = whole["annotations"][0]
    odd: list[object] = [None, "abcd", [1, 2, 3], [None] * 4, [float("nan")] * 4, ["1", "2", "", 4]]
    odd += [[1e400, 0, 1, 1], [True, 0, 1, 1], {}, [10**400, 0, 1, 1], [[1], 2, 3, 4]]
    whole["annotations"] += [{**first, "bbox": bbox} for bbox in odd]
    whole["annotations"] += [{}, {"image_id": None}, {"image_id": [1]}]
    whole["images"] += [{"id": None}, {"id": "x", "file_name": None, "width": "?", "height": {}}]
    whole["categories"] += [{}, {"id": 5}]
    file.write_text(json.dumps(whole))
    assert boxes_of(open_boxes(tmp_path)) == {"1.jpg": [CAT]}
