"""The label, split and group in one row of a table."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from eyespot.data.column_names import YES
from eyespot.data.columns import ChosenColumns
from eyespot.data.finding import Finding
from eyespot.data.photos import Photo, label_of, printable
from eyespot.data.split_names import Split
from eyespot.errors import DatasetError
from eyespot.shown import counted

MISSING = frozenset({"", "nan", "<na>", "#n/a", "null", "nat"})
"""Labels, in lower case, that programs write for a missing value."""
DOUBTFUL = frozenset({"na", "n/a", "none", "undefined", "unknown"})
"""Labels, in lower case, that may be a class or a missing value."""
_LIST = re.compile(r"\s*(?:\{.*\"choices\"\s*:\s*)?\[(.*,.*)\]\}?\s*")


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
