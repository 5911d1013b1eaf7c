import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from eyespot.data.open import open_photos
from eyespot.data.parquet_tables import read_parquet
from eyespot.data.photos import Dataset
from eyespot.errors import DatasetError, PhotoError
from tests.data.files import encode, noise, save

IMAGES = [encode(noise(16, 12, seed), "PNG") for seed in range(6)]
LABELS = [0, 1, 0, 1, 2, 2]


def labels(dataset: Dataset) -> list[str | None]:
    return [photo.label for photo in dataset.photos]


def write(file: Path, columns: dict[str, Any], names: object = None) -> Path:
    """A file of row groups of 4; `names`: of the column label, as the hub keeps them."""
    table = pa.table(columns)
    if names is not None:
        features = {"info": {"features": {"label": {"names": names, "_type": "ClassLabel"}}}}
        table = table.replace_schema_metadata({"huggingface": json.dumps(features)})
    pq.write_table(table, file, row_group_size=4)
    return file


def structs(images: list[bytes]) -> list[dict[str, Any]]:
    return [{"bytes": data, "path": f"{number}.png"} for number, data in enumerate(images)]


@pytest.mark.parametrize("nested", [True, False])
def test_images_and_labels(tmp_path: Path, nested: bool) -> None:
    images = structs(IMAGES) if nested else IMAGES
    found = open_photos(write(tmp_path / "a.parquet", {"image": images, "label": LABELS}))
    assert labels(found) == ["0", "1", "0", "1", "2", "2"]
    assert [photo.read() for photo in found.photos] == IMAGES
    assert found.photos[5].read() == found.photos[5].read() == IMAGES[5]
    assert found.photos[4].name == "a.parquet#4"


def test_class_names_in_the_metadata(tmp_path: Path) -> None:
    columns = {"img": structs(IMAGES), "label": LABELS}
    found = read_parquet(write(tmp_path / "a.parquet", columns, ["a, b", "🐈‍⬛", 'c "d"']))
    assert labels(found) == ["a, b", "🐈‍⬛", "a, b", "🐈‍⬛", 'c "d"', 'c "d"']


def test_class_names_in_a_file_beside(tmp_path: Path) -> None:
    (tmp_path / "names.json").write_text('{"0": "cat", "1": "dog", "2": "cow"}')
    found = read_parquet(write(tmp_path / "a.parquet", {"image": IMAGES, "label": LABELS}))
    assert found.classes == ("cat", "cow", "dog")


@pytest.mark.parametrize("names", ["cat", 7, [], {"0": "cat"}])
def test_numbers_without_a_name_stay_numbers(tmp_path: Path, names: object) -> None:
    columns = {"image": IMAGES, "label": [7, 8, 9, 7, 8, 9]}
    assert read_parquet(write(tmp_path / "a.parquet", columns, names)).classes == ("7", "8", "9")


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["x", "y", "x", "y", "z", "z"]),
        pa.array(["x", "y", "x", "y", "z", "z"], pa.large_string()),
        pa.array(["x", "y", "x", "y", "z", "z"]).dictionary_encode(),
    ],
)
def test_labels_as_text(tmp_path: Path, column: Any) -> None:
    found = read_parquet(write(tmp_path / "a.parquet", {"image": IMAGES, "label": column}))
    assert labels(found) == ["x", "y", "x", "y", "z", "z"]


def test_usual_names_of_columns_come_first(tmp_path: Path) -> None:
    columns = {
        "id": list(range(6)),
        "mask": structs(IMAGES[::-1]),
        "Image": structs(IMAGES),
        "coarse": LABELS[::-1],
        "Label": LABELS,
    }
    found = read_parquet(write(tmp_path / "a.parquet", columns))
    assert labels(found) == ["0", "1", "0", "1", "2", "2"]
    assert found.photos[0].read() == IMAGES[0]


def test_rows_without_a_label_are_named(tmp_path: Path) -> None:
    columns = {"image": IMAGES, "label": ["x", None, "y", "", "x", None]}
    found = read_parquet(write(tmp_path / "a.parquet", columns))
    assert labels(found) == ["x", "y", "x"]
    assert [photo.read() for photo in found.photos] == [IMAGES[0], IMAGES[2], IMAGES[4]]
    assert [(one.path, one.reason) for one in found.skipped] == [
        ("a.parquet row group 0, row 1", "has no label"),
        ("a.parquet row group 0, row 3", "has no label"),
        ("a.parquet row group 1, row 1", "has no label"),
    ]


