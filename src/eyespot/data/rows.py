"""Rows as a CSV file, written as they come."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from eyespot.atomic import atomic_writer

RUN = ("=", "+", "-", "@", "\t", "\r", "\n")
"""How begins what a spreadsheet would run as a formula."""


def write_rows(rows: Iterable[Mapping[str, object]], columns: Sequence[str], path: Path) -> None:
    """Write rows by column name as CSV, atomically. Raises OSError as writing does."""
    with atomic_writer(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        writer = csv.DictWriter(text, columns)
        writer.writeheader()
        for row in rows:
            writer.writerow(
                {
                    key: f"'{value}" if isinstance(value, str) and value.startswith(RUN) else value
                    for key, value in row.items()
                }
            )
        text.flush()
        text.detach()  # it would close the file with itself
