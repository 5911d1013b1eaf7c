"""Photos inside Parquet files, as data sets on the Hugging Face hub and cifar10 keep them.

Pictures stay in the file until they are asked for; a row group or two are in memory at a time.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from eyespot.data.column_names import INDEX_NAMES, LABEL_NAMES
from eyespot.data.columns import NO_COLUMNS, Column, ColumnNames, choose_columns, is_path, text_of
from eyespot.data.folders import list_folder
from eyespot.data.photos import Dataset, FileSource, Photo, Skipped, natural, printable
from eyespot.data.places import beside
from eyespot.data.split_names import splits_of_files
from eyespot.data.tables import Table, doubtful_labels, label_in, photos_of
from eyespot.errors import DatasetError, PhotoError
from eyespot.files import expect_file, is_file, read_file
from eyespot.forking import lock_for_forks
from eyespot.limits import MAX_NAMES_BYTES

PICTURE_NAMES = ("image", "img", "picture", "photo", "jpg", "png", "bytes")

TYPE = 60
"""Characters of a column's type that a message shows."""
ABOUT = b"eyespot"
"""Key of the metadata of what embed writes: a JSON object that says of which network its features
are."""


@dataclass(frozen=True, slots=True)
class ParquetSource:
    """A picture in a row of a row group of a Parquet file. `changed`: when the file was, in ns."""

    path: Path
    changed: int
    column: str
    row_group: int
    row: int

    def read(self) -> bytes:
        try:
            with _ONE_READER:  # two threads that need the same row group should read it once
                pictures = _row_group(self.path, self.changed, self.column, self.row_group)
            cell = pictures[self.row].as_py()
        except Exception as error:  # pyarrow raises many kinds
            raise PhotoError(f"the row cannot be read: {_first_line(error)}") from error
        if isinstance(cell, dict):
            content, name = cell.get("bytes"), cell.get("path")
            if content is None and name:
                return FileSource(self.path.parent / str(name)).read()
            cell = content
        if not isinstance(cell, bytes):
            raise PhotoError("the row holds no picture")
        return cell


_ONE_READER = lock_for_forks()


@lru_cache(maxsize=2)
def _row_group(path: Path, changed: int, column: str, number: int) -> Any:
    """One row group's pictures; photos are asked for about in order, so few are needed at once."""
    import pyarrow.parquet as pq

    expect_file(path)
    with pq.ParquetFile(path) as file:
        return file.read_row_group(number, columns=[column], use_threads=False)[column]


def read_parquet(path: Path, wanted: ColumnNames = NO_COLUMNS) -> Dataset:
    """A Parquet file, or a folder of them named after their splits (train-00000-of-00002.parquet),
    with a picture column (bytes, or a struct of bytes and path) or one of paths, and a label
    column; split and group columns count as in other tables.

    Numbers become names if the file's metadata or a names.json beside it says how.
    Raises DatasetError if there are no such columns, or no picture, and UsageError if there is no
    column that `wanted` names.
    """
    files = [path]
    if path.is_dir():
        files = [p for p in list_folder(path) if p.suffix.lower() == ".parquet" and is_file(p)]
    splits, findings = splits_of_files([file.stem for file in files])
    # What a column holds is seen only over all files: one alone may be that of a single class.
    pooled: dict[tuple[str, ...], list[_File]] = {}
    for file, split in zip(files, splits, strict=True):
        opened = _open(file, split)
        pooled.setdefault(tuple(opened.schema.names), []).append(opened)
    read = [_read_alike(path, alike, wanted) for alike in pooled.values()]
    photos = tuple(photo for dataset in read for photo in dataset.photos)
    if not photos:
        raise DatasetError(f"Expected pictures with labels in {printable(path)}, found none.")
    return Dataset(
        photos,
        tuple(skipped for dataset in read for skipped in dataset.skipped),
        tuple(dict.fromkeys([*findings, *(f for dataset in read for f in dataset.findings)])),
    )


