"""COCO: a JSON file of images, annotations and categories (Lin et al., ECCV 2014).

Also as Roboflow writes it, `_annotations.coco.json` in a folder per split. A box is x, y, width,
height in pixels from 0.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from eyespot.data.boxes.entries import Annotations, Boxes, Corners, around, number, size_of
from eyespot.data.boxes.parse import read_json
from eyespot.data.boxes.tree import Tree, near
from eyespot.data.photos import Skipped, printable
from eyespot.data.split_names import Split, split_mentioned
from eyespot.errors import DatasetError
from eyespot.shown import listed, shown


def read_coco(tree: Tree, files: list[Path]) -> Annotations:
    """The photos of all these files, `instances_*.json` alone where there are such.

    Raises DatasetError for a file that is not COCO, and if two files list the same photo.
    """
    found = Annotations()
    instances = [file for file in files if file.name.startswith("instances_")]
    read: dict[Path, Path] = {}
    for file in instances or files:
        split = (split_mentioned(file.stem) if len(instances or files) > 1 else None) or (
            tree.split_of(file)
        )
        for path in _read_file(file, tree, split, found):
            if path in read:
                named = listed(printable(one.name) for one in (read[path], file))
                raise DatasetError(
                    f"Expected one COCO file for each photo, {tree.name_of(path)} is in {named}. "
                    "Open one of these files."
                )
            read[path] = file
    return found


def _read_file(file: Path, tree: Tree, split: Split | None, found: Annotations) -> list[Path]:
    whole = read_json(file)
    images = _objects(file, whole, "images")
    names = {
        _key(category.get("id")): str(category.get("name", ""))
        for category in _objects(file, whole, "categories")
    }
    boxes: dict[str, Boxes] = {_key(image.get("id")): Boxes() for image in images}
    stated = {_key(image.get("id")): _name_of(image) for image in images}
    photos = {key: printable(name)[:200] for key, name in stated.items()}
    if len(stated) < len(images):
        raise DatasetError(
            f"Expected a different id for each image in {printable(file)}, found "
            f"{len(images):,} images with {len(stated):,} ids."
        )
    for annotation in _objects(file, whole, "annotations"):
        owner = _key(annotation.get("image_id"))
        if owner not in boxes:
            found.problems.add("unknown photo", tree.name_of(file))
            continue
        _add(annotation, names, boxes[owner], photos[owner], found)
    paths: dict[Path, None] = {}
    folders = near(file, tree, split)
    for image in images:
        key = _key(image.get("id"))
        path = tree.named(stated[key], folders, found.problems)
        if path is None or path in paths:
            why = "the photo is listed twice" if path else tree.why_missing(stated[key])
            found.skipped.append(Skipped(photos[key], why))
            continue
        paths[path] = None
        size = size_of(image.get("width"), image.get("height"))
        found.entries.append(boxes[key].entry(tree.photo(path, split), size))
    return list(paths)


def _add(
    annotation: Mapping[str, Any],
    names: Mapping[str, str],
    boxes: Boxes,
    photo: str,
    found: Annotations,
) -> None:
    category = _key(annotation.get("category_id"))
    if category not in names:
        found.problems.add("unknown class", photo)
        boxes.lost += 1
        return
    corners = _corners(annotation.get("bbox"))
    if corners is None:
        corners = _around_polygons(annotation.get("segmentation"))
        found.problems.add("polygon" if corners else "other shape", photo)
        boxes.lost += int(corners is None)
    if corners is not None:
        boxes.add(corners, names[category], annotation.get("iscrowd") in (1, True))


def _corners(bbox: object) -> Corners | None:
    if not isinstance(bbox, Sequence) or isinstance(bbox, str) or len(bbox) != 4:
        return None
    x, y, width, height = map(number, bbox)
    return x, y, x + width, y + height


def _around_polygons(segmentation: object) -> Corners | None:
    """The box around lists of x, y, x, y, ...; None for run-length masks."""
    if not isinstance(segmentation, list):
        return None
    flat = [part for part in segmentation if isinstance(part, list) and len(part) >= 6]
    points = [
        (number(x), number(y)) for part in flat for x, y in zip(part[::2], part[1::2], strict=False)
    ]
    return around(points) if points else None


def _objects(file: Path, whole: object, key: str) -> list[Mapping[str, Any]]:
    value = whole.get(key) if isinstance(whole, dict) else None
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise DatasetError(
            f"Expected COCO's images, annotations and categories in {printable(file)}, each a list "
            f"of objects; {key} is {shown(value)}."
        )
    return value


def _name_of(image: Mapping[str, Any]) -> str:
    name = image.get("file_name")
    return name if isinstance(name, str) else ""


def _key(value: object) -> str:
    """An id as text: some tools write 1 and "1"."""
    return str(value) if isinstance(value, str | int) else shown(value)
