"""Label Studio, CVAT and CSV."""

import json
from pathlib import Path
from typing import Any

import pytest

from eyespot.data.boxes.open import box_format, open_boxes
from eyespot.errors import DatasetError
from tests.data.boxes.files import CAT, HEIGHT, WIDTH, boxes_of, photo, reasons, splits_of, told

# --- Label Studio -------------------------------------------------------------------------------


def rectangle(**more: Any) -> dict[str, Any]:
    """CAT in percent of the photo."""
    value: dict[str, Any] = {"x": 15.625, "y": 41.66666667, "width": 31.25, "height": 41.66666667}
    value |= {"rotation": 0, "rectanglelabels": ["cat"], **more}
    size = {"original_width": WIDTH, "original_height": HEIGHT, "image_rotation": 0}
    return {"type": "rectanglelabels", "value": value, **size}


def task(image: str, *results: dict[str, Any]) -> dict[str, Any]:
    return {"data": {"image": image}, "annotations": [{"result": list(results)}]}


def write(root: Path, *tasks: dict[str, Any]) -> Path:
    photo(root / "images/1.jpg")
    photo(root / "images/2 b.jpg")
    file = root / "export.json"
    file.write_text(json.dumps(tasks))
    return file


def test_label_studio(tmp_path: Path) -> None:
    first = task("/data/upload/1/0a1b2c3d-1.jpg", rectangle())
    second = task("/data/local-files/?d=set/images/2%20b.jpg")
    write(tmp_path, first, second, task("s3://bucket/gone.jpg", rectangle()))
    assert box_format(tmp_path) == "Label Studio"
    found = open_boxes(tmp_path)
    assert boxes_of(found) == {"images/1.jpg": [CAT], "images/2 b.jpg": []}
    assert told(found)["found by name"].startswith("2 photos")
    assert reasons(found) == {"s3://bucket/gone.jpg": "the photo is missing"}


def test_label_studio_min(tmp_path: Path) -> None:
    flat = {**rectangle()["value"], "original_width": WIDTH, "original_height": HEIGHT}
    write(tmp_path, {"image": "/data/upload/1/0a1b2c3d-1.jpg", "id": 1, "label": [flat]})
    assert boxes_of(open_boxes(tmp_path)) == {"images/1.jpg": [CAT]}


def test_rotated_rectangles_become_upright_and_are_told(tmp_path: Path) -> None:
    turned = rectangle(x=50, y=25, width=25, height=25, rotation=90)  # 16 x 12 px, about its corner
    write(tmp_path, task("1.jpg", turned))
    found = open_boxes(tmp_path)
    assert boxes_of(found) == {"images/1.jpg": [(20, 12, 32, 28, "cat")]}
    assert "1 rotated box" in told(found)["rotated"]


def test_other_results_are_told(tmp_path: Path) -> None:
    polygon = {"type": "polygonlabels", "value": {"points": [[1, 2]], "polygonlabels": ["cat"]}}
    odd: list[Any] = [polygon, {"type": "choices", "value": {"choices": ["x"]}}, {}, 5]
    unlabelled = rectangle(rectanglelabels=[])
    whole = task("1.jpg", rectangle(), unlabelled, *odd)
    whole["annotations"].append({"result": []})
    unannotated = {"data": {"image": "2 b.jpg"}, "annotations": []}
    write(tmp_path, whole, unannotated, {"data": {}}, {"data": 5, "annotations": 7})
    found = open_boxes(tmp_path)
    assert boxes_of(found) == {"images/1.jpg": [CAT]}
    assert {"other shape", "no label", "several annotators", "not annotated"} <= set(told(found))


def test_a_photo_rotated_while_labelled_is_skipped(tmp_path: Path) -> None:
    write(
        tmp_path, task("1.jpg", {**rectangle(), "image_rotation": 90}), task("2 b.jpg", rectangle())
    )
    found = open_boxes(tmp_path)
    assert reasons(found) == {"images/1.jpg": "the photo was rotated while it was labelled"}


# --- CVAT ---------------------------------------------------------------------------------------


def cvat(root: Path, inside: str) -> Path:
    photo(root / "images/1.jpg")
    photo(root / "images/2.jpg")
    file = root / "annotations.xml"
    file.write_text(
        f'<?xml version="1.0"?><annotations><version>1.1</version>{inside}</annotations>'
    )
    return file