@dataclass(frozen=True)
class _File:
    """A Parquet file: when it changed, its schema, its split by its name, the rows of each row
    group, and as text all columns that hold no pictures."""

    path: Path
    changed: int
    schema: Any
    split: str | None
    groups: tuple[int, ...]
    cells: dict[str, list[str]]


def _open(file: Path, split: str | None) -> _File:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        changed = expect_file(file).st_mtime_ns
        with pq.ParquetFile(file) as table:
            schema, facts = table.schema_arrow, table.metadata
            groups = tuple(facts.row_group(n).num_rows for n in range(facts.num_row_groups))
            plain = [field.name for field in schema if _is_plain(field.type)]
            columns = table.read(columns=plain)
            names = {name: _label_names(file, schema.metadata or {}, name) for name in plain}
            cells = {
                name: [_text(value, names[name]) for value in columns[name].to_pylist()]
                for name in plain
            }
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise DatasetError(
            f"{printable(file)} is not a Parquet file that can be read: {_first_line(error)}."
        ) from error
    return _File(file, changed, schema, split, groups, cells)


def _is_plain(kind: Any) -> bool:
    """Whether a column holds text, numbers, truth values, dates or lists of text."""
    import pyarrow.types as is_type

    if is_type.is_dictionary(kind):
        kind = kind.value_type
    if is_type.is_list(kind) or is_type.is_large_list(kind):
        kind = kind.value_type
        return bool(is_type.is_string(kind) or is_type.is_integer(kind))
    return bool(
        is_type.is_integer(kind)
        or is_type.is_floating(kind)
        or is_type.is_string(kind)
        or is_type.is_large_string(kind)
        or is_type.is_boolean(kind)
        or is_type.is_temporal(kind)
    )


def _read_alike(path: Path, files: Sequence[_File], wanted: ColumnNames) -> Dataset:
    """The photos of files with the same columns."""
    schema, header = files[0].schema, tuple(files[0].cells)
    pictures = [Column(n, len(header) + i, ()) for i, n in enumerate(_picture_columns(schema))]
    rows = [
        row for file in files for row in zip(*(file.cells[name] for name in header), strict=True)
    ]
    if not any(map(sum, (file.groups for file in files))) and pictures and header:
        return Dataset(())
    table = Table(path.name, header, list(enumerate(rows, start=1)))
    declared = _declared_labels(schema.metadata or {})
    columns = [replace(column, known=column.name in declared) for column in table.columns()]
    if ABOUT in (schema.metadata or {}):
        raise DatasetError(f"Expected photos with labels in {printable(path)}; {_held(schema)}.")
    if not pictures and any(is_path(cell) for column in columns for cell in column.cells[:100]):
        folder = path if path.is_dir() else path.parent
        return photos_of(table, wanted, beside(folder), lambda name: FileSource(folder / name))
    if not pictures or not columns:
        raise DatasetError(
            "Expected a column of pictures (bytes, a struct of bytes and path, or paths) and one "
            f"of labels (whole numbers or text) in {printable(path)}; {_held(schema)}."
        )
    chosen = choose_columns(path.name, columns, wanted, inside=pictures)
    photos: list[Photo] = []
    skipped: list[Skipped] = []
    for file in files:
        for number, (group, row) in enumerate(
            (group, row) for group, count in enumerate(file.groups) for row in range(count)
        ):
            cells = [file.cells[name][number] for name in header]
            where = f"{printable(file.path.name)} row group {group}, row {row}"
            label = label_in(chosen, cells, where)
            if not label:
                skipped.append(Skipped(where, "has no label"))
                continue
            try:
                split = chosen.split_of(cells[chosen.split.place]) if chosen.split else file.split
            except ValueError as error:
                reason = f"has the split {str(error)!r}; expected train, val or test"
                skipped.append(Skipped(where, reason))
                continue
            name = f"{printable(file.path.name)}#{number}"
            source = ParquetSource(file.path, file.changed, chosen.photo.name, group, row)
            together = cells[chosen.group.place] if chosen.group else ""
            photos.append(Photo(name, source, label, split, together or None))
    findings = [*chosen.findings, *doubtful_labels(path.name, [p.label or "" for p in photos])]
    return Dataset(tuple(photos), tuple(skipped), tuple(findings))


