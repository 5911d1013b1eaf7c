"""The class and split of each photo by its path alone: for folders, archives and the studio."""

import posixpath
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from eyespot.data.class_folders import check_class_folders
from eyespot.data.excluded import PathParts, excluded_by, exclusion_finding
from eyespot.data.finding import Finding
from eyespot.data.folder_tree import depth_of_root, tree_of
from eyespot.data.formats import EXTENSIONS, OTHER_EXTENSIONS, RAW_EXTENSIONS
from eyespot.data.photos import Skipped, label_of
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


def read_layout(paths: Sequence[PathParts], root: str, excluded: Iterable[str] = ()) -> Layout:
    """Read a folder per class, or these inside the folders of splits or folds, or splits inside
    each class. All photos below a class folder belong to its class.

    `paths`: of photos. `root`: the name of what holds them, for messages. `excluded`: names that
    were excluded before. Without any class, all places are None. Raises DatasetError for an
    ambiguous tree: splits without classes, a name that may be a class or a split, classes that
    all contain the same folders.
    """
    excluders = excluded_by(paths)
    reader = TreeReader(paths, root)
    classes = reader.read(tree_of(paths, [by is None for by in excluders]))
    places: list[Place | None] = [None] * len(paths)
    for one in classes:
        for index in one.folder.photos():
            places[index] = Place(label_of(one.name), one.split)
    findings = [*exclusion_finding([*excluded, *filter(None, excluders)]), *reader.findings]
    findings += check_class_folders(classes, root)
    return Layout(tuple(places), tuple(reader.skipped), tuple(findings), reader.depth)


def parts_of(name: str) -> PathParts:
    """The parts of a path as archives and browsers write it: with either slash, without drive,
    root, `.` and `..`."""
    slashed = re.sub(r"^[A-Za-z]:(?=[\\/])", "", name).replace("\\", "/")
    return tuple(part for part in posixpath.normpath(f"/{slashed}").split("/") if part)


def read_listed(names: Sequence[str], root: str) -> Layout:
    """As `read_layout`, for all files of an archive or a dropped folder, photos or not. Folders
    that enclose everything do not count. Raises DatasetError as it does."""
    paths = [parts_of(name) for name in names]
    excluders = excluded_by(paths)
    endings = [PurePosixPath(parts[-1]).suffix.lower() if parts else "" for parts in paths]
    kept = [
        bool(parts) and not by and ending not in NO_PHOTOS
        for parts, by, ending in zip(paths, excluders, endings, strict=True)
    ]
    photos = [index for index, is_photo in enumerate(kept) if is_photo]
    above = depth_of_root(tree_of(paths, kept))
    excluded = [by for by, end in zip(excluders, endings, strict=True) if by and end in EXTENSIONS]
    inside = [paths[index][above:] or paths[index][-1:] for index in photos]
    layout = read_layout(inside, root, excluded)
    places = dict(zip(photos, layout.places, strict=True))
    skipped = [
        Skipped(label_of("/".join(parts)), "is not a photo")
        for parts, by, is_photo in zip(paths, excluders, kept, strict=True)
        if parts and not by and not is_photo
    ]
    return replace(
        layout,
        places=tuple(places.get(index) for index in range(len(names))),
        skipped=(*layout.skipped, *skipped),
    )
