"""CVAT: the XML export "CVAT for images 1.1", boxes in pixels from 0."""

from pathlib import Path
from xml.etree.ElementTree import Element

from eyespot.data.boxes.entries import Annotations, Boxes, around_rotated, number, size_of
from eyespot.data.boxes.parse import read_xml
from eyespot.data.boxes.tree import Tree, near
from eyespot.data.photos import Skipped, printable
from eyespot.data.split_names import split_named
from eyespot.errors import DatasetError

CORNERS = ("xtl", "ytl", "xbr", "ybr")
SHAPES = ("polygon", "polyline", "points", "ellipse", "cuboid", "mask", "skeleton")


def read_cvat(tree: Tree, files: list[Path]) -> Annotations:
    """The photos of all these files. Raises DatasetError for a video's tracks."""
    found = Annotations()
    read: set[Path] = set()
    for file in files:
        root = read_xml(file)
        if root.find("track") is not None:
            raise DatasetError(
                f"Expected annotations of photos in {printable(file)}, found tracks of a video. "
                'Export it from CVAT as "CVAT for images 1.1", with the photos.'
            )
        folders = near(file, tree)
        for image in root.iterfind("image"):
            name = image.get("name", "")
            path = tree.named(name, folders, found.problems)
            if path is None or path in read:
                why = "the photo is listed twice" if path else tree.why_missing(name)
                found.skipped.append(Skipped(printable(name)[:200], why))
                continue
            read.add(path)
            photo = tree.photo(path, split_named(image.get("subset", "")))
            size = size_of(image.get("width"), image.get("height"))
            found.entries.append(_boxes_of(image, photo.name, found).entry(photo, size))
    return found


def _boxes_of(image: Element, photo: str, found: Annotations) -> Boxes:
    boxes = Boxes()
    for shape in image:
        if shape.tag != "box":
            lost = int(shape.tag in SHAPES)
            found.problems.add("other shape", photo, lost)
            boxes.lost += lost
            continue
        xmin, ymin, xmax, ymax = (number(shape.get(side)) for side in CORNERS)
        corners = (xmin, ymin, xmax, ymax)
        if turn := number(shape.get("rotation", "0")):
            corners = around_rotated(corners, turn, ((xmin + xmax) / 2, (ymin + ymax) / 2))
            found.problems.add("rotated", photo)
        boxes.add(corners, shape.get("label", ""))
    return boxes
