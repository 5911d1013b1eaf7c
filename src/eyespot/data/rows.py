"""Write rows to a CSV file one by one."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from eyespot.atomic import atomic_writer

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""Starts of a text that a spreadsheet would run as a formula."""


def write_rows(rows: Iterable[Mapping[str, object]], columns: Sequence[str], path: Path) -> None:
    """Write rows by column name as CSV, atomically. Raises OSError as writing does."""
    with atomic_writer(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        writer = csv.DictWriter(text, columns)
        writer.writeheader()
        for row in rows:
            writer.writerow({key: _escaped(value) for key, value in row.items()})
        text.flush()
        text.detach()  # closing it would close the file


def _escaped(value: object) -> object:
    is_formula = isinstance(value, str) and value.startswith(FORMULA_STARTS)
    return f"'{value}" if is_formula else value
