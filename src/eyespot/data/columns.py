"""Which column of a table is the photo, which the label, which the split: told, or refused.

A column whose name the field uses wins (label, class, species, ...). Without one, a column can be
the label only if it is the last one left when ids, sizes, dates, scores and the like are taken
away. Whatever is decided is told in a finding.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from eyespot.data.finding import Finding
from eyespot.data.formats import EXTENSIONS
from eyespot.data.photos import printable
from eyespot.data.split_names import Split, split_named
from eyespot.errors import DatasetError, UsageError

PATH_NAMES = (
    *("path", "file", "filename", "file_name", "filepath", "filepaths", "file_path", "paths"),
    *("image", "images", "image_path", "image_paths", "filenames", "files"),
    *("image_file", "image_name", "image_uri", "image_gcs_uri", "source_ref", "img", "img_path"),
    *("photo", "photo_path", "picture", "url", "uri", "image_url", "name"),
)
ID_NAMES = ("id", "image_id", "img_id", "photo_id", "id_code", "file_id", "uuid")
"""May name photos where nothing else does."""
LABEL_NAMES = (
    *("label", "labels", "class", "classes", "category", "categories", "target", "species"),
    *("class_name", "class_label", "label_name", "category_name", "display_name", "choice"),
    *("choices", "annotation", "annotations", "breed", "tag", "tags", "ground_truth", "truth"),
    *("gt", "y", "fine_label", "species_name", "diagnosis", "dx", "wnid"),
)
INDEX_NAMES = (
    *("class_index", "class_idx", "class_id", "label_index", "label_idx", "label_id"),
    *("category_id", "category_index", "species_id", "target_id", "breed_id"),
)
"""Labels as numbers: used where no column has their names."""
SPLIT_NAMES = (
    *("split", "splits", "subset", "partition", "set", "usage", "ml_use", "data_split", "phase"),
    *("data_set", "dataset"),
)
SURE_SPLITS = ("split", "splits", "subset", "partition")
"""Those that hold a split, whatever else is in them."""
SPLIT_FLAGS: dict[str, tuple[Split, Split]] = {
    "is_test": ("train", "test"),
    "is_train": ("test", "train"),
    "is_training": ("test", "train"),
    "is_training_image": ("test", "train"),
    "is_valid": ("train", "val"),
    "is_val": ("train", "val"),
}
"""Columns of no or yes, and the splits that these mean."""
GROUP_NAMES = ("group", "groups", "group_id")
NEVER = frozenset(
    (
        *("id", "ids", "idx", "index", "uuid", "guid", "key", "hash", "md5", "sha1", "sha256"),
        *("width", "height", "w", "h", "x", "x1", "x2", "y1", "y2", "xmin", "xmax", "ymin"),
        *("ymax", "size", "bytes", "area", "ratio", "channels", "bbox", "polygon", "region"),
        *("date", "time", "datetime", "timestamp", "year", "month", "day", "created", "updated"),
        *(
            "modified",
            "at",
            "score",
            "confidence",
            "probability",
            "prob",
            "weight",
            "email",
            "mail",
        ),
        *("annotator", "annotators", "user", "username", "author", "photographer", "worker"),
        *("url", "uri", "link", "lat", "lon", "lng", "latitude", "longitude", "gps", "altitude"),
        *("comment", "comments", "note", "notes", "description", "caption", "text", "title"),
        *("count", "number", "no", "num", "nr", "row", "line", "page", "unnamed", "fold", "seed"),
        *("batch", "session", "run", "sequence", "frame", "series", "patient", "subject", "track"),
        *("camera", "device", "scanner", "slide", "plate", "lens", "site", "station", "burst"),
        *("licence", "license", "rights", "version", "filesize", "checksum", "dpi", "iso"),
    )
)
"""Words of a column's name that say that it is no label, unless the whole name is a label's."""
NO = frozenset({"0", "0.0", "false", "no", "n", "f"})
YES = frozenset({"1", "1.0", "true", "yes", "y", "t"})
UNASSIGNED = frozenset({"", "unassigned", "none", "nan", "null", "-"})
"""Cells of a split column that leave the photo to eyespot."""
LOOKED_AT = 5_000
"""Rows, evenly spread, that are looked at to decide what a column holds."""
MOST_SHOWN = 12
FEW_ROWS = 4
"""Rows below which cells that are all different say nothing."""

_DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}.*|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}.*|\d{10}(?:\d{3})?"
)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_DECIMAL = re.compile(r"[-+]?\d*\.\d+(?:e[-+]?\d+)?|[-+]?\d+(?:\.\d*)?e[-+]?\d+", re.IGNORECASE)
_WHOLE = re.compile(r"[-+]?\d+\.0+")
_HEX = re.compile(r"(?=.*\d)[0-9a-f]{8}[0-9a-f-]{4,}", re.IGNORECASE)
_ADDRESS = re.compile(r"[a-z][a-z0-9+]*://.*", re.IGNORECASE)
_OBJECT = re.compile(r"\{.*\}|\[.*\]", re.DOTALL)
_NO_LABELS = (_DATE, _EMAIL, _ADDRESS, _DECIMAL, _OBJECT)


@dataclass(frozen=True, slots=True)
class ColumnNames:
    """What a person says of a table's columns; None leaves it to `choose_columns`. A number counts
    columns from 1 where the table has no header."""

    path: str | None = None
    label: str | None = None
    split: str | None = None


NO_COLUMNS = ColumnNames()
"""Nothing is named: all columns are recognised."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name (empty without a header), its place from 0, cells as text. `known`: the
    file itself says that it holds labels."""

    name: str
    place: int
    cells: tuple[str, ...]
    known: bool = False

    @property
    def key(self) -> str:
        """The name in one spelling: Class Name, className and class-name are class_name."""
        spread = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", self.name.strip())
        return re.sub(r"[\W_]+", "_", spread.casefold()).strip("_")

    @property
    def shown(self) -> str:
        return printable(self.name.strip()) or f"column {self.place + 1}"

    @property
    def filled(self) -> tuple[str, ...]:
        return tuple(cell for cell in self.cells if cell)

    def has_name(self, names: Sequence[str]) -> bool:
        """Also the last part of a dotted name, as JSON's objects give: annotation.displayName."""
        return self.key in names or _last(self).key in names


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which column is what. `labels`: one column of labels, or one of 0 and 1 for each class.
    `photo`: the column of paths, or of pictures in the table itself."""

    photo: Column
    labels: tuple[Column, ...]
    split: Column | None
    group: Column | None
    findings: tuple[Finding, ...]

    @property
    def one_hot(self) -> bool:
        return len(self.labels) > 1

    def split_of(self, cell: str) -> Split | None:
        """The split that a cell of the split column means; None if it is left open.

        Raises ValueError if it means nothing.
        """
        text = cell.strip().casefold()
        if self.split is not None and (flags := SPLIT_FLAGS.get(self.split.key)) and text:
            if text not in NO | YES:
                raise ValueError(cell)
            return flags[text in YES]
        if text in UNASSIGNED:
            return None
        split = split_named(cell)
        if split is None:
            raise ValueError(cell)
        return split


def choose_columns(
    table: str,
    columns: Sequence[Column],
    wanted: ColumnNames,
    *,
    inside: Sequence[Column] = (),
) -> Chosen:
    """Decide which of the columns of `table` is what.

    `inside`: columns that hold pictures themselves, of which one is the photo; none for tables of
    paths. Raises DatasetError if it cannot be decided, UsageError if `wanted` names no column.
    """
    path = _choose_path(table, columns, wanted, inside)
    others = [column for column in columns if column is not path]
    split = _choose_split(table, others, wanted)
    others = [column for column in others if column is not split]
    group = next((column for column in others if column.key in GROUP_NAMES), None)
    others = [column for column in others if column is not group]
    labels = _choose_labels(table, others, wanted)
    unused = [column for column in others if column not in labels]
    findings = [_told(table, path, labels, split, group, unused)]
    findings += _unread_split(table, unused)
    return Chosen(path, labels, split, group, tuple(findings))


def is_path(cell: str) -> bool:
    """Whether a cell looks like the name of a picture."""
    return cell.strip().casefold().split("?", 1)[0].endswith(tuple(EXTENSIONS))


def _choose_path(
    table: str, columns: Sequence[Column], wanted: ColumnNames, inside: Sequence[Column]
) -> Column:
    among = [*inside, *columns]
    if wanted.path is not None:
        return _named(table, among, wanted.path, "--path-column")
    if inside:
        likely = list(inside)
    else:
        shares = [_share(column, is_path) for column in columns]
        most = max(shares, default=0.0)
        likely = [c for c, share in zip(columns, shares, strict=True) if share == most > 0]
        if not likely:
            ids = [c for c in columns if c.has_name(PATH_NAMES)]
            likely = ids or [c for c in columns if c.key in ID_NAMES]
    named = [c for name in PATH_NAMES for c in likely if c.has_name((name,))]
    if named:
        return named[0]
    if len(likely) != 1:
        raise _refused(table, among, "photos", likely, "--path-column")
    return likely[0]


def _choose_split(table: str, columns: Sequence[Column], wanted: ColumnNames) -> Column | None:
    if wanted.split is not None:
        return _named(table, columns, wanted.split, "--split-column")
    for column in columns:
        if column.key in SPLIT_FLAGS and _share(column, lambda c: c.casefold() in NO | YES) == 1:
            return column
    holding = [column for column in columns if _share(column, _is_split_word) > 0]
    named = [c for c in holding if c.key in SPLIT_NAMES or c.key.endswith("ml_use")]
    named = [c for c in named if c.key in SURE_SPLITS or _share(c, _is_split_word) > 0.5]
    free = [c for c in holding if not c.has_name(LABEL_NAMES) and _share(c, _is_split_word) == 1]
    likely = named or [c for c in free if len({*map(split_named, c.filled)} - {None}) > 1]
    if len(likely) > 1:
        raise _refused(table, columns, "splits", likely, "--split-column")
    return likely[0] if likely else None


def _is_split_word(cell: str) -> bool:
    return cell.casefold() in UNASSIGNED or split_named(cell) is not None


def _choose_labels(
    table: str, columns: Sequence[Column], wanted: ColumnNames
) -> tuple[Column, ...]:
    if wanted.label is not None:
        return (_named(table, columns, wanted.label, "--label-column"),)
    possible = [column for column in columns if _holds_labels(column)]
    if any(column.key == "x" for column in columns):  # y is a place then
        possible = [column for column in possible if column.key != "y"]
    for names in (LABEL_NAMES, INDEX_NAMES):
        named = [column for column in possible if column.has_name(names) or column.known]
        exact = [column for column in named if column.has_name(names)] or named
        if exact:
            return (_one_of(table, columns, exact),)
    flags = [column for column in columns if _is_flag(column)]
    if len(flags) < 2:
        flags = []
    left = [column for column in possible if column not in flags and _may_be_label(column)]
    if flags and not left:
        return tuple(flags)
    left += flags
    if len(left) != 1:
        raise _refused(table, columns, "labels", left, "--label-column")
    return (left[0],)


def _one_of(table: str, columns: Sequence[Column], named: Sequence[Column]) -> Column:
    """Of columns with names of labels: the only one, or the one with words if all say the same."""
    first = named[0]
    alike = all(_same_classes(first, other) for other in named[1:])
    if not alike:
        raise _refused(table, columns, "labels", named, "--label-column")
    return max(named, key=lambda column: not all(map(_is_number, column.filled)))


def _same_classes(one: Column, other: Column) -> bool:
    pairs = {(a, b) for a, b in zip(one.cells, other.cells, strict=True) if a and b}
    return len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


def _is_flag(column: Column) -> bool:
    """A column of 0 and 1, for a class of its own."""
    filled = column.filled
    return bool(filled) and not _is_never(column) and all(c.casefold() in NO | YES for c in filled)


def _is_never(column: Column) -> bool:
    words = column.key.split("_")
    return not column.key or any(
        word in NEVER or word.rstrip("0123456789") in NEVER for word in words
    )


def _holds_labels(column: Column) -> bool:
    """Whether a column may hold labels, whatever its name: no dates, e-mails, addresses, decimals,
    objects, paths or ids."""
    filled = column.filled
    if not filled:
        return False
    mostly = [pattern for pattern in _NO_LABELS if _share(column, pattern.fullmatch) > 0.5]
    whole = all(_WHOLE.fullmatch(cell) for cell in filled if _DECIMAL.fullmatch(cell))
    if [pattern for pattern in mostly if not (pattern is _DECIMAL and whole)]:
        return False
    if _share(column, is_path) > 0.5:
        return False
    different = len(set(filled))
    ids = different == len(filled) >= FEW_ROWS and all(map(_is_number, filled))
    if ids and not column.has_name(INDEX_NAMES):  # to test with, there may be one photo a class
        return False
    return not (different > len(filled) / 2 and _share(column, _HEX.fullmatch) > 0.5)


def _may_be_label(column: Column) -> bool:
    """Whether a column without a label's name may hold labels: nothing in its name speaks against
    it, and its cells come again as those of classes do."""
    if column.name.strip() and _is_never(column):
        return False
    filled = column.filled
    different = len(set(filled))
    if different == 1 and len(filled) >= FEW_ROWS:
        return False
    if len(filled) < FEW_ROWS:
        return True
    numbered = _share(column, lambda cell: any(c.isdigit() for c in cell)) > 0.5
    return different <= len(filled) / (3 if numbered else 2) or (
        different < len(filled) and not numbered
    )


def _is_number(cell: str) -> bool:
    return bool(re.fullmatch(r"[-+]?\d+(?:\.0+)?", cell))


def _share(column: Column, test: Callable[[str], object]) -> float:
    filled = column.filled
    return sum(bool(test(cell)) for cell in filled) / len(filled) if filled else 0.0


def _last(column: Column) -> Column:
    """The last part of a dotted name alone."""
    return Column(re.split(r"[./]", column.name)[-1], column.place, ())


def _named(table: str, columns: Sequence[Column], name: str, option: str) -> Column:
    """The column that a person names, in any case, or by its number."""
    exact = [column for column in columns if column.name.strip() == name.strip()]
    loose = [c for c in columns if c.name.strip().casefold() == name.strip().casefold()]
    numbered = [c for c in columns if name.isdigit() and c.place + 1 == int(name)]
    for found in (exact, loose, numbered):
        if len(found) == 1:
            return found[0]
    raise UsageError(
        f"{printable(table)} has no column {printable(name)!r} for {option}. Its columns are "
        f"{', '.join(column.shown for column in columns[:MOST_SHOWN])}."
    )


def _refused(
    table: str, columns: Sequence[Column], what: str, likely: Sequence[Column], option: str
) -> DatasetError:
    if likely:
        found = f"found {len(likely)} that may hold them ({_listed([c.shown for c in likely])})"
    else:
        found = "found none that may hold them"
    return DatasetError(
        f"Expected one column of {what} in {printable(table)}, {found}. Name the column with "
        f"{option}. The columns and their first values: {_described(columns)}."
    )


def _described(columns: Sequence[Column]) -> str:
    """Columns with three different values each."""
    shown = [
        f"{column.shown} ({_listed([printable(v)[:30] for v in dict.fromkeys(column.filled)][:3])})"
        for column in columns[:MOST_SHOWN]
    ]
    more = f" and {len(columns) - MOST_SHOWN} more" if len(columns) > MOST_SHOWN else ""
    return f"{'; '.join(shown)}{more}" if shown else "none"


def _listed(words: Sequence[str]) -> str:
    more = f" and {len(words) - MOST_SHOWN} more" if len(words) > MOST_SHOWN else ""
    return ", ".join(words[:MOST_SHOWN]) + more if words else "empty"


def _told(
    table: str,
    path: Column,
    labels: Sequence[Column],
    split: Column | None,
    group: Column | None,
    unused: Sequence[Column],
) -> Finding:
    parts = [f"photo column: {path.shown}"]
    if len(labels) > 1:
        parts.append(f"label: the column with a 1, of {_listed([c.shown for c in labels])}")
    else:
        parts.append(f"label column: {labels[0].shown}")
    parts += [f"split column: {split.shown}"] if split else []
    parts += [f"group column: {group.shown}"] if group else []
    advice = ""
    if unused:
        advice = (
            f"Not used: {_listed([c.shown for c in unused])}. Name other columns with "
            "--path-column, --label-column and --split-column."
        )
    return Finding("columns", "note", f"{printable(table)}: {', '.join(parts)}.", advice)


def _unread_split(table: str, unused: Sequence[Column]) -> list[Finding]:
    """A column called split that holds no split must not be passed over in silence."""
    return [
        Finding(
            "columns",
            "warning",
            f"Column {column.shown} of {printable(table)} was not used as a split: it holds "
            f"{_listed([printable(v)[:30] for v in dict.fromkeys(column.filled)][:3])}.",
            "Write train, val or test into it, or name another column with --split-column.",
        )
        for column in unused
        if column.key in SURE_SPLITS and column.filled
    ]


def text_of(value: object) -> str:
    """A cell as text: whole numbers without a decimal part, nothing for None and NaN."""
    if value is None or value != value:  # NaN differs from itself
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value).strip()


def spread(count: int) -> range | list[int]:
    """The rows that are looked at, of `count`: all, or evenly spread."""
    if count <= LOOKED_AT:
        return range(count)
    return [number * count // LOOKED_AT for number in range(LOOKED_AT)]
