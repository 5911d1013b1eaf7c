"""Decide which column of a table holds the photos, which the labels, which the splits.

A column with a name that the field uses wins (label, class, species, ...). Without one, the label
column must be the only candidate after IDs, sizes, dates, scores and the like are excluded. Every
decision is reported in a finding.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from eyespot.data.column import Column, is_number, is_path, is_split
from eyespot.data.column_names import (
    GROUP_NAMES,
    ID_NAMES,
    INDEX_NAMES,
    LABEL_NAMES,
    NO,
    PATH_NAMES,
    SPLIT_FLAGS,
    SPLIT_NAMES,
    SURE_SPLITS,
    UNASSIGNED,
    YES,
)
from eyespot.data.finding import Finding
from eyespot.data.photos import printable
from eyespot.data.split_names import Split, split_named
from eyespot.errors import DatasetError, UsageError
from eyespot.shown import listed

MOST_LISTED = 12
"""Columns that a message lists."""
_OPTIONS = {"photos": "--path-column", "labels": "--label-column", "splits": "--split-column"}
_OPTIONS_LISTED = listed(_OPTIONS.values())


@dataclass(frozen=True, slots=True)
class ColumnNames:
    """The columns that a user names; the others are recognized. A number counts columns from 1
    where the table has no header."""

    path: str | None = None
    label: str | None = None
    split: str | None = None


NO_COLUMNS = ColumnNames()
"""All columns are recognized."""


@dataclass(frozen=True, slots=True)
class ChosenColumns:
    """The role of each column. `photo`: of paths, or of images in the table itself. `labels`: one
    column of labels, or one of 0 and 1 for each class."""

    table: str
    photo: Column
    labels: tuple[Column, ...]
    split: Column | None
    group: Column | None
    unused: tuple[Column, ...]

    def split_of(self, cell: str) -> Split | None:
        """The split that a cell names; None if it leaves the split open.

        Raises ValueError, with the reason, for any other cell.
        """
        text = cell.strip().casefold()
        flags = SPLIT_FLAGS.get(self.split.key) if self.split else None
        if text in ({""} if flags else UNASSIGNED):
            return None
        split = split_named(cell)
        if flags:
            split = flags[text in YES] if text in NO | YES else None
        if split is None:
            raise ValueError(f"has the split {cell!r}; expected train, val or test")
        return split

    @property
    def findings(self) -> list[Finding]:
        """The roles, and a warning for each column called split that holds no splits."""
        table = printable(self.table)
        roles = [f"photo column: {self.photo.title}"]
        if len(self.labels) > 1:
            roles.append(f"label: the column with a 1, of {_titles(self.labels)}")
        else:
            roles.append(f"label column: {self.labels[0].title}")
        roles += [f"split column: {self.split.title}"] if self.split else []
        roles += [f"group column: {self.group.title}"] if self.group else []
        advice = f"Not used: {_titles(self.unused)}. Name other columns with {_OPTIONS_LISTED}."
        message = f"{table}: {', '.join(roles)}."
        found = [Finding("columns", "note", message, advice if self.unused else "")]
        advice = "Write train, val or test into it, or name another column with --split-column."
        for column in self.unused:
            if column.key in SURE_SPLITS and column.filled:
                message = (
                    f"Column {column.title} of {table} was not used as a split: it holds "
                    f"{_first_values(column)}."
                )
                found.append(Finding("columns", "warning", message, advice))
        return found


def choose_columns(
    table: str, columns: Sequence[Column], wanted: ColumnNames, *, images: Sequence[Column] = ()
) -> ChosenColumns:
    """Assign roles to the columns of `table`.

    `images`: columns that hold images themselves, one of which is the photo; none for tables of
    paths. Raises DatasetError for an ambiguous table, UsageError if `wanted` names no column.
    """
    choice = _Choice(table, [*images, *columns])
    photo = choice.photo(wanted.path, columns, images)
    choice.columns = [column for column in columns if column is not photo]
    split = choice.split(wanted.split)
    choice.columns = [column for column in choice.columns if column is not split]
    group = next((column for column in choice.columns if column.key in GROUP_NAMES), None)
    choice.columns = [column for column in choice.columns if column is not group]
    labels = choice.labels(wanted.label)
    unused = tuple(column for column in choice.columns if column not in labels)
    return ChosenColumns(table, photo, labels, split, group, unused)


class _Choice:
    """The choice among `columns`, which are those without a role yet."""

    def __init__(self, table: str, columns: list[Column]) -> None:
        self.table, self.columns = table, columns

    def photo(
        self, wanted: str | None, columns: Sequence[Column], images: Sequence[Column]
    ) -> Column:
        if wanted is not None:
            return self._named(wanted, "photos")
        likely = list(images)
        if not likely:
            shares = [column.share(is_path) for column in columns]
            most = max(shares, default=0.0)
            likely = [c for c, share in zip(columns, shares, strict=True) if share == most > 0]
        if not likely:
            paths = [c for c in columns if c.has_name(PATH_NAMES)]
            likely = paths or [c for c in columns if c.key in ID_NAMES]
        named = [c for name in PATH_NAMES for c in likely if c.has_name((name,))]
        if not named and len(likely) != 1:
            raise self._ambiguous("photos", likely)
        return named[0] if named else likely[0]

    def split(self, wanted: str | None) -> Column | None:
        if wanted is not None:
            return self._named(wanted, "splits")
        for column in self.columns:
            if column.key in SPLIT_FLAGS and column.holds_flags:
                return column
        shares = [(column, column.share(is_split)) for column in self.columns]
        likely = [
            column
            for column, share in shares
            if (share > 0.5 and (column.key in SPLIT_NAMES or column.key.endswith("ml_use")))
            or (share > 0 and column.key in SURE_SPLITS)
        ]
        if not likely:
            likely = [
                column
                for column, share in shares
                if share == 1
                and not column.has_name(LABEL_NAMES)
                and len({*map(split_named, column.filled)} - {None}) > 1
            ]
        if len(likely) > 1:
            raise self._ambiguous("splits", likely)
        return likely[0] if likely else None

    def labels(self, wanted: str | None) -> tuple[Column, ...]:
        if wanted is not None:
            return (self._named(wanted, "labels"),)
        possible = [column for column in self.columns if column.can_hold_labels]
        if any(column.key == "x" for column in self.columns):  # y is a coordinate then
            possible = [column for column in possible if column.key != "y"]
        for names in (LABEL_NAMES, INDEX_NAMES):
            named = [column for column in possible if column.has_name(names)]
            if named := named or [column for column in possible if column.declared]:
                return (self._one_of(named),)
        flags = [column for column in self.columns if column.is_class_flag]
        flags = flags if len(flags) > 1 else []
        likely = [c for c in possible if c not in flags and c.looks_like_labels]
        if flags and not likely:
            return tuple(flags)
        likely += flags
        if len(likely) != 1:
            raise self._ambiguous("labels", likely)
        return (likely[0],)

    def _one_of(self, named: Sequence[Column]) -> Column:
        """Of columns with names of labels: the only one, or the one with words if all agree."""
        if not all(_same_classes(named[0], other) for other in named[1:]):
            raise self._ambiguous("labels", named)
        return max(named, key=lambda column: not all(map(is_number, column.filled)))

    def _named(self, name: str, what: str) -> Column:
        """The column that a user names, in any case, or by its number."""
        bare = name.strip()
        exact = [column for column in self.columns if column.name.strip() == bare]
        loose = [c for c in self.columns if c.name.strip().casefold() == bare.casefold()]
        numbered = [c for c in self.columns if name.isdigit() and c.index + 1 == int(name)]
        for found in (exact, loose, numbered):
            if len(found) == 1:
                return found[0]
        raise UsageError(
            f"{printable(self.table)} has no column {printable(name)!r} for {_OPTIONS[what]}. Its "
            f"columns are {_titles(self.columns)}."
        )

    def _ambiguous(self, what: str, likely: Sequence[Column]) -> DatasetError:
        found = f"{len(likely)} candidates ({_titles(likely)})" if likely else "no candidate"
        described = [f"{column.title} ({_first_values(column)})" for column in self.columns]
        return DatasetError(
            f"Expected one column of {what} in {printable(self.table)}, found {found}. Name the "
            f"column with {_OPTIONS[what]}. The columns and their first values: "
            f"{listed(described, MOST_LISTED) or 'none'}."
        )


def _same_classes(one: Column, other: Column) -> bool:
    pairs = {(a, b) for a, b in zip(one.cells, other.cells, strict=True) if a and b}
    return len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


def _titles(columns: Iterable[Column]) -> str:
    return listed([column.title for column in columns], MOST_LISTED)


def _first_values(column: Column) -> str:
    values = [printable(value)[:30] for value in dict.fromkeys(column.filled)][:3]
    return ", ".join(values) or "empty"
