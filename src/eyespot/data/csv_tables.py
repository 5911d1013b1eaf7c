"""Tables as text with separators: CSV, TSV and the like."""

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from eyespot.data.column import Column, is_path
from eyespot.data.column_names import LABEL_NAMES, PATH_NAMES
from eyespot.data.formats import EXTENSIONS
from eyespot.data.photos import printable
from eyespot.errors import DatasetError
from eyespot.shown import sentence

SEPARATORS = ",;\t|"
SAMPLE_CHARACTERS = 100_000
"""The start of a text that decides its separator; quoted cells may span lines."""
_IMAGE_ENDINGS = "|".join(map(re.escape, EXTENSIONS))
_PATH_AND_LABEL = re.compile(rf"(.*(?:{_IMAGE_ENDINGS}))\s+(\S.*)", re.IGNORECASE)


def rows_of_csv(
    name: str, text: str
) -> tuple[tuple[str, ...] | None, list[tuple[int, Sequence[str]]]]:
    """Column names, or None without a header, and numbered rows of cells. Raises DatasetError."""
    try:
        rows = _split(name, text)
    except csv.Error as error:
        raise DatasetError(
            f"{printable(name)} is not a table of path and label: {sentence(error)}"
        ) from error
    numbered: list[tuple[int, Sequence[str]]] = list(enumerate(rows, start=1))
    header = _header(rows)
    return header, numbered[1:] if header is not None else numbered


def _split(name: str, text: str) -> list[list[str]]:
    """Rows of cells, by the separator that divides the lines most evenly. Raises csv.Error."""
    if Path(name).suffix.lower() in (".tsv", ".tab"):
        return _rows(text, "\t")
    start = text[:SAMPLE_CHARACTERS]
    rows = _rows(text, max(SEPARATORS, key=lambda separator: _evenness(start, separator)))
    if rows and all(len(row) == 1 for row in rows):  # Caffe lists: photos/1.jpg 7
        pairs = [_PATH_AND_LABEL.fullmatch(row[0]) for row in rows]
        if all(pairs):
            return [list(pair.groups()) for pair in pairs if pair]
    return rows


def _rows(text: str, separator: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    stripped = ([cell.strip() for cell in row] for row in reader)
    return [row for row in stripped if any(row)]


def _evenness(text: str, separator: str) -> tuple[float, int]:
    """The share of lines with the most frequent number of cells, and that number."""
    try:
        widths = Counter(map(len, _rows(text, separator)))
    except csv.Error:
        return 0.0, 0
    width, count = max(widths.items(), key=lambda item: item[1], default=(1, 0))
    return (count / widths.total(), width) if width > 1 else (0.0, 0)


def _header(rows: Sequence[Sequence[str]]) -> tuple[str, ...] | None:
    """The first row if it holds names: a name that tables use, or no path where others have one."""
    if not rows or any(map(is_path, rows[0])):
        return None
    known = {Column(cell, 0).key for cell in rows[0]} & {*PATH_NAMES, *LABEL_NAMES}
    paths = any(is_path(cell) for row in rows[1:200] for cell in row)
    return tuple(rows[0]) if known or paths else None
