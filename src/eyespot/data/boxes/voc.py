"""Pascal VOC: an XML file per photo (Everingham et al., IJCV 2010; development kit of VOC2012).

In JPEGImages/ and Annotations/ with lists in ImageSets/Main/, beside the photos, or in a folder of
their own. Coordinates are whole pixels and count from 1, xmax and ymax included: xmin 1, xmax 1
covers the first column. A collection that has a 0 counts from 0.
"""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from xml.etree.ElementTree import Element

from eyespot.data.boxes.entries import (
    Annotations,
    Boxes,
    Corners,
    Entry,
    first_held_out,
    number,
    size_of,
)
from eyespot.data.boxes.parse import read_lines, read_xml
from eyespot.data.boxes.tree import Tree, near
from eyespot.data.finding import Finding
from eyespot.data.photos import Skipped, printable
from eyespot.data.split_names import Split, split_named
from eyespot.errors import DatasetError

SIDES = ("xmin", "ymin", "xmax", "ymax")


def read_voc(tree: Tree, files: list[Path]) -> Annotations:
    """The photos of all these XML files. A damaged file, or one without a photo, is skipped."""
    found = Annotations()
    listed = _lists(tree, {file.stem for file in files}, found)
    paired: dict[Path, tuple[Boxes, tuple[int, int] | None, Split | None]] = {}
    for file in files:
        split = listed.get(file.stem) if listed else tree.split_of(file)
        if listed and split is None:
            found.problems.add("not listed", tree.name_of(file))
            continue
        try:
            root = read_xml(file)
        except DatasetError as error:
            found.skipped.append(Skipped(tree.name_of(file), str(error)))
            continue
        if root.tag != "annotation":
            reason = f"is not a Pascal VOC annotation: its root is {printable(root.tag)[:80]!r}"
            found.skipped.append(Skipped(tree.name_of(file), reason))
            continue
        path = _photo_of(root, file, tree, found)
        if path is None or path in paired:
            stated = printable(_text(root, "filename") or file.stem)[:200]
            why = "another annotation has its photo" if path else tree.why_missing(stated)
            reason = f"{why}: {stated}"
            found.skipped.append(Skipped(tree.name_of(file), reason))
            continue
        size = size_of(_text(root, "size/width"), _text(root, "size/height"))
        paired[path] = _boxes_of(root, tree.name_of(path), found), size, split
    first = _first_pixel(paired.values(), found)
    found.entries = [
        _entry(tree, path, boxes, size, split, first)
        for path, (boxes, size, split) in paired.items()
    ]
    _report_unannotated(tree, paired, listed, files, found)
    return found


def _lists(tree: Tree, stems: set[str], found: Annotations) -> dict[str, Split]:
    """The split of each name in ImageSets/Main; "train" for those of trainval alone. A line is a
    name, perhaps with spaces, or a name and a number."""
    splits: dict[str, set[Split]] = {}
    for file in tree.files(".txt"):
        split = split_named(file.stem)
        # Those of Segmentation, Layout and Action divide other photos.
        if split is None or file.parts[-3:-1] != ("ImageSets", "Main"):
            continue
        for line in read_lines(file):
            own = splits.setdefault(line if line in stems else line.split()[0], set())
            if file.stem.casefold() != "trainval":
                own.add(split)
    for name, own in splits.items():
        if len(own) > 1:
            found.problems.add("two splits", printable(name))
    return {name: first_held_out(*own) or "train" for name, own in splits.items()}


def _photo_of(root: Element, file: Path, tree: Tree, found: Annotations) -> Path | None:
    stated = _text(root, "filename")
    path = tree.beside(file)
    if path is None:
        folders = near(file, tree)
        return tree.named(stated, folders, found.problems) if stated else None
    own = PurePosixPath(stated.replace("\\", "/"))
    if stated and path.stem.casefold() not in (own.stem.casefold(), own.name.casefold()):
        found.problems.add("another name", tree.name_of(path))
    return path


def _boxes_of(root: Element, photo: str, found: Annotations) -> Boxes:
    boxes = Boxes()
    for thing in root.iterfind("object"):
        if (box := thing.find("bndbox")) is None:
            found.problems.add("other shape", photo)
            boxes.lost += 1
            continue
        xmin, ymin, xmax, ymax = (number(box.findtext(side)) for side in SIDES)
        ignored = number(thing.findtext("difficult")) == 1
        boxes.add((xmin, ymin, xmax, ymax), thing.findtext("name") or "", ignored)
    return boxes


def _first_pixel(
    read: Iterable[tuple[Boxes, tuple[int, int] | None, Split | None]], found: Annotations
) -> int:
    """The number of the first pixel: 1 as in Pascal VOC, or 0 if any box begins there."""
    starts = [low for boxes, _, _ in read for corners in boxes.corners for low in corners[:2]]
    if not starts:
        return 1
    first = 0 if any(low < 1 for low in starts) else 1
    why = "a box begins at 0" if first == 0 else "the standard, and no box begins at 0"
    message = f"Pascal VOC coordinates were read as counted from {first} ({why})."
    found.findings.append(Finding("coordinates", "note", message))
    return first


def _entry(
    tree: Tree,
    path: Path,
    boxes: Boxes,
    size: tuple[int, int] | None,
    split: Split | None,
    first: int,
) -> Entry:
    def half_open(corners: Corners) -> Corners:
        xmin, ymin, xmax, ymax = corners
        return xmin - first, ymin - first, xmax, ymax

    boxes.corners = [half_open(corners) for corners in boxes.corners]
    return boxes.entry(tree.photo(path, split), size)


def _report_unannotated(
    tree: Tree,
    paired: Iterable[Path],
    listed: dict[str, Split],
    files: list[Path],
    found: Annotations,
) -> None:
    known = {file.stem for file in files}
    missing = [name for name in listed if name not in known]
    found.skipped += [
        Skipped(printable(name), "is listed, but has no XML file") for name in missing
    ]
    annotated = set(paired)
    for path in tree.photos:
        if path not in annotated and path.stem not in known and not listed:
            found.problems.add("not annotated", tree.name_of(path))


def _text(root: Element, path: str) -> str:
    return (root.findtext(path) or "").strip()
