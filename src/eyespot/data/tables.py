"""Photos listed in a table: CSV, TSV, JSON or JSON lines with a path and a label in each row."""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from eyespot.data.column_names import LABEL_NAMES, PATH_NAMES, YES
from eyespot.data.columns import (
    NO_COLUMNS,
    Chosen,
    Column,
    ColumnNames,
    choose_columns,
    is_path,
    spread,
)
from eyespot.data.finding import Finding
from eyespot.data.formats import EXTENSIONS
from eyespot.data.json_tables import rows_of_json
from eyespot.data.photos import Dataset, FileSource, Photo, Skipped, Source, label_of, printable
from eyespot.data.places import Places, beside
from eyespot.data.text import read_text
from eyespot.errors import DatasetError
from eyespot.shown import sentence

ENDINGS = (".csv", ".tsv", ".tab", ".txt", ".json", ".jsonl", ".ndjson", ".manifest")
JSON_ENDINGS = ENDINGS[4:]
SEPARATORS = ",;\t|"
LOOKED_AT_CHARACTERS = 100_000
"""Characters that are looked at to guess the separator; quoted cells may span lines."""
MISSING = frozenset({"", "nan", "<na>", "#n/a", "null", "nat"})
"""Labels, in small letters, that stand for none: what programs write for a missing value."""
DOUBTFUL = frozenset({"na", "n/a", "none", "undefined", "unknown"})
"""Labels, in small letters, that may be classes or stand for none."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells as text, with each row's number in the file. `header`: the columns' names;
    None if the file has none."""

    name: str
    header: tuple[str, ...] | None
    rows: Sequence[tuple[int, Sequence[str]]]

    def columns(self) -> list[Column]:
        """Each column with the cells of the rows that are looked at."""
        sample = [self.rows[index][1] for index in spread(len(self.rows))]
        width = max(map(len, [*sample, self.header or ()]), default=0)
        names = self.header or ()
        return [
            Column(
                names[place] if place < len(names) else "",
                place,
                tuple(_cell(row, place) for row in sample),
            )
            for place in range(width)
        ]


def read_table(file: Path, wanted: ColumnNames = NO_COLUMNS) -> Dataset:
    """The photos that a CSV, TSV, JSON or JSON lines file lists, with their labels and perhaps
    splits and groups.

    Separator, header and columns are recognised, and told in a finding; `wanted` names columns.
    Paths are relative to the table's folder. Rows that cannot be used are skipped, with the reason.
    Raises DatasetError if the table cannot be understood, or none of its photos exists, and
    UsageError if it has no column that `wanted` names.
    """
    folder = file.parent
    table = parse(file.name, read_text(file))
    return photos_of(table, wanted, beside(folder), lambda path: FileSource(folder / path))


def parse(name: str, text: str) -> Table:
    """The rows of a table from the text of a file called `name`. Raises DatasetError."""
    ending = Path(name).suffix.lower()
    if ending in JSON_ENDINGS:
        header, rows = rows_of_json(name, text)
        return Table(name, header, rows)
    lines = _split(name, text)
    header_row = _header(lines)
    numbered = list(enumerate(lines, start=1))
    return Table(name, header_row, numbered[1:] if header_row is not None else numbered)


def photos_of(
    table: Table, wanted: ColumnNames, places: Places, source: Callable[[str], Source]
) -> Dataset:
    """The photos of a table whose files are found in `places`, each of them opened by `source`."""
    columns = table.columns()
    if len(columns) < 2:
        first = ", ".join(table.header or (table.rows[0][1] if table.rows else ()))
        raise DatasetError(
            f"Expected the columns path and label in {printable(table.name)}, found "
            + (f"{printable(first)!r} in its first line." if first else "nothing.")
            + " Write one line per photo, as: photos/1.jpg,cat"
        )
    if not table.rows:
        raise DatasetError(f"{printable(table.name)} has a header, but no row with a photo.")
    chosen = choose_columns(table.name, columns, wanted)
    read = _Rows(table, chosen, places)
    photos = [
        Photo(row.name, source(row.path), row.label, row.split, row.group) for row in read.found
    ]
    if not photos:
        skipped = read.skipped
        first = f" The first, {skipped[0].path}: {skipped[0].reason}." if skipped else ""
        raise DatasetError(
            f"None of the {len(table.rows)} photos listed in {printable(table.name)} can be "
            f"used.{first} Paths are relative to {places.root}."
        )
    return Dataset(tuple(photos), tuple(read.skipped), (*chosen.findings, *read.findings()))


@dataclass(frozen=True, slots=True)
class _Row:
    """What a row says, and the path of its photo. `guessed`: found by the end of its path."""

    name: str
    path: str
    label: str
    split: str | None
    group: str | None
    guessed: bool


