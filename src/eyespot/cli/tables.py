"""Answers about many photos as a table: one row a photo, errors in their row."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

from eyespot.atomic import write_atomically
from eyespot.classifier import Prediction

COLUMNS = ("path", "label", "probability", "unknown", "familiarity", "top", "error")
FORMULA = ("=", "+", "-", "@", "\t")
"""A spreadsheet would run a name that begins like this."""


def rows(answers: Sequence[Prediction]) -> list[dict[str, object]]:
    """A row of COLUMNS for each answer; `top` is JSON."""
    return [
        {
            "path": answer.path,
            "label": answer.label,
            "probability": None if answer.error else answer.probability,
            "unknown": None if answer.error else answer.unknown,
            "familiarity": answer.familiarity,
            "top": json.dumps(answer.to_dict()["top"], ensure_ascii=False),
            "error": answer.error or None,
        }
        for answer in answers
    ]


def write_csv(answers: Sequence[Prediction], path: Path) -> None:
    write_rows(rows(answers), COLUMNS, path)


def write_rows(table: Sequence[dict[str, object]], columns: Sequence[str], path: Path) -> None:
    """Write rows by column name as CSV, atomically. Raises OSError."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    for row in table:
        writer.writerow(
            {
                key: f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
                for key, value in row.items()
            }
        )
    write_atomically(path, text.getvalue().encode("utf-8"))


def write_parquet(answers: Sequence[Prediction], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [
            ("path", pa.string()),
            ("label", pa.string()),
            ("probability", pa.float64()),
            ("unknown", pa.bool_()),
            ("familiarity", pa.float64()),
            ("top", pa.string()),
            ("error", pa.string()),
        ]
    )
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows(answers), schema), sink)
    write_atomically(path, sink.getvalue().to_pybytes())
