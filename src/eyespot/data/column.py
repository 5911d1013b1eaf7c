"""One column of a table, and what its name and cells allow it to hold."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from eyespot.data.column_names import INDEX_NAMES, NEVER, NO, UNASSIGNED, YES
from eyespot.data.formats import EXTENSIONS
from eyespot.data.photos import printable
from eyespot.data.split_names import split_named

SAMPLE_ROWS = 5_000
"""Rows, evenly spaced, that decide what a column holds."""
FEW_ROWS = 4
"""With fewer rows, cells that are all different prove nothing."""

_DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}.*|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}.*|\d{10}(?:\d{3})?"
)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_DECIMAL = re.compile(r"[-+]?\d*\.\d+(?:e[-+]?\d+)?|[-+]?\d+(?:\.\d*)?e[-+]?\d+", re.IGNORECASE)
_WHOLE = re.compile(r"[-+]?\d+\.0+")
_NUMBER = re.compile(r"[-+]?\d+(?:\.0+)?")
_HEX = re.compile(r"(?=.*\d)[0-9a-f]{8}[0-9a-f-]{4,}", re.IGNORECASE)
_ADDRESS = re.compile(r"[a-z][a-z0-9+]*://.*", re.IGNORECASE)
_OBJECT = re.compile(r"\{.*\}|\[.*\]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Column:
    """`name`: empty without a header. `index`: from 0. `cells`: sampled, as text. `declared`: the
    file itself declares the column as class labels."""

    name: str
    index: int
    cells: tuple[str, ...] = ()
    declared: bool = False

    @property
    def key(self) -> str:
        """The normalised name: class_name for Class Name, className and class-name."""
        spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", self.name.strip())
        return re.sub(r"[\W_]+", "_", spaced.casefold()).strip("_")

    @property
    def title(self) -> str:
        """The name for messages."""
        return printable(self.name.strip()) or f"column {self.index + 1}"

    @property
    def filled(self) -> tuple[str, ...]:
        return tuple(cell for cell in self.cells if cell)

    def has_name(self, names: Sequence[str]) -> bool:
        """Whether the name, or the last part of a dotted name (annotation.displayName), is one of
        `names`."""
        last = Column(re.split(r"[./]", self.name)[-1], self.index)
        return self.key in names or last.key in names

    def share(self, test: Callable[[str], object]) -> float:
        """The share of filled cells that pass a test; 0 without any."""
        filled = self.filled
        return sum(bool(test(cell)) for cell in filled) / len(filled) if filled else 0.0

    @property
    def holds_flags(self) -> bool:
        """Whether all cells are yes or no."""
        return self.share(lambda cell: cell.casefold() in NO | YES) == 1

    @property
    def is_class_flag(self) -> bool:
        """Whether the column may say yes or no to one class."""
        return self.holds_flags and not self._is_named_otherwise

    @property
    def can_hold_labels(self) -> bool:
        """Whether the cells may be labels, whatever the name: not dates, e-mail addresses, URLs,
        decimals, objects, paths or IDs."""
        filled = self.filled
        if not filled:
            return False
        tests: list[Callable[[str], object]] = [is_path, _DATE.fullmatch, _EMAIL.fullmatch]
        tests += [_ADDRESS.fullmatch, _OBJECT.fullmatch]
        if not all(_WHOLE.fullmatch(cell) for cell in filled if _DECIMAL.fullmatch(cell)):
            tests.append(_DECIMAL.fullmatch)
        if any(self.share(test) > 0.5 for test in tests):
            return False
        different = len(set(filled))
        are_ids = different == len(filled) >= FEW_ROWS and all(map(is_number, filled))
        if are_ids and not self.has_name(INDEX_NAMES):  # a test set may hold one photo per class
            return False
        return not (different > len(filled) / 2 and self.share(_HEX.fullmatch) > 0.5)

    @property
    def looks_like_labels(self) -> bool:
        """Whether a column without a label's name may hold labels: its name does not exclude it,
        and its cells repeat as classes do."""
        if self.name.strip() and self._is_named_otherwise:
            return False
        filled = self.filled
        different = len(set(filled))
        if different == 1 and len(filled) >= FEW_ROWS:
            return False
        if len(filled) < FEW_ROWS:
            return True
        if self.share(lambda cell: any(c.isdigit() for c in cell)) > 0.5:
            return different <= len(filled) / 3
        return different < len(filled)

    @property
    def _is_named_otherwise(self) -> bool:
        words = self.key.split("_")
        return not self.key or any({word, word.rstrip("0123456789")} & NEVER for word in words)


def is_path(cell: str) -> bool:
    """Whether a cell looks like the path of an image file."""
    return cell.strip().casefold().split("?", 1)[0].endswith(tuple(EXTENSIONS))


def is_number(cell: str) -> bool:
    """Whether a cell is a whole number, perhaps written as 1.0."""
    return _NUMBER.fullmatch(cell) is not None


def is_split(cell: str) -> bool:
    """Whether a cell names a split, or leaves it open."""
    return cell.casefold() in UNASSIGNED or split_named(cell) is not None


def text_of(value: object) -> str:
    """A cell as text: whole numbers without decimals, "" for None and NaN."""
    if value is None or value != value:  # NaN differs from itself
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value).strip()


def sample_of(count: int) -> range | list[int]:
    """The indices of `SAMPLE_ROWS` evenly spaced rows of `count`, or of all."""
    if count <= SAMPLE_ROWS:
        return range(count)
    return [number * count // SAMPLE_ROWS for number in range(SAMPLE_ROWS)]
