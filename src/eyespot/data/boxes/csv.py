"""CSV: a row per box with the photo's path, xmin, ymin, xmax, ymax and label; a row of a path alone
is a photo of background.

Columns are recognized by their names, as those of TensorFlow and Roboflow (filename, width, height,
class, xmin, ...); without a header, the order of Keras-RetinaNet (path, x1, y1, x2, y2, label).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from eyespot.data.boxes.entries import Annotations, Boxes, first_held_out, number, size_of
from eyespot.data.boxes.tree import Tree, near
from eyespot.data.column import Column, is_path
from eyespot.data.column_names import (
    ID_NAMES,
    LABEL_NAMES,
    PATH_NAMES,
    SURE_SPLITS,
    UNASSIGNED,
    YES,
)
from eyespot.data.csv_tables import rows_of_csv
from eyespot.data.finding import Finding
from eyespot.data.photos import Photo, Skipped, printable
from eyespot.data.split_names import Split, split_mentioned, split_named
from eyespot.data.text import read_text
from eyespot.errors import DatasetError
from eyespot.shown import listed

NAMES: dict[str, tuple[str, ...]] = {
    "path": (*PATH_NAMES, *ID_NAMES),
    "xmin": ("xmin", "x_min", "x1", "left", "xtl", "bbox_xmin", "bbox_x_min", "bbox_x1"),
    "ymin": ("ymin", "y_min", "y1", "top", "ytl", "bbox_ymin", "bbox_y_min", "bbox_y1"),
    "xmax": ("xmax", "x_max", "x2", "right", "xbr", "bbox_xmax", "bbox_x_max", "bbox_x2"),
    "ymax": ("ymax", "y_max", "y2", "bottom", "ybr", "bbox_ymax", "bbox_y_max", "bbox_y2"),
    "label": LABEL_NAMES,
    "split": SURE_SPLITS,
    "width": ("width", "image_width", "img_width"),
    "height": ("height", "image_height", "img_height"),
    "ignored": ("difficult", "iscrowd", "is_crowd", "ignored", "ignore"),
}
"""Names of columns, normalised, by their meaning."""
SIDES = ("xmin", "ymin", "xmax", "ymax")
NEEDED = ("path", *SIDES, "label")


@dataclass(frozen=True, slots=True)
class _Columns:
    """A table's column numbers by meaning."""

    columns: dict[str, int]

    def cell(self, row: Sequence[str], meaning: str) -> str:
        index = self.columns.get(meaning, len(row))
        return row[index] if index < len(row) else ""


def has_boxes(text: str) -> bool:
    """Whether the start of a CSV file has columns of boxes."""
    try:
        header, rows = rows_of_csv("boxes.csv", text)
    except DatasetError:
        return False
    if header is None:
        return any(_is_retinanet(row) for _, row in rows[:100])
    keys = {Column(name, 0).key for name in header}
    return all(keys & set(NAMES[side]) for side in SIDES)


@dataclass(slots=True)
class _Read:
    """A photo while its rows are read."""

    photo: Photo
    size: tuple[int, int] | None
    boxes: Boxes = field(default_factory=Boxes)


def read_csv(tree: Tree, files: list[Path]) -> Annotations:
    """The photos of all these files; a table's name or folder, or its split column, gives the
    split. Raises DatasetError for a table whose columns are missing or ambiguous."""
    found = Annotations()
    photos: dict[Path, _Read] = {}
    missing: dict[str, None] = {}
    for file in files:
        header, rows = rows_of_csv(file.name, read_text(file))
        table = _columns(file, header, rows, found)
        of_file = split_mentioned(file.stem) if len(files) > 1 else None
        paths: dict[str, Path | None] = {}
        folders = near(file, tree)
        for line, row in rows:
            cell, stated = table.cell(row, "path"), table.cell(row, "split")
            if cell not in paths:
                paths[cell] = tree.named(cell, folders, found.problems)
            split = split_named(stated) or of_file
            if (path := paths[cell]) is None:
                missing[cell] = None
            elif split_named(stated) is None and stated.casefold() not in UNASSIGNED:
                reason = f"its split {printable(stated)[:80]!r} is unknown"
                found.skipped.append(Skipped(f"{tree.name_of(file)}:{line}", reason))
            else:
                if path not in photos:
                    size = size_of(table.cell(row, "width"), table.cell(row, "height"))
                    photos[path] = _Read(tree.photo(path, split), size)
                _add(table, row, split, photos[path], found)
    found.entries = [read.boxes.entry(read.photo, read.size) for read in photos.values()]
    found.skipped += [Skipped(printable(cell)[:200], tree.why_missing(cell)) for cell in missing]
    return found


def _add(
    table: _Columns, row: Sequence[str], split: Split | None, read: _Read, found: Annotations
) -> None:
    photo = read.photo
    if split is not None and photo.split != split:
        found.problems.add("two splits", photo.name)
        read.photo = replace(photo, split=first_held_out(photo.split, split))
    cells = [table.cell(row, side) for side in SIDES]
    label = table.cell(row, "label")
    if any(cells) or label:
        xmin, ymin, xmax, ymax = map(number, cells)
        ignored = table.cell(row, "ignored").casefold() in YES
        read.boxes.add((xmin, ymin, xmax, ymax), label, ignored)


def _columns(
    file: Path,
    header: tuple[str, ...] | None,
    rows: Sequence[tuple[int, Sequence[str]]],
    found: Annotations,
) -> _Columns:
    if header is None:
        if not all(_is_retinanet(row) for _, row in rows):
            first = ", ".join(rows[0][1]) if rows else ""
            raise DatasetError(
                f"Expected the columns {listed(NEEDED)} in {printable(file.name)}, found no header "
                f"and {printable(first)[:200]!r}. Write a header."
            )
        columns = {meaning: index for index, meaning in enumerate(NEEDED)}
        told = "no header; read as path, xmin, ymin, xmax, ymax, label, as Keras-RetinaNet"
    else:
        columns = _named(file, header)
        named = (f"{meaning}: {printable(header[i])}" for meaning, i in columns.items())
        told = listed(named, len(NAMES))
    found.findings.append(Finding("columns", "note", f"{printable(file.name)}: {told}."))
    return _Columns(columns)


def _named(file: Path, header: tuple[str, ...]) -> dict[str, int]:
    keys = [Column(name, 0).key for name in header]
    columns: dict[str, int] = {}
    for meaning, names in NAMES.items():
        named = sorted((names.index(key), i) for i, key in enumerate(keys) if key in names)
        # An image_id beside a file_name is usual; any other second name is ambiguous.
        if len(named) > 1 and (meaning != "path" or named[0][0] == named[1][0]):
            several = listed(repr(printable(header[i])) for _, i in named)
            raise DatasetError(
                f"Expected one column of {meaning} in {printable(file.name)}, found {several}. "
                "Rename all but one."
            )
        if named:
            columns[meaning] = named[0][1]
    if missing := [meaning for meaning in NEEDED if meaning not in columns]:
        raise DatasetError(
            f"Expected the columns {listed(NEEDED)} in {printable(file.name)}, found "
            f"{printable(', '.join(header))[:200]}. Rename the columns of {listed(missing)}."
        )
    return columns


def _is_retinanet(row: Sequence[str]) -> bool:
    """path,x1,y1,x2,y2,label, all but the path perhaps empty."""
    numbers = [number(cell) == number(cell) for cell in row[1:5]]
    filled = all(numbers) and len(row) == 6 and number(row[5]) != number(row[5])
    return bool(row) and is_path(row[0]) and (filled or not any(row[1:]))
