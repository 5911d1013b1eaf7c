"""Tables in JSON: a list of objects, one object per line, or Label Studio tasks."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from eyespot.data.column import text_of
from eyespot.data.photos import printable
from eyespot.errors import DatasetError
from eyespot.shown import sentence

DEEPEST = 6
"""Levels of nested objects that are flattened."""


def rows_of_json(name: str, text: str) -> tuple[tuple[str, ...], list[tuple[int, Sequence[str]]]]:
    """Column names and numbered rows of cells as text. Raises DatasetError.

    Nested objects become columns with dotted names; a list with one item becomes the item.
    """
    records = []
    for number, record in _records(name, text):
        if not isinstance(record, dict):
            raise DatasetError(
                f"Expected JSON objects with a photo and a label in {printable(name)}; number "
                f'{number} is not an object. Write as: {{"file_name": "1.jpg", "label": "cat"}}'
            )
        records.append((number, flat(record)))
    header = tuple(dict.fromkeys(key for _, record in records for key in record))
    return header, [(number, [record.get(key, "") for key in header]) for number, record in records]


def _records(name: str, text: str) -> Iterator[tuple[int, Any]]:
    try:
        whole = json.loads(text)
    except RecursionError as error:
        raise DatasetError(f"{printable(name)} is nested too deeply.") from error
    except ValueError:
        yield from _lines(name, text)
        return
    if isinstance(whole, dict) and {"images", "annotations"} <= whole.keys():
        raise DatasetError(
            f"{printable(name)} holds COCO annotations, which are not supported here. Write one "
            "line per photo, as: photos/1.jpg,cat"
        )
    rows = whole if isinstance(whole, list) else [whole]
    for number, row in enumerate(rows, start=1):
        yield number, _task(name, number, row) if _is_task(row) else row


def _lines(name: str, text: str) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DatasetError(
                f"Expected a JSON object in each line of {printable(name)}; line {number} is not "
                f"JSON: {sentence(error)}"
            ) from error
        yield number, row


def _is_task(row: Any) -> bool:
    fields = row if isinstance(row, dict) else {}
    return isinstance(fields.get("data"), dict) and isinstance(fields.get("annotations"), list)


def _task(name: str, number: int, row: Mapping[str, Any]) -> dict[str, Any]:
    """A Label Studio task: its data, and the choice of its annotators if they agree."""
    choices: dict[str, set[str]] = {}
    for annotation in row["annotations"]:
        if not isinstance(annotation, dict) or annotation.get("was_cancelled"):
            continue
        for result in annotation.get("result") or ():
            kind, value = result.get("type"), result.get("value") or {}
            if kind != "choices":
                raise DatasetError(
                    f"Expected annotations of the type choices in {printable(name)}, found "
                    f"{printable(str(kind))} (item {number}). eyespot supports classes of whole "
                    "photos only."
                )
            labels = value.get("choices") or []
            choices.setdefault(str(result.get("from_name", "choice")), set()).add(
                labels[0] if len(labels) == 1 else json.dumps(labels)
            )
    task = dict(row["data"])
    for question, answers in choices.items():
        # Without agreement, the photo has no label.
        task[f"{question}.choice"] = answers.pop() if len(answers) == 1 else ""
    return task


def flat(record: Mapping[str, Any], above: str = "", depth: int = 0) -> dict[str, str]:
    """An object as cells of text; nested objects get dotted names."""
    cells: dict[str, str] = {}
    for key, value in record.items():
        name = f"{above}{key}"
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if isinstance(value, dict) and depth < DEEPEST:
            cells |= flat(value, f"{name}.", depth + 1)
        elif isinstance(value, dict | list):
            cells[name] = json.dumps(value, ensure_ascii=False) if value else ""
        else:
            cells[name] = text_of(value)
    return cells
