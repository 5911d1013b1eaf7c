"""Tables as people and programs write them: the result is what was written, or a refusal.

A table is drawn as records of photo, label and split, and written in some form with columns beside
that are no labels. Reading must give the records back, or say why not; never other labels.
"""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eyespot.data.open import open_photos
from eyespot.errors import DatasetError, UsageError
from tests.data.files import save

WORDS = ("cat", "dog", "Käfer", "a, b", "x;y", "7", "42", "red fox", "E. coli", "猫", "=1", "train")
SPLITS = {"train": "train", "Training": "train", "val": "val", "VALIDATION": "val", "test": "test"}
LABELS = ("label", "Class", "species", "CATEGORY", "class_name", "Target", "emotion", "kind")
PATHS = ("path", "image", "File_Name", "filename", "photo", "what")
BESIDE: dict[str, Callable[[int], str]] = {
    "id": lambda n: str(n),
    "image_id": lambda n: f"img{n:05}",
    "": lambda n: str(n),
    "width": lambda n: str(640 + n % 3),
    "score": lambda n: f"0.{n + 1}",
    "taken": lambda n: f"2024-05-{n % 28 + 1:02}",
    "annotator": lambda n: f"a{n % 2}@x.org",
    "created_at": lambda n: f"2024-05-01T00:00:{n % 60:02}Z",
    "checked": lambda n: "yes",
    "hash": lambda n: f"{n * 7919:032x}",
    "sum": lambda n: f"{n * 1.5 + 0.25}",
}
FORMS = ("csv", "semicolons", "tsv", "utf-16", "bom", "crlf", "json", "jsonl", "parquet")


@dataclass(frozen=True)
class Written:
    """Records of (photo, label, split), and the columns around them."""

    records: list[tuple[str, str, str | None]]
    path: str
    label: str
    split: str | None
    beside: list[str]
    order: list[int]
    form: str


@st.composite
def tables(draw: st.DrawFn) -> Written:
    count = draw(st.integers(1, 12))
    words = draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=4, unique=True))
    split = draw(st.sampled_from([None, "split", "Subset", "set", "usage"]))
    records = [
        (
            f"{n}.png",
            draw(st.sampled_from(words)),
            draw(st.sampled_from(list(SPLITS))) if split else None,
        )
        for n in range(count)
    ]
    beside = draw(st.lists(st.sampled_from(list(BESIDE)), max_size=4, unique=True))
    columns = 2 + bool(split) + len(beside)
    return Written(
        records,
        draw(st.sampled_from(PATHS)),
        draw(st.sampled_from(LABELS)),
        split,
        beside,
        draw(st.permutations(range(columns))),
        draw(st.sampled_from(FORMS)),
    )


def cells(table: Written) -> tuple[list[str], list[list[str]]]:
    header = [table.path, table.label, *([table.split] if table.split else []), *table.beside]
    rows = [
        [path, label, *([split] if split else []), *(BESIDE[b](n) for b in table.beside)]
        for n, (path, label, split) in enumerate(table.records)
    ]
    return [header[i] for i in table.order], [[row[i] for i in table.order] for row in rows]


def write(table: Written, folder: Path) -> Path:
    header, rows = cells(table)
    ending = {"json": "json", "jsonl": "jsonl", "parquet": "parquet", "tsv": "tsv"}
    file = folder / f"table.{ending.get(table.form, 'csv')}"
    records = [dict(zip(header, row, strict=True)) for row in rows]
    if table.form == "json":
        file.write_text(json.dumps(records, ensure_ascii=False), "utf-8")
    elif table.form == "jsonl":
        file.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    elif table.form == "parquet":
        columns = {name: [record[name] for record in records] for name in header}
        pq.write_table(pa.table(columns), file, row_group_size=3)
    else:
        text = io.StringIO(newline="")
        separator = {"semicolons": ";", "tsv": "\t"}.get(table.form, ",")
        end = "\r\n" if table.form == "crlf" else "\n"
        csv.writer(text, delimiter=separator, lineterminator=end).writerows([header, *rows])
        encoding = {"utf-16": "utf-16", "bom": "utf-8-sig"}.get(table.form, "utf-8")
        file.write_bytes(text.getvalue().encode(encoding))
    return file


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("fuzz")
    for n in range(12):
        save(root / f"{n}.png")
    return root


def check(folder: Path, table: Written) -> None:
    file = write(table, folder)
    expected = [(path, label, SPLITS.get(split or "")) for path, label, split in table.records]
    refused = ""
    try:
        found = open_photos(file, least_classes=1)
    except (DatasetError, UsageError) as error:
        refused = str(error)
    finally:
        file.unlink()
    if refused:
        assert len(refused) < 2000
        # A usual name leaves nothing to doubt.
        assert table.label in ("emotion", "kind") or table.split == "set", refused
        return
    assert [(p.name, p.label, p.split) for p in found.photos] == expected
    assert not found.skipped
    assert found.findings


@given(tables())
@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
def test_tables_are_read_as_written_or_refused(folder: Path, table: Written) -> None:
    check(folder, table)


@pytest.mark.slow
@given(tables())
@settings(max_examples=10_000, suppress_health_check=[HealthCheck.too_slow])
def test_ten_thousand_tables(folder: Path, table: Written) -> None:
    check(folder, table)
