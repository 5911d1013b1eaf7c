"""Check folders that were read as classes: is another level of the tree the classes?"""

import re
from collections.abc import Iterable, Iterator, Sequence

from eyespot.data.finding import Finding
from eyespot.data.folder_tree import ClassFolder
from eyespot.data.photos import label_of, natural, printable
from eyespot.data.split_names import split_named
from eyespot.errors import DatasetError
from eyespot.shown import listed

MOST_NAMED = 4
"""Folders that a message names."""
_PERIODS = frozenset(
    """
    january february march april may june july august september october november december
    jan feb mar apr jun jul aug sep sept oct nov dec day week month year batch part session series
    roll disc disk album set card
    """.split()  # noqa: SIM905
)
"""Words in names of folders that divide a class by time or number."""


def names_of(names: Iterable[str]) -> str:
    """Names of folders for a message."""
    return listed(map(printable, names), MOST_NAMED)


def check_class_folders(classes: Sequence[ClassFolder], root: str) -> Iterator[Finding]:
    """Findings about folders that may be classes or splits but were not read so.

    Raises DatasetError if all classes hold nothing but the same folders.
    """
    yield from _same_folders(classes, root)
    yield from _misplaced_splits(classes)
    yield from _only_class(classes)


def _same_folders(classes: Sequence[ClassFolder], root: str) -> Iterator[Finding]:
    inside: dict[str, set[str]] = {}
    for one in classes:
        inside.setdefault(label_of(one.name), set()).update(map(label_of, one.folder.inside))
    holders = [names for names in inside.values() if names]
    union = {name for names in holders for name in names}
    shared = {name for name in union if sum(name in names for names in holders) > 1}
    if len(inside) < 2 or len(shared) < 2:
        return
    outer = names_of(inside)
    named = f"{outer} contain the same folders ({names_of(sorted(shared, key=natural))})"
    bare = len(holders) == len(inside) and not any(one.folder.own for one in classes)
    if bare and 2 * len(shared) >= len(union) and not all(map(_is_period, shared)):
        raise DatasetError(
            f"Expected a folder per class in {root}; {named}, so either may be the classes. If the "
            "inner ones are the classes, merge them into one folder per class, or open one of the "
            "outer folders. If the outer ones are, move the photos out of the inner ones. A CSV of "
            "path and label works for both."
        )
    if len(holders) == len(inside):
        yield _warning(
            f"{named}: they were read as parts of the classes {outer}.",
            "If the inner folders are the classes, merge them into one folder per class.",
        )


def _misplaced_splits(classes: Sequence[ClassFolder]) -> Iterator[Finding]:
    for name in dict.fromkeys(c.name for c in classes if c.split and split_named(c.name)):
        yield _warning(
            f"{printable(name)} was read as a class, though it has the name of a split.",
            "If it is a split, move it next to the others.",
        )
    deeper = dict.fromkeys(
        "/".join(folder.path)
        for one in classes
        for folder in one.folder.below()
        if split_named(folder.path[-1])
    )
    if deeper:
        one = len(deeper) == 1
        yield _warning(
            f"{names_of(deeper)} {'is' if one else 'are'} inside a class and not read as "
            f"{'a split' if one else 'splits'}: the photos belong to the class.",
            "To use splits, put a folder per class into train, val and test.",
        )


def _only_class(classes: Sequence[ClassFolder]) -> Iterator[Finding]:
    names = {label_of(one.name) for one in classes}
    inside = list(dict.fromkeys(name for one in classes for name in one.folder.inside))
    if len(names) != 1 or len(inside) < 2 or any(one.folder.own for one in classes):
        return
    if not all(map(_is_period, inside)):
        (name,) = names
        yield _warning(
            f"The only class folder, {name}, contains folders ({names_of(inside)}): all their "
            f"photos have the class {name}.",
            f"If those folders are the classes, open {name} instead.",
        )


def _warning(message: str, advice: str) -> Finding:
    return Finding("folders", "warning", message, advice)


def _is_period(name: str) -> bool:
    """Whether a name is a date, a month, or the number of a batch."""
    words = re.findall(r"[^\W\d_]+", name.casefold())
    if not words:
        return re.match(r"(?:19|20)\d\d(?!\d{1,3}$)", name) is not None
    return all(word in _PERIODS for word in words)
