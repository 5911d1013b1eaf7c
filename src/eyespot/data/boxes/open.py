"""Open photos with boxes in any supported format."""

import os
from collections.abc import Sequence
from pathlib import Path

from eyespot.data.boxes.audit import audited
from eyespot.data.boxes.dataset import AnnotatedPhoto, BoxDataset
from eyespot.data.boxes.detect import READERS, formats_in
from eyespot.data.boxes.given import GivenBoxes, read_given
from eyespot.data.boxes.tree import Tree
from eyespot.data.finding import Finding
from eyespot.data.folders import is_folder
from eyespot.data.given import path_of
from eyespot.data.photos import printable
from eyespot.errors import DatasetError
from eyespot.files import is_file
from eyespot.shown import counted, listed


def open_boxes(
    source: str | Path | Sequence[AnnotatedPhoto | GivenBoxes] | BoxDataset,
) -> BoxDataset:
    """Photos with boxes in pixels of the upright photos; a BoxDataset is returned unchanged.

    `source`: a folder, or a file of boxes with its photos beside it, in Pascal VOC, COCO, YOLO,
    Label Studio, CVAT or CSV, which a finding names; or a list of AnnotatedPhotos or of
    (photo, boxes, labels), boxes [n, 4] of xmin, ymin, xmax, ymax in pixels of the upright photo.
    Splits are those of the source. Photos and boxes that cannot be used are skipped or left out;
    `skipped` and `findings` say so.
    Raises DatasetError if the source has no boxes, boxes in several formats, ambiguous columns, or
    coordinates in another unit than its format's, and UsageError for an invalid path.
    """
    if isinstance(source, BoxDataset):
        return source
    if not isinstance(source, str | os.PathLike):
        return audited(read_given(source), "the list")
    path = path_of(source)
    if not is_folder(path) and not is_file(path):
        raise DatasetError(f"Found no file or folder {printable(path)}. Check the spelling.")
    tree, found = _formats(path)
    if len(found) != 1:
        raise _not_one(path, tree, found)
    ((name, files),) = found.items()
    annotations = READERS[name](tree, files)
    read = tree.name_of(files[0]) if len(files) == 1 else counted(len(files), "file")
    told = Finding("format", "note", f"Boxes were read as {name} ({read}).")
    annotations.findings.insert(0, told)
    return audited(annotations, printable(path))


def box_format(source: str | Path) -> str | None:
    """The format of the boxes in a folder or file, as "COCO"; None where there are none. Reads
    names of files and the start of a few. Several formats are joined by "and"."""
    path = path_of(source)
    if not is_folder(path) and not is_file(path):
        return None
    return " and ".join(_formats(path)[1]) or None


def _formats(path: Path) -> tuple[Tree, dict[str, list[Path]]]:
    if is_folder(path):
        tree = Tree(path)
        return tree, formats_in(tree)
    above = path.absolute().parent
    tree = Tree(above.parent if above.name.casefold() == "annotations" else above)
    return tree, formats_in(tree, path.absolute())


def _not_one(path: Path, tree: Tree, found: dict[str, list[Path]]) -> DatasetError:
    if not found:
        return DatasetError(
            f"Expected boxes in {listed(READERS)}, found none in {printable(path)}. Open the "
            "folder that holds both photos and annotations."
        )
    several = listed(f"{name} ({tree.name_of(files[0])})" for name, files in found.items())
    return DatasetError(
        f"Expected boxes in one format, found {several} in {printable(path)}. Move the others "
        "away, or open one file, which is then read alone."
    )
