"""Photos listed in a table: CSV, TSV, JSON or JSON Lines with a path and a label in each row."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path

from eyespot.data.column import Column, sample_of
from eyespot.data.columns import NO_COLUMNS, ChosenColumns, ColumnNames, choose_columns
from eyespot.data.csv_tables import rows_of_csv
from eyespot.data.finding import Finding
from eyespot.data.json_tables import rows_of_json
from eyespot.data.photos import Dataset, FileSource, Photo, Skipped, Source, printable
from eyespot.data.places import Places, beside
from eyespot.data.row_facts import RowFacts, cell_of, doubtful_labels, facts_of
from eyespot.data.text import read_text
from eyespot.errors import DatasetError
from eyespot.shown import counted

ENDINGS = (".csv", ".tsv", ".tab", ".txt", ".json", ".jsonl", ".ndjson", ".manifest")
JSON_ENDINGS = ENDINGS[4:]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells as text, each with its number in the file. `header`: the column names, or None
    without a header."""

    name: str
    header: tuple[str, ...] | None
    rows: Sequence[tuple[int, Sequence[str]]]

    def columns(self) -> list[Column]:
        """Each column with the cells of the sampled rows."""
        sample = [self.rows[index][1] for index in sample_of(len(self.rows))]
        names = self.header or ()
        width = max(map(len, [*sample, names]), default=0)
        return [
            Column(
                names[index] if index < len(names) else "",
                index,
                tuple(cell_of(row, index) for row in sample),
            )
            for index in range(width)
        ]


def read_table(file: Path, wanted: ColumnNames = NO_COLUMNS) -> Dataset:
    """The photos that a CSV, TSV, JSON or JSON Lines file lists, with labels and perhaps splits and
    groups.

    Separator, header and columns are recognized and reported in a finding; `wanted` names columns.
    Paths are relative to the table's folder. Rows that cannot be used are skipped with a reason.
    Raises DatasetError for an ambiguous table or if none of its photos exists, and UsageError if
    it has no column that `wanted` names.
    """
    folder = file.parent
    table = parse(file.name, read_text(file))
    return photos_of(table, wanted, beside(folder), lambda path: FileSource(folder / path))


def parse(name: str, text: str) -> Table:
    """The table in the text of a file called `name`. Raises DatasetError."""
    read = rows_of_json if Path(name).suffix.lower() in JSON_ENDINGS else rows_of_csv
    return Table(name, *read(name, text))


def photos_of(
    table: Table, wanted: ColumnNames, places: Places, source: Callable[[str], Source]
) -> Dataset:
    """The photos of a table whose files are in `places`; `source` opens the photo of a path."""
    name, columns = printable(table.name), table.columns()
    if len(columns) < 2:
        first = ", ".join(table.header or (table.rows[0][1] if table.rows else ()))
        found = f"{printable(first)!r} in its first line" if first else "nothing"
        raise DatasetError(
            f"Expected the columns path and label in {name}, found {found}. Write one line per "
            "photo, as: photos/1.jpg,cat"
        )
    if not table.rows:
        raise DatasetError(f"{name} has a header, but no row with a photo.")
    chosen = choose_columns(table.name, columns, wanted)
    rows, skipped = _Rows(table, chosen, places).read()
    if not rows:
        first = f" The first, {skipped[0].path}: {skipped[0].reason}." if skipped else ""
        raise DatasetError(
            f"None of the {len(table.rows):,} photos listed in {name} can be used.{first} Paths "
            f"are relative to {places.root}."
        )
    photos = [
        Photo(row.name, source(row.path), row.facts.label, row.facts.split, row.facts.group)
        for row in rows
    ]
    findings = [*chosen.findings, *doubtful_labels(table.name, [p.label or "" for p in photos])]
    return Dataset(tuple(photos), tuple(skipped), (*findings, *_guessed_paths(rows)))


@dataclass(frozen=True, slots=True)
class _Row:
    """`name`: the path as the table has it. `path`: of the photo. `guessed`: found by the end of
    its path."""

    name: str
    path: str
    facts: RowFacts
    guessed: bool


class _Rows:
    """Turns the rows of a table into photos."""

    def __init__(self, table: Table, chosen: ChosenColumns, places: Places) -> None:
        self.table, self.chosen, self.places = table, chosen, places
        self._labels: dict[str, str] = {}

    def read(self) -> tuple[list[_Row], list[Skipped]]:
        """The rows that can be used, and those that cannot."""
        rows: list[_Row] = []
        skipped: list[Skipped] = []
        for number, cells in self.table.rows:
            path = cell_of(cells, self.chosen.photo.index)
            name = printable(path) or f"{printable(self.table.name)} row {number}"
            try:
                rows.append(self._row(number, cells, path, name))
            except ValueError as error:
                skipped.append(Skipped(name, str(error)))
        times = Counter(row.path for row in rows)
        # A guess must not give two rows the same photo.
        clashing = [row.guessed and times[row.path] > 1 for row in rows]
        skipped += [
            Skipped(row.name, f"{_absent(row.name)}; {times[row.path]} rows end as {row.path}")
            for row in compress(rows, clashing)
        ]
        return [row for row, clashes in zip(rows, clashing, strict=True) if not clashes], skipped

    def _row(self, number: int, cells: Sequence[str], path: str, name: str) -> _Row:
        """Raises ValueError with the reason if the row must be skipped."""
        if not path:
            raise ValueError(f"has no path (row {number} of the table)")
        facts = facts_of(self.chosen, cells, f"Row {number} of {printable(self.table.name)}")
        if name in self._labels:
            same = self._labels[name] == facts.label
            other = "" if same else f", with the label {facts.label!r}"
            raise ValueError(f"is listed again in row {number}{other}")
        self._labels[name] = facts.label
        file = self.places.exact(path)
        found = file or self.places.likely(path)
        if found is None:
            raise ValueError(_absent(name))
        return _Row(name, found, facts, file is None)


def _absent(path: str) -> str:
    address = re.match(r"[a-z][a-z0-9+]*://", path)
    return "is a web address: download it first" if address else "there is no such file"


def _guessed_paths(rows: Sequence[_Row]) -> list[Finding]:
    guessed = [row for row in rows if row.guessed]
    return [
        Finding(
            "paths",
            "note",
            f"{counted(len(guessed), 'photo')} found by the end of the path, as {first.name} at "
            f"{printable(first.path)}.",
            "Write paths relative to the table's folder to be sure.",
        )
        for first in guessed[:1]
    ]
