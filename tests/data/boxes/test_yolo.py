from pathlib import Path

import pytest

from eyespot.data.boxes.open import box_format, open_boxes
from eyespot.errors import DatasetError
from tests.data.boxes.files import CAT, DOG, boxes_of, photo, reasons, splits_of, told, yolo


def dataset(root: Path, yaml: str) -> Path:
    """train/, valid/ and test/, each with images/ and labels/, as Roboflow writes them."""
    for split in ("train", "valid", "test"):
        photo(root / split / "images" / f"{split}.jpg")
        yolo(root / split / "labels" / f"{split}.txt", [CAT, DOG])
    (root / "data.yaml").write_text(yaml)
    return root


ROBOFLOW = """train: ../train/images
val: ../valid/images
test: ../test/images
nc: 2
names: ['cat', 'dog']
roboflow:
  url: https://example.com
"""


def test_roboflow(tmp_path: Path) -> None:
    root = dataset(tmp_path / "set", ROBOFLOW)
    photo(tmp_path / "train/images/another.jpg")  # another dataset beside it is not read
    assert box_format(root) == "YOLO"
    found = open_boxes(root)
    assert boxes_of(found)["valid/images/valid.jpg"] == [CAT, DOG]
    assert splits_of(found) == {
        "train/images/train.jpg": "train",
        "valid/images/valid.jpg": "val",
        "test/images/test.jpg": "test",
    }
    named = [finding.message for finding in found.findings if finding.kind == "splits"]
    assert "train/images (train, 1 photo)" in named[0]


def test_ultralytics(tmp_path: Path) -> None:
    for split in ("train2017", "val2017"):
        photo(tmp_path / f"images/{split}/{split}.jpg")
        yolo(tmp_path / f"labels/{split}/{split}.txt", [CAT])
    yaml = "path: ../datasets/coco8\ntrain: images/train2017\nval: [images/val2017]\n"
    (tmp_path / "coco8.yaml").write_text(yaml + "names:\n  0: cat\n  1: dog\n")
    found = open_boxes(tmp_path)
    assert splits_of(found) == {
        "images/train2017/train2017.jpg": "train",
        "images/val2017/val2017.jpg": "val",
    }
    assert found.classes == ("cat",)


def test_one_folder_for_training_and_validation_is_not_validated_on(tmp_path: Path) -> None:
    photo(tmp_path / "images/train/1.jpg")
    yolo(tmp_path / "labels/train/1.txt", [CAT])
    (tmp_path / "a.yaml").write_text("train: images/train\nval: images/train\nnames: [cat]\n")
    found = open_boxes(tmp_path)
    assert splits_of(found) == {"images/train/1.jpg": "train"}
    assert any("val is the same as another split" in one.message for one in found.findings)


def test_lists_of_photos(tmp_path: Path) -> None:
    for name in ("1", "2"):
        photo(tmp_path / f"images/{name}.jpg")
        yolo(tmp_path / f"labels/{name}.txt", [CAT])
    (tmp_path / "train.txt").write_text("./images/1.jpg\n./images/gone.jpg\n")
    (tmp_path / "data.yaml").write_text("train: train.txt\nval: none\nnames: [cat, dog]\n")
    found = open_boxes(tmp_path)
    assert boxes_of(found) == {"images/1.jpg": [CAT]}
    assert reasons(found)["images/gone.jpg"] == "the photo is missing"
    assert reasons(found)["data.yaml"] == "val: none is missing"


def test_names_are_texts(tmp_path: Path) -> None:
    photo(tmp_path / "images/1.jpg")
    yolo(tmp_path / "labels/1.txt", [CAT, DOG])
    (tmp_path / "data.yaml").write_text("train: images\nnames: [no, 010]\n")
    assert open_boxes(tmp_path).classes == ("010", "no")


def test_nothing_in_yaml_is_run(tmp_path: Path) -> None:
    photo(tmp_path / "1.jpg")
    yolo(tmp_path / "1.txt", [CAT])
    made = tmp_path / "made"
    yaml = f"names: !!python/object/apply:os.mkdir ['{made}']\ntrain: .\n"
    (tmp_path / "data.yaml").write_text(yaml)
    assert open_boxes(tmp_path).classes == (str(made),)
    assert not made.exists()


