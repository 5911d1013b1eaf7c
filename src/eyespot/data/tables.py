"""Photos listed in a table of text: CSV or TSV of path and label."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eyespot.data.formats import EXTENSIONS
from eyespot.data.photos import Dataset, FileSource, Photo, Skipped, label_of, printable
from eyespot.data.split_names import split_named
from eyespot.data.text import find_file, read_text
from eyespot.errors import DatasetError

PATH_NAMES = (
    *("path", "file", "filename", "file_name", "filepath", "image", "image_path", "img", "photo"),
    *("picture", "name", "id", "image_id"),
)
LABEL_NAMES = (
    *("label", "class", "category", "target", "y", "labels", "class_name", "label_name"),
    *("species", "breed", "wnid", "fine_label", "class_index"),
)
SPLIT_NAMES = ("split", "subset", "partition")
LOOKED_AT = 200
"""Rows that are looked at to guess what the columns are."""
LOOKED_AT_CHARACTERS = 100_000
"""Characters that are looked at to guess the separator; quoted cells may span lines."""


def read_csv(table: Path) -> Dataset:
    """A CSV or TSV with the columns path and label (and perhaps split and group).

    The separator (comma, semicolon, tab) and whether there is a header are guessed. Paths are
    relative to the table's folder. Rows that cannot be used are skipped, with the reason.
    Raises DatasetError if the table cannot be understood, or none of its photos exists.
    """
    text = read_text(table)
    rows = _read_rows(table, text)
    columns = _guess_columns(rows)
    if columns is None:
        raise DatasetError(
            f"Expected the columns path and label in {printable(table)}, found "
            + (f"{', '.join(rows[0])!r} in its first line." if rows else "nothing.")
            + " Write one line per photo, as: photos/1.jpg,cat"
        )
    photos: list[Photo] = []
    skipped: list[Skipped] = []
    labels: dict[str, str] = {}
    for number, row in enumerate(rows, start=1):
        if number == 1 and columns.header:
            continue
        path, label = _cell(row, columns.path), label_of(_cell(row, columns.label))
        if not path or not label:
            missing = "label" if path else "path"
            name = printable(path) or f"{table.name} row {number}"
            skipped.append(Skipped(name, f"has no {missing} (row {number} of the table)"))
            continue
        name = printable(path)
        if name in labels:
            again = "" if labels[name] == label else f", with the label {label!r}"
            skipped.append(Skipped(name, f"is listed again in row {number}{again}"))
            continue
        labels[name] = label
        found = find_file(table.parent, path)
        if found is None:
            address = path.startswith(("http://", "https://"))
            reason = "is a web address: download it first" if address else "there is no such file"
            skipped.append(Skipped(name, reason))
            continue
        named = _cell(row, columns.split)
        split = split_named(named)
        if named and split is None:
            reason = f"has the split {named!r}; expected train, val or test"
            skipped.append(Skipped(name, reason))
            continue
        photos.append(
            Photo(name, FileSource(found), label, split, _cell(row, columns.group) or None)
        )
    if not photos:
        first = f" The first, {skipped[0].path}: {skipped[0].reason}." if skipped else ""
        raise DatasetError(
            f"None of the {len(skipped)} photos listed in {printable(table)} can be used.{first} "
            f"Paths are relative to {printable(table.parent)}."
        )
    return Dataset(tuple(photos), tuple(skipped))


def _read_rows(table: Path, text: str) -> list[list[str]]:
    if table.suffix.lower() in (".tsv", ".tab"):
        delimiter = "\t"
    else:
        bare = re.sub(r'"[^"]*"', "", text[:LOOKED_AT_CHARACTERS])
        first = bare.lstrip(" \r\n").split("\n", 1)[0]
        delimiter = max(",;\t", key=first.count)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        return [row for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise DatasetError(
            f"{printable(table)} is not a table of path and label: {error}."
        ) from error


@dataclass(frozen=True, slots=True)
class _Columns:
    """Which column is what. `header`: the first row holds names, no photo."""

    header: bool
    path: int
    label: int
    split: int | None
    group: int | None


def _guess_columns(rows: Sequence[Sequence[str]]) -> _Columns | None:
    """By what looks like paths of pictures, and by the names in the first row."""
    width = max(map(len, rows[:LOOKED_AT]), default=0)
    if width < 2:
        return None
    paths = [sum(_is_path(_cell(row, i)) for row in rows[:LOOKED_AT]) for i in range(width)]
    first = [cell.strip().lower() for cell in rows[0]]
    known = any(name in (*PATH_NAMES, *LABEL_NAMES) for name in first)
    header = not any(map(_is_path, first)) and (known or max(paths) > 0)
    names = first if header else []
    likely = [i for i in range(width) if paths[i] == max(paths)]
    path = _named(names, PATH_NAMES, likely)
    path = likely[0] if path is None else path
    others = [i for i in range(width) if i != path]
    split = _named(names, SPLIT_NAMES, others)
    group = _named(names, ("group",), others)
    others = [i for i in others if i not in (split, group)]
    label = _named(names, LABEL_NAMES, others)
    if label is None:
        if not others:
            return None
        label = others[0]
    return _Columns(header, path, label, split, group)


def _is_path(cell: str) -> bool:
    return cell.strip().lower().endswith(tuple(EXTENSIONS))


def _named(header: Sequence[str], names: Sequence[str], among: Sequence[int]) -> int | None:
    """The first of `names` that is in the header, among some columns."""
    for name in names:
        for index in among:
            if index < len(header) and header[index] == name:
                return index
    return None


def _cell(row: Sequence[str], index: int | None) -> str:
    return row[index].strip() if index is not None and index < len(row) else ""
