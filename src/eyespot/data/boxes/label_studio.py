"""Label Studio: the JSON export of tasks with rectangle labels, in percent of the photo.

Each task has `data` with the photo's address, and `annotations` with `result`; JSON_MIN, with
results in the task itself, is read too. Predictions are not annotations.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from eyespot.data.boxes.entries import Annotations, Boxes, around_rotated, number, size_of
from eyespot.data.boxes.parse import read_json
from eyespot.data.boxes.tree import Tree, near
from eyespot.data.column import is_path
from eyespot.data.photos import Skipped, printable
from eyespot.errors import DatasetError

Result = Mapping[str, Any]


def read_label_studio(tree: Tree, files: list[Path]) -> Annotations:
    """The photos of all tasks. Raises DatasetError for a file that is not a list of tasks."""
    found = Annotations()
    read: set[Path] = set()
    for file in files:
        tasks = read_json(file)
        if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
            raise DatasetError(f"Expected a list of Label Studio tasks in {printable(file)}.")
        folders = near(file, tree)
        for position, task in enumerate(tasks, start=1):
            address = _address(task)
            path = tree.named(unquote(address), folders, found.problems) if address else None
            if path is None or path in read:
                why = "another task has the photo" if path else tree.why_missing(address)
                name = printable(address)[:200] or f"task {position}"
                found.skipped.append(Skipped(name, why))
                continue
            read.add(path)
            results = _results(task, tree.name_of(path), found)
            if results is None:
                found.problems.add("not annotated", tree.name_of(path))
                continue
            _read_task(path, results, tree, found)
    return found


def _read_task(path: Path, results: list[Result], tree: Tree, found: Annotations) -> None:
    photo, boxes, size = tree.photo(path), Boxes(), None
    for result in results:
        value = result.get("value", result)
        own = size_of(result.get("original_width"), result.get("original_height"))
        if not isinstance(value, dict) or not value.keys() >= {"x", "y", "width", "height"}:
            if result.get("type") != "choices":  # a class of the whole photo is not a shape
                found.problems.add("other shape", photo.name)
                boxes.lost += 1
            continue
        if number(result.get("image_rotation", 0)) not in (0.0, 360.0):
            found.skipped.append(Skipped(photo.name, "the photo was rotated while it was labelled"))
            return
        size = own or size
        x, y, width, height = (
            number(value.get(key)) / 100 for key in ("x", "y", "width", "height")
        )
        corners = (x, y, x + width, y + height)
        if turn := number(value.get("rotation") or 0):
            aspect = own[0] / own[1] if own else 1.0
            wide = (x * aspect, y, (x + width) * aspect, y + height)
            xmin, ymin, xmax, ymax = around_rotated(wide, turn, (x * aspect, y))
            corners = (xmin / aspect, ymin, xmax / aspect, ymax)
            found.problems.add("rotated", photo.name)
        labels = value.get("rectanglelabels") or value.get("labels")
        label = labels[0] if isinstance(labels, list) and labels else ""
        boxes.add(corners, label if isinstance(label, str) else "")
    found.entries.append(boxes.entry(photo, size, "share"))


def _results(task: Mapping[str, Any], photo: str, found: Annotations) -> list[Result] | None:
    """The results of the task's annotation; None if nobody annotated it."""
    given = task.get("annotations", task.get("completions"))
    if not isinstance(given, list):
        return list(_objects(*(v for v in task.values() if isinstance(v, list)))) or None
    done = [one for one in _objects(given) if not one.get("was_cancelled")]
    if not done:
        return None
    if len(done) > 1:
        found.problems.add("several annotators", photo)
    chosen = next((one for one in done if one.get("ground_truth")), done[0])
    results = _objects(chosen.get("result"))
    return [one for one in results if one.get("type") != "relation"]


def _objects(*lists: object) -> Iterator[Mapping[str, Any]]:
    for given in lists:
        yield from (
            one for one in (given if isinstance(given, list) else ()) if isinstance(one, dict)
        )


def _address(task: Mapping[str, Any]) -> str:
    """The photo's path or address in a task's data."""
    data = task.get("data", task)
    values = data.values() if isinstance(data, dict) else ()
    cells = [value for value in values if isinstance(value, str)]
    # As /data/local-files/?d=photos/1.jpg
    return next((cell for cell in cells if is_path(cell) or is_path(cell.split("=")[-1])), "")