def _declared_labels(metadata: dict[bytes, bytes]) -> set[str]:
    """Columns that the `datasets` library wrote as class labels."""
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        return {name for name, of in features.items() if of.get("_type") == "ClassLabel"}
    except (KeyError, TypeError, ValueError, AttributeError):
        return set()


def picture_column(file: Path) -> tuple[str, list[int]]:
    """The name of the column that holds the pictures, and how many rows each row group has.

    Raises DatasetError if the file cannot be read, or there is no such column.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        expect_file(file)
        with pq.ParquetFile(file) as table:
            pictures = _picture_columns(table.schema_arrow)
            held = _held(table.schema_arrow)
            facts = table.metadata
            groups = [facts.row_group(n).num_rows for n in range(facts.num_row_groups)]
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise DatasetError(f"it is not a Parquet file: {_first_line(error)}") from error
    if not pictures:
        raise DatasetError(f"it has no column of pictures; {held}")
    return _preferred(pictures, PICTURE_NAMES), groups


def _held(schema: Any) -> str:
    if ABOUT in (schema.metadata or {}):
        return "it holds features that embed wrote, not photos"
    columns = [f"{printable(field.name)} ({printable(str(field.type))[:TYPE]})" for field in schema]
    return f"its columns are {', '.join(columns) or 'none'}"


def _picture_columns(schema: Any) -> list[str]:
    import pyarrow.types as is_type

    if ABOUT in (schema.metadata or {}):
        return []  # thumbnails are no photos

    def holds_pictures(kind: Any) -> bool:
        if is_type.is_struct(kind):
            return any(kind.field(i).name == "bytes" for i in range(kind.num_fields))
        return bool(is_type.is_binary(kind) or is_type.is_large_binary(kind))

    return [field.name for field in schema if holds_pictures(field.type)]


def _preferred(columns: Sequence[str], names: Sequence[str]) -> str:
    lower = {column.lower(): column for column in reversed(columns)}
    return next((lower[name] for name in names if name in lower), columns[0])


def _text(value: object, names: Sequence[str] | None) -> str:
    """A cell as text; a class's number by its name, if it has one."""
    if isinstance(value, list):
        value = value[0] if len(value) == 1 else json.dumps(value)
    if isinstance(value, int) and not isinstance(value, bool) and names is not None:
        # Named labels of -1 mark a test split whose labels are kept secret.
        value = names[value] if 0 <= value < len(names) else "" if value == -1 else value
    return text_of(value)


def _label_names(file: Path, metadata: dict[bytes, bytes], column: str) -> list[str] | None:
    """Class names by number: as the `datasets` library writes them, or in a names.json."""
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        return [str(name) for name in features[column]["names"]]
    except (KeyError, TypeError, ValueError):
        return read_names(file.parent / "names.json") if _is_label_name(column) else None


def _is_label_name(column: str) -> bool:
    return Column(column, 0, ()).has_name((*LABEL_NAMES, *INDEX_NAMES))


def read_names(file: Path) -> list[str] | None:
    """A JSON list of class names, or an object from number to name; None if it is neither."""
    try:
        names = json.loads(read_file(file, MAX_NAMES_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    if isinstance(names, dict):
        if not names or set(names) != {str(number) for number in range(len(names))}:
            return None
        names = [names[key] for key in sorted(names, key=natural)]
    return [str(name) for name in names] if isinstance(names, list) else None


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0].rstrip(".") or type(error).__name__
