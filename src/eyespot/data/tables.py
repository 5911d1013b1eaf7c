"""Photos listed in a table: CSV, TSV, JSON or JSON Lines with a path and a label in each row."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from eyespot.data.column import Column, sample_of
from eyespot.data.column_names import YES
from eyespot.data.columns import NO_COLUMNS, ChosenColumns, ColumnNames, choose_columns
from eyespot.data.csv_tables import rows_of_csv
from eyespot.data.finding import Finding
from eyespot.data.json_tables import rows_of_json
from eyespot.data.photos import Dataset, FileSource, Photo, Skipped, Source, label_of, printable
from eyespot.data.places import Places, beside
from eyespot.data.split_names import Split
from eyespot.data.text import read_text
from eyespot.errors import DatasetError
from eyespot.shown import counted

ENDINGS = (".csv", ".tsv", ".tab", ".txt", ".json", ".jsonl", ".ndjson", ".manifest")
JSON_ENDINGS = ENDINGS[4:]
MISSING = frozenset({"", "nan", "<na>", "#n/a", "null", "nat"})
"""Labels, in lower case, that programs write for a missing value."""
DOUBTFUL = frozenset({"na", "n/a", "none", "undefined", "unknown"})
"""Labels, in lower case, that may be a class or a missing value."""
_LIST = re.compile(r"\s*(?:\{.*\"choices\"\s*:\s*)?\[(.*,.*)\]\}?\s*")


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
        unnamed = [""] * (width - len(names))
        return [
            Column(name, index, tuple(cell_of(row, index) for row in sample))
            for index, name in enumerate([*names, *unnamed])
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
    rows, skipped = _rows(table, chosen, places, source)
    if not rows:
        first = f" The first, {skipped[0].path}: {skipped[0].reason}." if skipped else ""
        raise DatasetError(
            f"None of the {len(table.rows):,} photos listed in {name} can be used.{first} Paths "
            f"are relative to {places.root}."
        )
    photos = tuple(row.photo for row in rows)
    findings = [*chosen.findings, *doubtful_labels(table.name, photos)]
    if guessed := [row for row in rows if row.guessed]:
        found = f"{counted(len(guessed), 'photo')} found by the end of the path"
        example = f"{guessed[0].photo.name} at {printable(guessed[0].path)}"
        advice = "Write paths relative to the table's folder to be sure."
        findings.append(Finding("paths", "note", f"{found}, as {example}.", advice))
    return Dataset(photos, tuple(skipped), tuple(findings))


@dataclass(frozen=True, slots=True)
class _Row:
    """`path`: of the photo. `guessed`: found by the end of its path."""

    photo: Photo
    path: str
    guessed: bool


def _rows(
    table: Table, chosen: ChosenColumns, places: Places, source: Callable[[str], Source]
) -> tuple[list[_Row], list[Skipped]]:
    """The rows that can be used, and those that cannot."""
    rows: list[_Row] = []
    skipped: list[Skipped] = []
    labels: dict[str, str] = {}
    for number, cells in table.rows:
        cell = cell_of(cells, chosen.photo.index)
        name = printable(cell) or f"{printable(table.name)} row {number}"
        try:
            if not cell:
                raise ValueError(f"has no path (row {number} of the table)")
            facts = facts_of(chosen, cells, f"Row {number} of {printable(table.name)}")
            label = facts[0]
            if name in labels:
                other = "" if labels[name] == label else f", with the label {label!r}"
                raise ValueError(f"is listed again in row {number}{other}")
            labels[name] = label
            exact = places.exact(cell)
            if (path := exact or places.likely(cell)) is None:
                raise ValueError(_absent(name))
            rows.append(_Row(Photo(name, source(path), *facts), path, exact is None))
        except ValueError as error:
            skipped.append(Skipped(name, str(error)))
    times = Counter(row.path for row in rows)
    kept = []
    for row in rows:
        if row.guessed and times[row.path] > 1:  # a guess must not give two rows the same photo
            name = row.photo.name
            reason = f"{_absent(name)}; {times[row.path]} rows end as {row.path}"
            skipped.append(Skipped(name, reason))
        else:
            kept.append(row)
    return kept, skipped


def _absent(path: str) -> str:
    address = re.match(r"[a-z][a-z0-9+]*://", path)
    return "is a web address: download it first" if address else "there is no such file"


def facts_of(
    chosen: ChosenColumns, cells: Sequence[str], row: str
) -> tuple[str, Split | None, str | None]:
    """Label, split and group in a row; `row` is its name for messages.

    Raises ValueError, with the reason, if the row must be skipped (no label, an unknown split),
    and DatasetError if the row has several labels.
    """
    label = _label_in(chosen, cells, row)
    if not label:
        raise ValueError("has no label")
    split = chosen.split_of(cell_of(cells, chosen.split.index)) if chosen.split else None
    group = cell_of(cells, chosen.group.index) if chosen.group else ""
    return label, split, group or None


def cell_of(row: Sequence[str], index: int) -> str:
    """A cell without spaces around it; "" if the row is too short."""
    return row[index].strip() if index < len(row) else ""


def _label_in(chosen: ChosenColumns, cells: Sequence[str], row: str) -> str:
    if len(chosen.labels) == 1:
        label = cell_of(cells, chosen.labels[0].index)
        if _LIST.fullmatch(label):
            raise _several_labels(row, label)
        return "" if label.casefold() in MISSING else label_of(label)
    ones = [c for c in chosen.labels if cell_of(cells, c.index).casefold() in YES]
    if len(ones) > 1:
        raise _several_labels(row, ", ".join(column.title for column in ones))
    return label_of(ones[0].name.strip()) if ones else ""


def _several_labels(row: str, labels: str) -> DatasetError:
    return DatasetError(
        f"{row} has several labels ({printable(labels)[:100]}). eyespot supports one label per "
        "photo. Choose one column with --label-column, or leave one label in each row."
    )


def doubtful_labels(table: str, photos: Iterable[Photo]) -> Iterator[Finding]:
    """A warning for each class whose name may stand for a missing label."""
    for label, count in Counter(photo.label or "" for photo in photos).items():
        if label.casefold() in DOUBTFUL:
            where = f"{counted(count, 'photo')} in {printable(table)}"
            message = f"The label {label!r} of {where} was read as a class."
            advice = "If it stands for a missing label, leave the cell empty."
            yield Finding("labels", "warning", message, advice)