class _Rows:
    """Rows turned into photos; what cannot be used is in `skipped`."""

    def __init__(self, table: Table, chosen: Chosen, places: Places) -> None:
        self.table, self.chosen, self.places = table, chosen, places
        self._labels: dict[str, str] = {}
        read = [self._row(number, cells) for number, cells in table.rows]
        rows = [row for row in read if isinstance(row, _Row)]
        self.skipped = [row for row in read if isinstance(row, Skipped)]
        # A guess must not give two rows the same photo.
        times = Counter(row.path for row in rows)
        self.found = [row for row in rows if not (row.guessed and times[row.path] > 1)]
        self.skipped += [
            Skipped(row.name, f"{_absent(row.name)}; {times[row.path]} rows end as {row.path}")
            for row in rows
            if row.guessed and times[row.path] > 1
        ]

    def _row(self, number: int, cells: Sequence[str]) -> _Row | Skipped:
        chosen = self.chosen
        path = _cell(cells, chosen.photo.place)
        label = label_in(chosen, cells, f"Row {number} of {printable(self.table.name)}")
        name = printable(path) or f"{printable(self.table.name)} row {number}"
        if not path or not label:
            missing = "label" if path else "path"
            return Skipped(name, f"has no {missing} (row {number} of the table)")
        if name in self._labels:
            again = "" if self._labels[name] == label else f", with the label {label!r}"
            return Skipped(name, f"is listed again in row {number}{again}")
        self._labels[name] = label
        file = self.places.exact(path)
        found = file or self.places.likely(path)
        if found is None:
            return Skipped(name, _absent(name))
        try:
            split = chosen.split_of(_cell(cells, chosen.split.place)) if chosen.split else None
        except ValueError as error:
            return Skipped(name, f"has the split {str(error)!r}; expected train, val or test")
        group = _cell(cells, chosen.group.place) if chosen.group else ""
        return _Row(name, found, label, split, group or None, file is None)

    def findings(self) -> list[Finding]:
        """What was guessed of the rows, and labels that may be none."""
        found = doubtful_labels(self.table.name, [row.label for row in self.found])
        guessed = [row for row in self.found if row.guessed]
        if guessed:
            first = guessed[0]
            found.append(
                Finding(
                    "paths",
                    "note",
                    f"{len(guessed)} photos were found by the end of their paths, as {first.name} "
                    f"at {printable(first.path)}.",
                    "Write paths relative to the table's folder to be sure.",
                )
            )
        return found


def _absent(path: str) -> str:
    address = re.match(r"[a-z][a-z0-9+]*://", path)
    return "is a web address: download it first" if address else "there is no such file"


def label_in(chosen: Chosen, cells: Sequence[str], row: str) -> str:
    """The label of a row, empty if it has none. `row`: what a message calls it.

    Raises DatasetError if the row has several.
    """
    if not chosen.one_hot:
        label = _cell(cells, chosen.labels[0].place)
        several = re.fullmatch(r"\s*(?:\{.*\"choices\"\s*:\s*)?\[(.*,.*)\]\}?\s*", label)
        if several:
            raise _several_labels(row, label)
        return "" if label.casefold() in MISSING else label_of(label)
    ones = [c for c in chosen.labels if _cell(cells, c.place).casefold() in YES]
    if len(ones) > 1:
        raise _several_labels(row, ", ".join(column.shown for column in ones))
    return label_of(ones[0].name.strip()) if ones else ""


def _several_labels(row: str, labels: str) -> DatasetError:
    return DatasetError(
        f"{row} has several labels ({printable(labels)[:100]}). A photo has one label; several "
        "labels a photo cannot be taught yet. Choose one column with --label-column, or leave one "
        "label in each row."
    )


def doubtful_labels(table: str, labels: Sequence[str]) -> list[Finding]:
    """A warning for classes whose names may stand for a missing label."""
    return [
        Finding(
            "labels",
            "warning",
            f"{count} photos of {printable(table)} have the label {label!r}, which was taken as a "
            "class.",
            "If it stands for a missing label, leave the cell empty.",
        )
        for label, count in Counter(labels).items()
        if label.casefold() in DOUBTFUL
    ]


def _split(name: str, text: str) -> list[list[str]]:
    """Rows of cells, by the separator that divides the lines most evenly."""
    try:
        if Path(name).suffix.lower() in (".tsv", ".tab"):
            return _rows(text, "\t")
        start = text[:LOOKED_AT_CHARACTERS]
        separator = max(SEPARATORS, key=lambda separator: _evenness(start, separator))
        rows = _rows(text, separator)
    except csv.Error as error:
        raise DatasetError(
            f"{printable(name)} is not a table of path and label: {sentence(error)}"
        ) from error
    if all(len(row) == 1 for row in rows):  # lists of networks' authors: photos/1.jpg 7
        endings = "|".join(re.escape(ending) for ending in EXTENSIONS)
        pairs = [re.fullmatch(rf"(.*(?:{endings}))\s+(\S.*)", row[0], re.I) for row in rows]
        if pairs and all(pairs):
            return [list(pair.groups()) for pair in pairs if pair]
    return rows


def _rows(text: str, separator: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    stripped = ([cell.strip() for cell in row] for row in reader)
    return [row for row in stripped if any(row)]


def _evenness(text: str, separator: str) -> tuple[float, int]:
    """How many lines have as many cells as most lines have, and how many cells these are."""
    try:
        widths = Counter(map(len, _rows(text, separator)))
    except csv.Error:
        return 0.0, 0
    width, count = max(widths.items(), key=lambda item: item[1], default=(1, 0))
    return (count / widths.total(), width) if width > 1 else (0.0, 0)


def _header(rows: Sequence[Sequence[str]]) -> tuple[str, ...] | None:
    """The first row, if it holds names: no path of a picture where rows have one, or a name that
    tables use."""
    if not rows or any(map(is_path, rows[0])):
        return None
    known = {Column(cell, 0, ()).key for cell in rows[0]} & {*PATH_NAMES, *LABEL_NAMES}
    paths = any(is_path(cell) for row in rows[1:200] for cell in row)
    return tuple(rows[0]) if known or paths else None


def _cell(row: Sequence[str], place: int) -> str:
    return row[place].strip() if place < len(row) else ""
