"""The class and split of each photo by its path alone: for folders, archives and the studio."""

import posixpath
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from eyespot.data.class_folders import check_class_folders
from eyespot.data.finding import Finding
from eyespot.data.folder_tree import depth_of_root, tree_of
from eyespot.data.formats import EXTENSIONS, OTHER_EXTENSIONS, RAW_EXTENSIONS
from eyespot.data.photos import Skipped, label_of
from eyespot.data.set_aside import Parts, passed_over, set_aside
from eyespot.data.split_folders import TreeReader
from eyespot.data.split_names import Split

NO_PHOTOS = OTHER_EXTENSIONS | RAW_EXTENSIONS
"""Endings of files that are not photos. A file of any other ending may be one."""


@dataclass(frozen=True, slots=True)
class Place:
    """The class and split of a photo."""

    label: str
    split: Split | None = None


@dataclass(frozen=True)
class Layout:
    """`places`: of each path, in order; None for a skipped one. `skipped`: by path, with reasons.
    `findings`: how the folders were read. `depth`: of the class folders."""

    places: tuple[Place | None, ...]
    skipped: tuple[Skipped, ...]
    findings: tuple[Finding, ...]
    depth: int = 0


def read_layout(paths: Sequence[Parts], root: str, passed: Iterable[str] = ()) -> Layout:
    """Read a folder per class, or these inside the folders of splits or folds, or splits inside
    each class. All photos below a class folder belong to its class.

    `paths`: of photos. `root`: the name of what holds them, for messages. `passed`: names that
    were set aside already. Without any class, all places are None. Raises DatasetError for an
    ambiguous tree: splits without classes, a name that may be a class or a split, classes that
    all contain the same folders.
    """
    aside = set_aside(paths)
    reader = TreeReader(paths, root)
    classes = reader.read(tree_of(paths, [left is None for left in aside]))
    places: list[Place | None] = [None] * len(paths)
    for one in classes:
        for index in one.folder.photos():
            places[index] = Place(label_of(one.name), one.split)
    findings = [*passed_over([*passed, *filter(None, aside)]), *reader.findings]
    findings += check_class_folders(classes, root)
    return Layout(tuple(places), tuple(reader.skipped), tuple(findings), reader.depth)


def parts_of(name: str) -> Parts:
    """The parts of a path as archives and browsers write it: with either slash, without drive,
    root, `.` and `..`."""
    slashed = re.sub(r"^[A-Za-z]:(?=[\\/])", "", name).replace("\\", "/")
    return tuple(part for part in posixpath.normpath(f"/{slashed}").split("/") if part)


def read_listed(names: Sequence[str], root: str) -> Layout:
    """As `read_layout`, for all files of an archive or a dropped folder, photos or not. Folders
    that enclose everything do not count. Raises DatasetError as it does."""
    paths = [parts_of(name) for name in names]
    aside = set_aside(paths)
    endings = [PurePosixPath(parts[-1]).suffix.lower() if parts else "" for parts in paths]
    kept = [
        bool(parts) and not left and ending not in NO_PHOTOS
        for parts, left, ending in zip(paths, aside, endings, strict=True)
    ]
    photos = [index for index, is_photo in enumerate(kept) if is_photo]
    above = depth_of_root(tree_of(paths, kept))
    passed = [left for left, end in zip(aside, endings, strict=True) if left and end in EXTENSIONS]
    inside = [paths[index][above:] or paths[index][-1:] for index in photos]
    layout = read_layout(inside, root, passed)
    places = dict(zip(photos, layout.places, strict=True))
    skipped = [
        Skipped(label_of("/".join(parts)), "is not a photo")
        for parts, left, is_photo in zip(paths, aside, kept, strict=True)
        if parts and not left and not is_photo
    ]
    return replace(
        layout,
        places=tuple(places.get(index) for index in range(len(names))),
        skipped=(*layout.skipped, *skipped),
    )
