"""Photos listed in tables: CSV and TSV of path and label, and Parquet with pictures inside."""

import csv
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from eyespot.data.folders import SPLITS
from eyespot.data.photos import Dataset, FileSource, Photo, Skipped
from eyespot.errors import DatasetError, MissingExtraError, PhotoError

PATH_NAMES = ("path", "file", "filename", "file_name", "image", "img", "photo", "name")
LABEL_NAMES = ("label", "class", "category", "target", "y", "labels", "wnid", "fine_label")


def read_csv(table: Path) -> Dataset:
    """A CSV or TSV with the columns path and label (and perhaps split), header optional.

    Paths are relative to the table's folder. Raises DatasetError if it cannot be understood.
    """
    try:
        text = table.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{table} cannot be read as UTF-8 text: {error}.") from error
    delimiter = "\t" if table.suffix.lower() in (".tsv", ".tab") else _delimiter(text)
    try:
        rows = [row for row in csv.reader(text.splitlines(), delimiter=delimiter) if any(row)]
    except csv.Error as error:
        raise DatasetError(f"{table} is not a table of path and label: {error}.") from error
    if not rows or len(rows[0]) < 2:
        raise DatasetError(
            f"Expected the columns path and label in {table}, found "
            + (f"{rows[0]!r}." if rows else "nothing.")
        )
    header = [cell.strip().lower() for cell in rows[0]]
    path_column = next((header.index(name) for name in PATH_NAMES if name in header), None)
    label_column = next((header.index(name) for name in LABEL_NAMES if name in header), None)
    split_column = header.index("split") if "split" in header else None
    if path_column is not None and label_column is not None:
        rows = rows[1:]
    else:
        path_column, label_column, split_column = 0, 1, None
    photos, skipped = [], []
    seen: set[str] = set()
    needed = max(path_column, label_column) + 1
    for number, row in enumerate(rows, start=1):
        if len(row) < needed or not row[label_column].strip() or not row[path_column].strip():
            skipped.append(Skipped(f"{table.name} row {number}", "has no path or no label"))
            continue
        name = row[path_column].strip()
        if name in seen:
            skipped.append(Skipped(f"{table.name} row {number}", f"lists {name} again"))
            continue
        seen.add(name)
        split = row[split_column].strip().lower() if split_column is not None else ""
        photos.append(
            Photo(
                name,
                FileSource(table.parent / name),
                row[label_column].strip(),
                SPLITS.get(split),
            )
        )
    if not photos:
        raise DatasetError(f"{table} lists no photo with a label.")
    return Dataset(tuple(photos), tuple(skipped))


def _delimiter(text: str) -> str:
    first = text.split("\n", 1)[0]
    return max(",;\t", key=first.count)


@dataclass(frozen=True, slots=True)
class ParquetSource:
    """A picture in a row of a Parquet file."""

    path: Path
    column: str
    row_group: int
    row: int

    def read(self) -> bytes:
        try:
            cell = _row_group(self.path, self.column, self.row_group)[self.row].as_py()
        except Exception as error:
            raise PhotoError(f"row cannot be read: {error}") from error
        if isinstance(cell, dict):
            content, name = cell.get("bytes"), cell.get("path")
            if content is None and name:
                return FileSource(self.path.parent / name).read()
            cell = content
        if not isinstance(cell, bytes):
            raise PhotoError("the row holds no picture")
        return cell


@lru_cache(maxsize=4)
def _row_group(path: Path, column: str, number: int) -> Any:
    """One row group's pictures; photos are read about in order, so few are needed at once."""
    import pyarrow.parquet as pq

    return pq.ParquetFile(path).read_row_group(number, columns=[column])[column]


def read_parquet(path: Path) -> Dataset:
    """A Parquet file, or a folder of them named after their splits, with a picture column
    (bytes, or a struct of bytes and path) and a label column.

    Numbers become names if the file's metadata or a names.json beside it says how.
    Raises DatasetError if there are no such columns.
    """
    files = [path] if path.is_file() else sorted(path.glob("*.parquet"))
    photos: list[Photo] = []
    for file in files:
        split = None
        if len(files) > 1:
            split = next((s for word, s in SPLITS.items() if word in file.stem.lower()), None)
        photos += _parquet_file(file, split)
    if not photos:
        raise DatasetError(f"{path} holds no picture.")
    return Dataset(tuple(photos))


def _parquet_file(file: Path, split: str | None) -> list[Photo]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingExtraError("Reading Parquet", "parquet") from error
    try:
        table = pq.ParquetFile(file)
    except (OSError, pa.ArrowException) as error:
        raise DatasetError(f"{file} is not a Parquet file that can be read: {error}.") from error
    schema = table.schema_arrow
    pictures = [f.name for f in schema if pa.types.is_struct(f.type) or pa.types.is_binary(f.type)]
    labels = [name for name in schema.names if name.lower() in LABEL_NAMES] or [
        f.name for f in schema if pa.types.is_integer(f.type) or pa.types.is_string(f.type)
    ]
    if not pictures or not labels:
        raise DatasetError(
            f"Expected a column of pictures (bytes, or a struct of bytes and path) and one of "
            f"labels in {file}; its columns are {', '.join(schema.names) or 'none'}."
        )
    names = _label_names(file, schema.metadata or {}, labels[0])
    photos = []
    number = 0
    for group in range(table.num_row_groups):
        column = table.read_row_group(group, columns=[labels[0]])[labels[0]].to_pylist()
        for row, label in enumerate(column):
            known = isinstance(label, int) and names is not None and 0 <= label < len(names)
            text = names[label] if known and names is not None else str(label)
            source = ParquetSource(file, pictures[0], group, row)
            photos.append(Photo(f"{file.name}#{number}", source, text, split))
            number += 1
    return photos


def _label_names(file: Path, metadata: dict[bytes, bytes], column: str) -> list[str] | None:
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        return [str(name) for name in features[column]["names"]]
    except (KeyError, TypeError, ValueError):
        pass
    try:
        names = json.loads((file.parent / "names.json").read_text("utf-8"))
        if isinstance(names, dict):
            names = names.get(column, names.get("names"))
        return [str(name) for name in names]
    except (OSError, TypeError, ValueError):
        return None