def test_minus_one_is_no_label_where_labels_have_names(tmp_path: Path) -> None:
    """So the hub marks photos whose labels are kept secret."""
    columns = {"image": IMAGES, "label": [0, 1, 0, 1, -1, -1]}
    found = read_parquet(write(tmp_path / "a.parquet", columns, ["cat", "dog"]))
    assert found.classes == ("cat", "dog")
    assert [one.reason for one in found.skipped] == ["has no label"] * 2


def test_images_in_files_beside(tmp_path: Path) -> None:
    file = save(tmp_path / "photos" / "1.png")
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    cells = [{"bytes": None, "path": name} for name in ("photos/1.png", "gone.png")]
    columns = {"image": pa.array(cells, kind), "label": ["x", "y"]}
    found = read_parquet(write(tmp_path / "a.parquet", columns))
    assert found.photos[0].read() == file.read_bytes()
    with pytest.raises(PhotoError, match="cannot be read: No such file"):
        found.photos[1].read()


def test_a_folder_of_splits(tmp_path: Path) -> None:
    for name in ("train-00000-of-00002", "train-00001-of-00002", "test-0", "validation", "rest"):
        write(tmp_path / f"{name}.parquet", {"image": IMAGES[:1], "label": ["x"]})
    found = open_photos(tmp_path, least_classes=1)
    assert {photo.name: photo.split for photo in found.photos} == {
        "rest.parquet#0": None,
        "test-0.parquet#0": "test",
        "train-00000-of-00002.parquet#0": "train",
        "train-00001-of-00002.parquet#0": "train",
        "validation.parquet#0": "val",
    }


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"image": IMAGES}, "its columns are image .binary."),
        ({"label": LABELS, "height": LABELS}, "its columns are label .int64., height .int64."),
        ({}, "its columns are none"),
        ({"image": [[0.5]] * 6, "label": LABELS}, r"image .list<.*double>., label"),
    ],
)
def test_missing_columns(tmp_path: Path, columns: dict[str, Any], told: str) -> None:
    with pytest.raises(DatasetError, match=rf"column of images .*label column .* in .*{told}"):
        read_parquet(write(tmp_path / "a.parquet", columns))


def test_no_row(tmp_path: Path) -> None:
    columns = {"image": pa.array([], pa.binary()), "label": pa.array([], pa.int64())}
    with pytest.raises(DatasetError, match=r"Expected images with labels in .*found none"):
        read_parquet(write(tmp_path / "a.parquet", columns))


@pytest.mark.parametrize("data", [b"", b"PAR1", b"PAR1PAR1", b"PAR1" + bytes(90) + b"PAR1"])
def test_what_is_no_parquet_file(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.parquet").write_bytes(data)
    with pytest.raises(DatasetError, match=r"a\.parquet is not a readable Parquet file"):
        open_photos(tmp_path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_truncated_file(tmp_path: Path, share: float) -> None:
    file = write(tmp_path / "a.parquet", {"image": IMAGES, "label": LABELS})
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(DatasetError, match="not a readable Parquet file"):
        read_parquet(file)


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_file_gives_reasons_only(tmp_path: Path, seed: int) -> None:
    """Each photo is read, or says why not; nothing else is raised."""
    rng = np.random.default_rng(seed)
    file = write(tmp_path / "a.parquet", {"image": structs(IMAGES), "label": LABELS}, ["x", "y"])
    data = bytearray(file.read_bytes())
    start = rng.choice([0, len(data) - 1500])
    for position in rng.integers(start, len(data), 3):
        data[position] = rng.integers(256)
    file.write_bytes(data)
    try:
        photos = read_parquet(file).photos
    except DatasetError:
        return
    for photo in photos:
        try:
            assert isinstance(photo.read(), bytes)
        except PhotoError:
            continue


def test_a_damaged_image_costs_its_row_group_only(tmp_path: Path) -> None:
    file = write(tmp_path / "a.parquet", {"image": IMAGES, "label": LABELS})
    offset = pq.read_metadata(file).row_group(1).column(0).data_page_offset
    data = bytearray(file.read_bytes())
    data[offset : offset + 40] = b"\xff" * 40
    file.write_bytes(data)
    found = read_parquet(file)
    assert [photo.read() for photo in found.photos[:4]] == IMAGES[:4]
    with pytest.raises(PhotoError, match="the row cannot be read"):
        found.photos[4].read()


def test_a_cell_without_a_image(tmp_path: Path) -> None:
    columns = {"image": [*IMAGES[:5], None], "label": LABELS}
    found = read_parquet(write(tmp_path / "a.parquet", columns))
    with pytest.raises(PhotoError, match="the row holds no image"):
        found.photos[5].read()


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    file = write(tmp_path / "a.parquet", {"image": IMAGES, "label": LABELS})
    found = read_parquet(file)
    file.unlink()
    with pytest.raises(PhotoError, match="the row cannot be read"):
        found.photos[0].read()
