"""YOLO: a text file per photo, a line per box: class number, x and y of the centre, width, height,
each a share of the upright photo's width or height (Redmon and Farhadi, darknet, 2016).

`data.yaml` (Ultralytics, Roboflow) or `classes.txt` (LabelImg) has the class names. Labels are in
labels/ where photos are in images/, or beside the photos. A photo without a label file is
background. A line of a polygon gives the box around it.
"""

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from eyespot.data.boxes.entries import Annotations, Boxes, Corners, around, first_held_out, number
from eyespot.data.boxes.parse import read_lines, read_yaml
from eyespot.data.boxes.tree import Tree
from eyespot.data.finding import Finding
from eyespot.data.formats import EXTENSIONS
from eyespot.data.photos import Skipped, printable
from eyespot.data.split_names import Split
from eyespot.data.text import is_there, read_list
from eyespot.errors import DatasetError
from eyespot.shown import counted, listed, shown

NAMES_FILES = ("classes.txt", "obj.names", "_darknet.labels", "predefined_classes.txt")
SPLIT_KEYS: dict[str, Split] = {"train": "train", "val": "val", "valid": "val", "test": "test"}
BOX, CONFIDENT_BOX = 5, 6
"""Values in a line: class, x, y, width, height, and perhaps a confidence."""


def read_yolo(tree: Tree, files: list[Path]) -> Annotations:
    """The photos of a `data.yaml`, or those of the whole tree with `classes.txt` or without names.

    Raises DatasetError for several or damaged `data.yaml`, without a photo, and for names that do
    not fit `nc`.
    """
    found = Annotations()
    yamls = [file for file in files if file.suffix.lower() in (".yaml", ".yml")]
    if len(yamls) > 1:
        named = listed(tree.name_of(file) for file in yamls)
        raise DatasetError(f"Expected one data.yaml, found {named}. Open one of these files.")
    photos: dict[Path, Split | None]
    names: dict[int, str] | None
    keypoints = False
    if yamls:
        stated = read_yaml(yamls[0])
        if not isinstance(stated, dict):
            raise DatasetError(f"Expected names and train in {printable(yamls[0])}, found neither.")
        names, keypoints = _names_of(yamls[0], stated), "kpt_shape" in stated
        photos = _photos_of(tree, yamls[0], stated, found)
    else:
        lists = [file for file in files if file.name in NAMES_FILES]
        names = dict(enumerate(read_lines(lists[0]))) if lists else None
        photos = {path: tree.split_of(path) for path in tree.photos}
    unnamed: dict[str, None] = {}
    for path, split in photos.items():
        labels = label_file(path)
        boxes = Boxes()
        if not is_there(labels):
            found.problems.add("no file", tree.name_of(path))
        else:
            try:
                lines = read_lines(labels)
            except DatasetError as error:
                found.skipped.append(Skipped(tree.name_of(path), str(error)))
                continue
            for line in lines:
                _add(line, names, keypoints, boxes, tree.name_of(path), found)
        found.entries.append(boxes.entry(tree.photo(path, split), unit="share"))
        unnamed |= dict.fromkeys(boxes.labels if names is None else ())
    if unnamed:
        message = f"No class names found; the classes are called {listed(sorted(unnamed))}."
        advice = "Write them into classes.txt, one per line, beside images and labels."
        found.findings.append(Finding("labels", "warning", message, advice))
    return found


def label_file(photo: Path) -> Path:
    """Where the labels of a photo are: the last folder `images` is replaced by `labels`; or beside
    the photo."""
    beside = photo.with_suffix(".txt")
    parts = list(beside.parts)
    for depth in range(len(parts) - 2, -1, -1):
        if parts[depth].casefold() == "images":
            parts[depth] = "labels"
            inside = Path(*parts)
            return inside if is_there(inside) or not is_there(beside) else beside
    return beside


