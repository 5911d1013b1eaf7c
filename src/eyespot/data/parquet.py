"""Images inside Parquet files. They stay in the file until they are read, a row group at a time."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from eyespot.data.photos import FileSource, printable
from eyespot.errors import DatasetError, PhotoError
from eyespot.files import expect_file
from eyespot.forking import lock_for_forks

IMAGE_NAMES = "image img picture photo jpg png bytes".split()  # noqa: SIM905
"""Usual names of the image column, in order of preference."""
TYPE_CHARACTERS = 60
"""Characters of a column's type in a message."""
ABOUT = b"eyespot"
"""Metadata key of the files that embed writes: a JSON object that names the network."""


@dataclass(frozen=True, slots=True)
class ParquetSource:
    """An image in a Parquet file. `changed`: modification time of the file in ns, for caching."""

    path: Path
    changed: int
    column: str
    row_group: int
    row: int

    def read(self) -> bytes:
        try:
            with _ONE_READER:  # threads that need the same row group share one read
                images = _row_group(self.path, self.changed, self.column, self.row_group)
            cell = images[self.row].as_py()
        except Exception as error:  # pyarrow raises many kinds
            raise PhotoError(f"the row cannot be read: {first_line(error)}") from error
        if isinstance(cell, dict):
            content, name = cell.get("bytes"), cell.get("path")
            if content is None and name:
                return FileSource(self.path.parent / str(name)).read()
            cell = content
        if not isinstance(cell, bytes):
            raise PhotoError("the row holds no image")
        return cell


_ONE_READER = lock_for_forks()


@lru_cache(maxsize=2)  # photos are read about in order
def _row_group(path: Path, changed: int, column: str, number: int) -> Any:
    with open_parquet(path) as file:
        return file.read_row_group(number, columns=[column], use_threads=False)[column]


def open_parquet(path: Path) -> Any:
    """A pyarrow ParquetFile. Raises OSError, and ArrowException as pyarrow does."""
    import pyarrow.parquet as pq

    expect_file(path)
    return pq.ParquetFile(path)


def rows_of_groups(file: Any) -> list[int]:
    """How many rows each row group has."""
    facts = file.metadata
    return [facts.row_group(number).num_rows for number in range(facts.num_row_groups)]


def image_column(path: Path) -> tuple[str, list[int]]:
    """The name of the image column, and how many rows each row group has.

    Raises DatasetError if the file cannot be read or has no such column.
    """
    import pyarrow as pa

    try:
        with open_parquet(path) as file:
            schema, groups = file.schema_arrow, rows_of_groups(file)
            columns = image_columns(schema)
            content = described(schema)
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise DatasetError(f"it is not a Parquet file: {first_line(error)}") from error
    if not columns:
        raise DatasetError(f"it has no image column; {content}")
    lower = {column.lower(): column for column in reversed(columns)}
    return next((lower[name] for name in IMAGE_NAMES if name in lower), columns[0]), groups


def image_columns(schema: Any) -> list[str]:
    """The columns of bytes, or of structs with bytes; none in a file that embed wrote, whose
    thumbnails are not photos."""
    import pyarrow.types as is_type

    def holds_bytes(kind: Any) -> bool:
        if is_type.is_struct(kind):
            return any(kind.field(i).name == "bytes" for i in range(kind.num_fields))
        return bool(is_type.is_binary(kind) or is_type.is_large_binary(kind))

    if holds_features(schema):
        return []
    return [field.name for field in schema if holds_bytes(field.type)]


def holds_features(schema: Any) -> bool:
    """Whether embed wrote the file."""
    return ABOUT in (schema.metadata or {})


def described(schema: Any) -> str:
    """The columns of a file, for messages."""
    if holds_features(schema):
        return "it holds features that embed wrote, not photos"
    columns = [
        f"{printable(field.name)} ({printable(str(field.type))[:TYPE_CHARACTERS]})"
        for field in schema
    ]
    return f"its columns are {', '.join(columns) or 'none'}"


def first_line(error: Exception) -> str:
    """The first line of an error, without a full stop."""
    return str(error).strip().split("\n", 1)[0].rstrip(".") or type(error).__name__
