"""Any content gives boxes inside their photos, or an error of one sentence."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eyespot.data.boxes.open import box_format, open_boxes
from eyespot.errors import DatasetError
from tests.data.boxes.files import HEIGHT, WIDTH, photo

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-100, 100),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["1.jpg", "2.jpg", "cat", "10", "nan", "1e999", "../1.jpg", "/", "\0"]),
)
ANY = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
SIDES = st.lists(st.integers(-20, 80) | SCALARS, min_size=3, max_size=5)


def record(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """An object of which any field may be missing or anything."""
    optional = {key: value | ANY for key, value in fields.items()}
    return st.fixed_dictionaries({}, optional=optional) | SCALARS


NAMES = st.sampled_from(["1.jpg", "2.jpg"])
COCO = record(
    images=st.lists(record(id=st.integers(0, 2), file_name=NAMES, width=st.just(64)), max_size=3),
    annotations=st.lists(
        record(image_id=st.integers(0, 2), category_id=st.integers(0, 1), bbox=SIDES), max_size=5
    ),
    categories=st.lists(record(id=st.integers(0, 1), name=st.just("cat")), max_size=2),
)
RESULT = record(
    type=st.just("rectanglelabels"),
    original_width=st.just(WIDTH),
    value=record(
        x=st.floats(-10, 110),
        y=st.floats(-10, 110),
        width=st.floats(0, 110),
        height=st.floats(0, 110),
        rotation=st.integers(0, 360),
        rectanglelabels=st.just(["cat"]),
    ),
)
LABEL_STUDIO = st.lists(
    record(
        data=st.fixed_dictionaries({"image": NAMES}),
        annotations=st.lists(record(result=st.lists(RESULT, max_size=3)), max_size=2),
    ),
    max_size=3,
)
CELLS = st.lists(st.lists(SCALARS.map(str), max_size=7).map(",".join), max_size=5).map("\n".join)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("boxes")
    for name in ("1", "2"):
        photo(folder / f"{name}.jpg")
    return folder


def check(source: Path) -> None:
    box_format(source)
    try:
        found = open_boxes(source)
    except DatasetError as refusal:
        assert len(str(refusal)) < 1500  # noqa: PT017 - or a dataset
        return
    finally:
        for path in source.iterdir():
            if path.suffix != ".jpg":
                path.unlink()
    for one in found.photos:
        boxes = one.boxes
        assert boxes.dtype == np.float32
        assert boxes.shape == (len(one.labels), 4)
        assert one.ignored.shape == (len(one.labels),)
        assert np.isfinite(boxes).all()
        assert (boxes[:, :2] >= 0).all()
        assert (boxes[:, 2:] > boxes[:, :2]).all()
        assert (boxes[:, 2:] <= [WIDTH, HEIGHT]).all()
        assert all(one.labels)


def of_coco(folder: Path, value: Any) -> None:
    (folder / "instances_x.json").write_text(json.dumps(value))


def of_label_studio(folder: Path, value: Any) -> None:
    (folder / "x.json").write_text(json.dumps(value))


def of_csv(folder: Path, text: str) -> None:
    header = "path,xmin,ymin,xmax,ymax,label,split\n"
    (folder / "x.csv").write_text(header + text, encoding="utf-8", errors="replace")


def of_yolo(folder: Path, text: str) -> None:
    lines = f"0 0.5 0.5 0.1 0.1\n{text.replace(',', ' ')}"
    (folder / "1.txt").write_text(lines, encoding="utf-8", errors="replace")


def of_yaml(folder: Path, value: Any) -> None:
    (folder / "1.txt").write_text("0 0.5 0.5 0.1 0.1")
    names, train, path = value
    text = f"names: {json.dumps(names)}\ntrain: {json.dumps(train)}\npath: {json.dumps(path)}\n"
    (folder / "x.yaml").write_text(text)


def of_cvat(folder: Path, values: list[Any]) -> None:
    keys = ("xtl", "ytl", "xbr", "ybr", "rotation", "label")
    boxes = "".join(
        f"<box {' '.join(f'{k}={quoteattr(_xml(v))}' for k, v in zip(keys, row, strict=False))}/>"
        for row in values
    )
    text = f'<annotations><image name="1.jpg" width="64" height="48">{boxes}</image></annotations>'
    (folder / "x.xml").write_text(text, encoding="utf-8")


def _xml(value: Any) -> str:
    return "".join(c for c in str(value) if c.isprintable() and c.isascii())


@pytest.mark.parametrize(
    ("write", "values"),
    [
        (of_coco, COCO),
        (of_label_studio, LABEL_STUDIO),
        (of_csv, CELLS),
        (of_yolo, CELLS),
        (of_yaml, st.tuples(ANY, ANY, SCALARS)),
        (of_cvat, st.lists(st.lists(SCALARS, max_size=6), max_size=3)),
    ],
    ids=["COCO", "Label Studio", "CSV", "YOLO", "data.yaml", "CVAT"],
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_any_content(
    folder: Path,
    write: Callable[[Path, Any], None],
    values: st.SearchStrategy[Any],
    data: st.DataObject,
) -> None:
    write(folder, data.draw(values))
    check(folder)