def _names_of(file: Path, stated: Mapping[str, object]) -> dict[int, str]:
    given, count = stated.get("names"), number(stated.get("nc"))
    names: dict[int, str] = {}
    if isinstance(given, list):
        names = dict(enumerate(map(str, given)))
    elif isinstance(given, dict) and all(_is_number(str(key)) for key in given):
        names = {int(key): str(name) for key, name in given.items()}
    if not names or not (math.isnan(count) or count == len(names)):
        raise DatasetError(
            f"Expected the name of each class as names in {printable(file)}, found {shown(given)}"
            + (f" with nc {count:.0f}." if not math.isnan(count) else ".")
        )
    return names


def _is_number(key: str) -> bool:
    return key.isdecimal() and len(key) < 10


def _photos_of(
    tree: Tree, file: Path, stated: Mapping[str, object], found: Annotations
) -> dict[Path, Split | None]:
    """The photos of each split that a data.yaml names, and their split."""
    photos: dict[Path, Split | None] = {}
    read: dict[Path, str] = {}
    for key, split in SPLIT_KEYS.items():
        given = stated.get(key) or []
        for cell in [given] if isinstance(given, str) else given if isinstance(given, list) else []:
            place = _place(tree, file, str(stated.get("path") or ""), str(cell))
            if place is None:
                reason = f"{key}: {printable(str(cell))[:200]} is missing"
                found.skipped.append(Skipped(tree.name_of(file), reason))
                continue
            if place in read:  # as in coco128.yaml
                message = f"{key} is the same as another split ({read[place]}), read as that alone."
                found.findings.append(Finding("splits", "warning", message))
                continue
            paths = list(read_list(place)) if place.is_file() else _below(tree, place)
            read[place] = f"{tree.name_of(place)} ({split}, {counted(len(paths))})"
            for path in paths:
                if not is_there(path):
                    found.skipped.append(Skipped(tree.name_of(path), "the photo is missing"))
                elif photos.setdefault(path, split) != split:
                    found.problems.add("two splits", tree.name_of(path))
                    photos[path] = first_held_out(photos[path], split)
    if read:
        message = f"{tree.name_of(file)} names the splits {listed(read.values())}."
        found.findings.append(Finding("splits", "note", message))
    return photos


def _place(tree: Tree, file: Path, base: str, cell: str) -> Path | None:
    """The folder or list of a split, inside the tree if there is one. `../train/images` of Roboflow
    and paths of other machines name the longest end of the path that is beside the data.yaml."""
    parts = [part for part in Path(cell.replace("\\", "/")).parts if part not in ("..", ".", "/")]
    ends = [file.parent.joinpath(*parts[start:]) for start in range(len(parts))]
    places = [file.parent / base / cell, tree.root / cell, *ends]
    places = [Path(os.path.normpath(place)) for place in places]
    places.sort(key=lambda place: not place.is_relative_to(tree.root))
    return next(filter(is_there, places), None)


def _below(tree: Tree, folder: Path) -> list[Path]:
    if folder.is_relative_to(tree.root):
        return [path for path in tree.photos if path.is_relative_to(folder)]
    return Tree(folder).photos


def _add(
    line: str,
    names: Mapping[int, str] | None,
    keypoints: bool,
    boxes: Boxes,
    photo: str,
    found: Annotations,
) -> None:
    cells = line.split()
    values = [number(cell) for cell in cells[1:]]
    first = number(cells[0])
    if not first.is_integer() or first < 0:
        found.problems.add("bad line", photo)
        boxes.lost += 1
        return
    label = int(first)
    if names is not None and label not in names:
        found.problems.add("unknown class", photo)
        boxes.lost += 1
        return
    corners: Corners
    if len(cells) in (BOX, CONFIDENT_BOX) or (keypoints and len(cells) > BOX):
        x, y, width, height = values[:4]
        corners = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    elif len(values) >= 6 and len(values) % 2 == 0:
        corners = around(list(zip(values[::2], values[1::2], strict=True)))
        found.problems.add("polygon", photo)
    else:
        found.problems.add("bad line", photo)
        boxes.lost += 1
        return
    boxes.add(corners, names[label] if names is not None else str(label))


def label_files(photos: Sequence[Path]) -> int:
    """How many of the photos have a label file."""
    return sum(is_there(label_file(path)) for path in photos if path.suffix.lower() in EXTENSIONS)