def test_classes_txt(tmp_path: Path) -> None:
    photo(tmp_path / "1.jpg")
    yolo(tmp_path / "1.txt", [CAT])
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    for source in (tmp_path, tmp_path / "classes.txt"):
        assert boxes_of(open_boxes(source)) == {"1.jpg": [CAT]}


def test_without_names_classes_are_numbers_and_told(tmp_path: Path) -> None:
    photo(tmp_path / "images/1.jpg")
    yolo(tmp_path / "labels/1.txt", [CAT, DOG])
    found = open_boxes(tmp_path)
    assert found.classes == ("0", "1")
    assert "called 0 and 1" in told(found)["labels"]


def test_a_photo_without_a_label_file_is_background_and_told(tmp_path: Path) -> None:
    for name in ("1", "2", "3"):
        photo(tmp_path / f"images/{name}.jpg")
    yolo(tmp_path / "labels/1.txt", [CAT])
    yolo(tmp_path / "labels/2.txt", [])
    found = open_boxes(tmp_path)
    assert boxes_of(found)["images/2.jpg"] == boxes_of(found)["images/3.jpg"] == []
    assert told(found)["no file"].startswith("1 photo without a label file")


def test_lines(tmp_path: Path) -> None:
    photo(tmp_path / "1.jpg")
    lines = (
        "0 0.3125 0.625 0.3125 0.416666667",
        "0 0.25 0.25 0.75 0.25 0.5 0.75",  # a polygon
        "7 0.5 0.5 0.1 0.1",
        "x 0.5 0.5 0.1 0.1",
        "0 0.5 0.5 0.1",
        "0 nan 0.5 0.1 0.1",
        "99999999999999999999 1 1 1 1",
    )
    (tmp_path / "1.txt").write_text("\n".join(lines))
    (tmp_path / "data.yaml").write_text("train: .\nnames: [cat]\n")
    found = open_boxes(tmp_path)
    assert boxes_of(found) == {"1.jpg": [CAT, (16, 12, 48, 36, "cat")]}
    counts = {kind: message.split()[0] for kind, message in told(found).items()}
    assert counts["polygon"] == counts["unknown class"] == counts["not numbers"] == "1"
    assert counts["bad line"] == "3"


def test_keypoints_are_passed_over(tmp_path: Path) -> None:
    photo(tmp_path / "1.jpg")
    (tmp_path / "1.txt").write_text("0 0.3125 0.625 0.3125 0.416666667 0.1 0.1 0.2 0.2\n")
    (tmp_path / "data.yaml").write_text("train: .\nkpt_shape: [2, 2]\nnames: [cat]\n")
    assert boxes_of(open_boxes(tmp_path)) == {"1.jpg": [CAT]}


def test_pixels_are_refused(tmp_path: Path) -> None:
    photo(tmp_path / "1.jpg")
    (tmp_path / "1.txt").write_text("0 20 30 20 20\n")
    with pytest.raises(DatasetError, match="as shares of 0 to 1"):
        open_boxes(tmp_path)


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    "yaml",
    [
        f"{BOMB}names: *i\ntrain: .\n",
        "names: [cat\ntrain: .\n",
        "names: 7\ntrain: .\n",
        "names: {cat: 0}\ntrain: .\n",
        "names: [cat]\nnc: 3\ntrain: .\n",
        "names: " + "[" * 5_000 + "\ntrain: .\n",
        "names: [cat]\ntrain: .\n#" + "x" * 500_001,
    ],
    ids=["aliases", "syntax", "number", "inverse", "nc", "depth", "size"],
)
def test_hostile_or_wrong_yaml_is_refused_in_a_sentence(tmp_path: Path, yaml: str) -> None:
    photo(tmp_path / "1.jpg")
    yolo(tmp_path / "1.txt", [CAT])
    (tmp_path / "data.yaml").write_text(yaml)
    with pytest.raises(DatasetError) as error:
        open_boxes(tmp_path)
    assert len(str(error.value)) < 500


def test_captions_beside_photos_are_not_boxes(tmp_path: Path) -> None:
    photo(tmp_path / "cat/1.jpg")
    (tmp_path / "cat/1.txt").write_text("a cat on a mat")
    (tmp_path / "config.yaml").write_text("names: [cat]\nepochs: 3\n")
    assert box_format(tmp_path) is None