def test_cvat(tmp_path: Path) -> None:
    box = '<box label="cat" xtl="10" ytl="20" xbr="30.0" ybr="40" occluded="0"/>'
    turned = '<box label="cat" xtl="20" ytl="10" xbr="40" ybr="20" rotation="90"/>'
    cvat(
        tmp_path,
        f'<image name="1.jpg" width="64" height="48" subset="Train">{box}{turned}'
        '<polygon label="cat" points="1,2;3,4"/><tag label="x"/></image>'
        '<image name="2.jpg" width="64" height="48" subset="Test"/>'
        '<image name="3.jpg"/>',
    )
    assert box_format(tmp_path) == "CVAT"
    found = open_boxes(tmp_path)
    assert boxes_of(found)["images/1.jpg"] == [CAT, (25, 5, 35, 25, "cat")]
    assert splits_of(found) == {"images/1.jpg": "train", "images/2.jpg": "test"}
    assert reasons(found) == {"3.jpg": "the photo is missing"}
    assert told(found)["other shape"].startswith("1 shape")


def test_tracks_of_a_video_are_refused(tmp_path: Path) -> None:
    cvat(tmp_path, '<track id="0" label="cat"/>')
    with pytest.raises(DatasetError, match="found tracks of a video"):
        open_boxes(tmp_path)


# --- CSV ----------------------------------------------------------------------------------------


def table(root: Path, text: str, name: str = "boxes.csv") -> Path:
    for number in (1, 2, 3):
        photo(root / f"{number}.jpg")
    (root / name).write_text(text)
    return root / name


@pytest.mark.parametrize(
    "text",
    [
        "path,xmin,ymin,xmax,ymax,label\n1.jpg,10,20,30,40,cat\n2.jpg,,,,,\n",
        "label;ymax;path;xmin;ymin;xmax\ncat;40;1.jpg;10;20;30\n;;2.jpg;;;\n",
        "filename,width,height,class,xmin,ymin,xmax,ymax\n"
        "1.jpg,64,48,cat,10,20,30,40\n2.jpg,64,48,,,,,\n",
        "1.jpg,10,20,30,40,cat\n2.jpg,,,,,\n",
        "Image Path,X Min,yMin,x2,bottom,Class Name\n1.jpg,10,20,30,40,cat\n2.jpg,,,,,\n",
    ],
    ids=["plain", "semicolons", "TensorFlow", "Keras-RetinaNet", "other names"],
)
def test_tables(tmp_path: Path, text: str) -> None:
    file = table(tmp_path, text)
    assert box_format(tmp_path) == box_format(file) == "CSV"
    found = open_boxes(file)
    assert boxes_of(found) == {"1.jpg": [CAT], "2.jpg": []}
    assert "xmin" in told(found)["columns"]


def test_a_split_column(tmp_path: Path) -> None:
    rows = "1.jpg,10,20,30,40,cat,train\n2.jpg,10,20,30,40,cat,valid\n3.jpg,10,20,30,40,cat,odd\n"
    found = open_boxes(table(tmp_path, "path,xmin,ymin,xmax,ymax,label,split\n" + rows))
    assert splits_of(found) == {"1.jpg": "train", "2.jpg": "val"}
    assert reasons(found) == {"boxes.csv:4": "its split 'odd' is unknown"}


def test_tables_of_splits(tmp_path: Path) -> None:
    header = "filename,xmin,ymin,xmax,ymax,class\n"
    table(tmp_path, header + "1.jpg,10,20,30,40,cat\n", "train_labels.csv")
    table(tmp_path, header + "2.jpg,10,20,30,40,cat\n", "test_labels.csv")
    assert splits_of(open_boxes(tmp_path)) == {"1.jpg": "train", "2.jpg": "test"}


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("path,xmin,ymin,xmax,ymax,label,class", "one column of label .* 'label' and 'class'"),
        ("path,xmin,x1,ymin,xmax,ymax,label", "one column of xmin .* 'xmin' and 'x1'"),
        ("path,xmin,ymin,xmax,ymax,what", "Rename the columns of label"),
        ("what,xmin,ymin,xmax,ymax,label", "Rename the columns of path"),
    ],
)
def test_ambiguous_columns_are_refused(tmp_path: Path, header: str, message: str) -> None:
    row = ",".join("1.jpg" if name in ("path", "what") else "1" for name in header.split(","))
    with pytest.raises(DatasetError, match=message):
        open_boxes(table(tmp_path, f"{header}\n{row}\n"))


def test_shares_are_refused(tmp_path: Path) -> None:
    rows = "1.jpg,0.1,0.2,0.3,0.4,cat\n"
    with pytest.raises(DatasetError, match="Expected boxes in pixels"):
        open_boxes(table(tmp_path, "path,xmin,ymin,xmax,ymax,label\n" + rows))


def test_tables_of_classes_are_not_boxes(tmp_path: Path) -> None:
    table(tmp_path, "path,label,width,height\n1.jpg,cat,64,48\n")
    assert box_format(tmp_path) is None
