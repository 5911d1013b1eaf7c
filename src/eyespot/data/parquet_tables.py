"""Photos with labels in Parquet files, as datasets on the Hugging Face Hub."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from eyespot.data.column import Column, is_path, text_of
from eyespot.data.column_names import INDEX_NAMES, LABEL_NAMES
from eyespot.data.columns import NO_COLUMNS, ColumnNames, choose_columns
from eyespot.data.folders import files_of, list_folder
from eyespot.data.parquet import (
    ParquetSource,
    described,
    first_line,
    holds_features,
    image_columns,
    open_parquet,
    rows_of_groups,
)
from eyespot.data.photos import Dataset, FileSource, Photo, Skipped, printable
from eyespot.data.places import beside
from eyespot.data.split_names import Split, splits_of_files
from eyespot.data.tables import Table, doubtful_labels, facts_of, photos_of
from eyespot.data.text import read_names
from eyespot.errors import DatasetError
from eyespot.files import expect_file


def read_parquet(path: Path, wanted: ColumnNames = NO_COLUMNS) -> Dataset:
    """A Parquet file, or a folder of files named after their splits (train-00000-of-00002.parquet).

    Expects a column of images (bytes, or a struct of bytes and path) or of paths, and a label
    column; split and group columns count as in other tables. Class numbers become names if the
    metadata or a names.json beside the file defines them.
    Raises DatasetError if a column or any image is missing, and UsageError if there is no column
    that `wanted` names.
    """
    files = files_of(list_folder(path), ".parquet") if path.is_dir() else [path]
    splits, findings = splits_of_files([file.stem for file in files])
    # Columns are chosen over all files together: one file alone may hold a single class.
    pooled: dict[tuple[str, ...], list[_File]] = {}
    for file, split in zip(files, splits, strict=True):
        opened = _open(file, split)
        pooled.setdefault(tuple(opened.schema.names), []).append(opened)
    read = [_read_alike(path, alike, wanted) for alike in pooled.values()]
    photos = tuple(photo for dataset in read for photo in dataset.photos)
    if not photos:
        raise DatasetError(f"Expected images with labels in {printable(path)}, found none.")
    return Dataset(
        photos,
        tuple(skipped for dataset in read for skipped in dataset.skipped),
        tuple(dict.fromkeys([*findings, *(f for dataset in read for f in dataset.findings)])),
    )


@dataclass(frozen=True)
class _File:
    """A Parquet file. `changed`: modification time in ns. `split`: by its name. `groups`: rows of
    each row group. `cells`: as text, of all columns without images."""

    path: Path
    changed: int
    schema: Any
    split: Split | None
    groups: list[int]
    cells: dict[str, list[str]]


def _open(path: Path, split: Split | None) -> _File:
    import pyarrow as pa

    try:
        changed = expect_file(path).st_mtime_ns
        with open_parquet(path) as file:
            schema, groups = file.schema_arrow, rows_of_groups(file)
            plain = [field.name for field in schema if _is_plain(field.type)]
            columns = file.read(columns=plain)
            features = _features(schema)
            cells = {}
            for name in plain:
                names = _label_names(path, features, name)
                cells[name] = [_text(value, names) for value in columns[name].to_pylist()]
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise DatasetError(
            f"{printable(path)} is not a readable Parquet file: {first_line(error)}."
        ) from error
    return _File(path, changed, schema, split, groups, cells)


def _is_plain(kind: Any) -> bool:
    """Whether a column holds text, numbers, booleans, dates or lists of text or integers."""
    import pyarrow.types as is_type

    if is_type.is_dictionary(kind):
        kind = kind.value_type
    if is_type.is_list(kind) or is_type.is_large_list(kind):
        return bool(is_type.is_string(kind.value_type) or is_type.is_integer(kind.value_type))
    tests = (
        *(is_type.is_integer, is_type.is_floating, is_type.is_boolean, is_type.is_temporal),
        *(is_type.is_string, is_type.is_large_string),
    )
    return any(test(kind) for test in tests)


def _read_alike(path: Path, files: Sequence[_File], wanted: ColumnNames) -> Dataset:
    """The photos of files with the same columns."""
    schema, header = files[0].schema, tuple(files[0].cells)
    found = enumerate(image_columns(schema), start=len(header))
    images = [Column(name, index) for index, name in found]
    rows = [
        row for file in files for row in zip(*(file.cells[name] for name in header), strict=True)
    ]
    if not any(map(sum, (file.groups for file in files))) and images and header:
        return Dataset(())
    table = Table(path.name, header, list(enumerate(rows, start=1)))
    features = _features(schema)
    columns = [
        replace(column, declared=features.get(column.name, {}).get("_type") == "ClassLabel")
        for column in table.columns()
    ]
    if holds_features(schema):
        raise DatasetError(
            f"Expected photos with labels in {printable(path)}; {described(schema)}."
        )
    if not images and any(is_path(cell) for column in columns for cell in column.cells[:100]):
        folder = path if path.is_dir() else path.parent
        return photos_of(table, wanted, beside(folder), lambda name: FileSource(folder / name))
    if not images or not columns:
        raise DatasetError(
            "Expected a column of images (bytes, a struct of bytes and path, or paths) and a label "
            f"column (integers or text) in {printable(path)}; {described(schema)}."
        )
    return _labelled(path, files, columns, images, wanted)


def _labelled(
    path: Path,
    files: Sequence[_File],
    columns: Sequence[Column],
    images: Sequence[Column],
    wanted: ColumnNames,
) -> Dataset:
    """The rows of all files that have a label."""
    chosen = choose_columns(path.name, columns, wanted, images=images)
    photos: list[Photo] = []
    skipped: list[Skipped] = []
    for file in files:
        places = ((at, row) for at, count in enumerate(file.groups) for row in range(count))
        for number, (row_group, row) in enumerate(places):
            where = f"{printable(file.path.name)} row group {row_group}, row {row}"
            try:
                cells = [column[number] for column in file.cells.values()]
                label, split, group = facts_of(chosen, cells, where)
            except ValueError as error:
                skipped.append(Skipped(where, str(error)))
                continue
            name = f"{printable(file.path.name)}#{number}"
            source = ParquetSource(file.path, file.changed, chosen.photo.name, row_group, row)
            split = split if chosen.split else file.split
            photos.append(Photo(name, source, label, split, group))
    findings = [*chosen.findings, *doubtful_labels(path.name, photos)]
    return Dataset(tuple(photos), tuple(skipped), tuple(findings))


def _features(schema: Any) -> dict[str, dict[str, Any]]:
    """The columns as the `datasets` library describes them in the metadata; {} without it."""
    try:
        features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
        return {name: one for name, one in features.items() if isinstance(one, dict)}
    except (AttributeError, KeyError, TypeError, ValueError):
        return {}


def _label_names(file: Path, features: dict[str, dict[str, Any]], column: str) -> list[str] | None:
    """Class names by number: from the metadata, or from a names.json beside the file."""
    try:
        return [str(name) for name in features[column]["names"]]
    except (KeyError, TypeError):
        is_label = Column(column, 0).has_name((*LABEL_NAMES, *INDEX_NAMES))
        return read_names(file.parent / "names.json") if is_label else None


def _text(value: object, names: Sequence[str] | None) -> str:
    """A cell as text; a class number becomes its name."""
    if isinstance(value, list):
        value = value[0] if len(value) == 1 else json.dumps(value)
    if isinstance(value, int) and not isinstance(value, bool) and names is not None:
        # -1 marks a test split whose labels are secret.
        value = names[value] if 0 <= value < len(names) else "" if value == -1 else value
    return text_of(value)
