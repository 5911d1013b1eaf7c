"""Which class and split each photo belongs to, by nothing but its path: the one reading that
folders, zip files and the studio's page share."""

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from eyespot.data.finding import Finding
from eyespot.data.formats import EXTENSIONS, OTHER_EXTENSIONS, RAW_EXTENSIONS
from eyespot.data.photos import Skipped, label_of, natural, printable
from eyespot.data.set_aside import Parts, passed_over, set_aside
from eyespot.data.split_names import (
    Split,
    folders_as_splits,
    is_filler,
    is_fold,
    split_mentioned,
    split_named,
)
from eyespot.errors import DatasetError

NO_PHOTOS = OTHER_EXTENSIONS | RAW_EXTENSIONS
"""Endings of what is no photo; files of other endings may be one."""
MOST_NAMED = 4
"""Folders that a message names."""
_PERIODS = frozenset(
    (
        *("january", "february", "march", "april", "may", "june", "july", "august", "september"),
        *(
            "october",
            "november",
            "december",
            "jan",
            "feb",
            "mar",
            "apr",
            "jun",
            "jul",
            "aug",
            "sep",
        ),
        *("sept", "oct", "nov", "dec", "day", "week", "month", "year", "batch", "part", "session"),
        *("series", "roll", "disc", "disk", "album", "set", "card"),
    )
)
"""Words of folders that divide a class by time or by number, and name no class."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a photo belongs."""

    label: str
    split: Split | None = None


@dataclass(frozen=True)
class Layout:
    """`places`: of each path, in order; None for what is left out. `skipped`: left out and why,
    by their paths. `findings`: what was guessed. `depth`: folders above those of the classes."""

    places: tuple[Place | None, ...]
    skipped: tuple[Skipped, ...]
    findings: tuple[Finding, ...]
    depth: int = 0


@dataclass(slots=True)
class _Folder:
    """`own`: indices of the photos in it. `inside`: the folders with photos somewhere below."""

    path: Parts
    own: list[int] = field(default_factory=list)
    inside: dict[str, "_Folder"] = field(default_factory=dict)

    def all(self) -> Iterator[int]:
        yield from self.own
        for folder in self.inside.values():
            yield from folder.all()

    def below(self) -> Iterator["_Folder"]:
        for folder in self.inside.values():
            yield folder
            yield from folder.below()

    def count(self) -> int:
        return sum(1 for _ in self.all())


@dataclass(frozen=True, slots=True)
class _Class:
    name: str
    split: Split | None
    folder: _Folder


def read_layout(paths: Sequence[Parts], root: str, passed: Iterable[str] = ()) -> Layout:
    """Read a folder per class, everything below it belonging to the class, or the same inside the
    folders of splits or folds, or splits inside each class. `paths`: of photos. `root`: what holds
    them, for messages. `passed`: names of what was set aside already. Without any class all places
    are None.

    Raises DatasetError for what cannot be told: splits without classes, a name that may be a class
    or a split, folders that all hold the same folders.
    """
    aside = set_aside(paths)
    reader = _Reader(paths, root)
    classes = reader.read(_tree(paths, [left is None for left in aside]))
    places: list[Place | None] = [None] * len(paths)
    for one in classes:
        for index in one.folder.all():
            places[index] = Place(label_of(one.name), one.split)
    findings = [*passed_over([*passed, *filter(None, aside)]), *reader.findings]
    return Layout(tuple(places), tuple(reader.skipped), tuple(findings), reader.depth)


def parts_of(name: str) -> Parts:
    """The parts of a path as archives and browsers write it: with either slash, perhaps with a
    drive, a root, `.` or `..`, none of which says anything of a class."""
    slashed = re.sub(r"^[A-Za-z]:(?=[\\/])", "", name).replace("\\", "/")
    return tuple(part for part in posixpath.normpath(f"/{slashed}").split("/") if part)


def read_listed(names: Sequence[str], root: str) -> Layout:
    """As `read_layout`, of all files of an archive or a dropped folder, photos or not. Folders
    around everything do not count. Raises DatasetError as it does."""
    paths = [parts_of(name) for name in names]
    aside = set_aside(paths)
    endings = [PurePosixPath(parts[-1]).suffix.lower() if parts else "" for parts in paths]
    others = [bool(left) or end in NO_PHOTOS for left, end in zip(aside, endings, strict=True)]
    others = [other or not parts for other, parts in zip(others, paths, strict=True)]
    photos = [index for index, other in enumerate(others) if not other]
    above = _depth_of_root(_tree(paths, [not other for other in others]))
    passed = [left for left, end in zip(aside, endings, strict=True) if left and end in EXTENSIONS]
    inside = [paths[index][above:] or paths[index][-1:] for index in photos]
    layout = read_layout(inside, root, passed)
    places = dict(zip(photos, layout.places, strict=True))
    skipped = [
        Skipped(label_of("/".join(parts)), "is no photo")
        for parts, left, other in zip(paths, aside, others, strict=True)
        if parts and other and not left
    ]
    return replace(
        layout,
        places=tuple(places.get(index) for index in range(len(names))),
        skipped=(*layout.skipped, *skipped),
    )


def _tree(paths: Sequence[Parts], kept: Sequence[bool]) -> _Folder:
    tree = _Folder(())
    for index, parts in enumerate(paths):
        if kept[index]:
            here = tree
            for depth, name in enumerate(parts[:-1], start=1):
                here = here.inside.setdefault(name, _Folder(parts[:depth]))
            here.own.append(index)
    return tree


def _depth_of_root(tree: _Folder) -> int:
    """How many folders stand around all classes, as photos/ does around photos/cat/1.jpg and
    photos/dog/1.jpg; no split or fold does."""
    here = tree
    while len(here.inside) == 1:
        ((name, folder),) = here.inside.items()
        holds_classes = len(folder.inside) > 1 or (folder.inside and not folder.own)
        if not holds_classes or split_named(name) or is_fold(name):
            break
        here = folder
    return len(here.path)


class _Reader:
    """The reading, and what is told of it on the way."""

    def __init__(self, paths: Sequence[Parts], root: str) -> None:
        self.paths, self.root = paths, root
        self.skipped: list[Skipped] = []
        self.findings: list[Finding] = []
        self.depth = 0

    def read(self, tree: _Folder) -> list[_Class]:
        top = self._unwrapped(tree)
        splits = self._splits(top)
        folds = bool(top.inside) and all(map(is_fold, top.inside))
        self.depth = len(top.path) + (1 if splits or folds else 0)
        if splits:
            classes = self._in_splits(top, splits)
        elif folds:
            classes = self._in_folds(top, None)
        else:
            classes = [_Class(name, None, folder) for name, folder in top.inside.items()]
            classes = self._splits_below(classes) or classes
        self._leave_out(top.own)
        self._expect_different_folders(classes)
        self._tell_deeper(classes)
        self._tell_alone(classes)
        return classes

    # --- splits above the classes -------------------------------------------------------------

    def _unwrapped(self, tree: _Folder) -> _Folder:
        """The folder of the splits or folds, if it stands alone in others."""
        here, loose = tree, list(tree.own)
        while len(here.inside) == 1:
            ((name, folder),) = here.inside.items()
            if split_named(name) and not all(map(split_named, folder.inside)):
                break
            here = folder
            if _are_parts(here) and any(part.inside for part in here.inside.values()):
                self._leave_out(loose)
                return here
            loose += here.own
        return tree

    def _splits(self, top: _Folder) -> dict[str, Split]:
        """The folders that are splits, and which; none if they are classes."""
        named = _splits_among(top.inside)
        others = [name for name in top.inside if name not in named]
        deep = [name for name in named if _inner(top.inside[name]).inside]
        if len(set(named.values())) < 2 and others:
            self._expect_no_mention(top)
            if named and others and all(map(is_fold, others)) and "train" not in named.values():
                return {**dict.fromkeys(others, "train"), **named}
            self._expect_no_train_of_trains(top, deep, others)
            if named:
                self._note(
                    f"{_listed(named)} was read as a class: {_listed(others)} beside it "
                    f"{'is' if len(others) == 1 else 'are'} no split.",
                    "If it is a split, put the class folders into it.",
                )
            return {}
        if named and not deep:
            raise DatasetError(
                f"Expected a folder per class inside {_listed(named)}, as "
                f"{next(iter(named))}/cat/1.jpg; found photos without class folders in "
                f"{self.root}. Make a folder for each class there, or list the photos and their "
                "labels in a CSV."
            )
        return named

    def _expect_no_mention(self, top: _Folder) -> None:
        mentioned = {name: split_mentioned(name) for name in top.inside}
        if all(mentioned.values()) and len(set(mentioned.values())) > 1:
            raise DatasetError(
                f"Expected a folder per class in {self.root}; {_listed(mentioned)} look like "
                "splits of one. Name them train, val and test and put a folder per class into "
                "each, or give the classes other names."
            )

    def _expect_no_train_of_trains(
        self, top: _Folder, deep: Sequence[str], others: Sequence[str]
    ) -> None:
        for name in deep:
            if not top.inside[name].own:
                raise DatasetError(
                    f"Expected a folder per class, or splits, in {self.root}; {printable(name)} "
                    f"may be either: it holds {_listed(top.inside[name].inside)} and stands beside "
                    f"{_listed(others)}. If it is a split, open it alone or move the others; if it "
                    "is a class, give it another name."
                )

    def _in_splits(self, top: _Folder, splits: Mapping[str, Split]) -> list[_Class]:
        classes: list[_Class] = []
        for name, folder in top.inside.items():
            if name not in splits:
                path = "/".join(map(printable, folder.path))
                self.skipped.append(Skipped(path, "stands beside train, val and test"))
                continue
            inner = _inner(folder)
            if len(_splits_among(inner.inside)) == len(inner.inside) > 1:
                raise DatasetError(
                    f"Expected a folder per class inside {printable(name)} in {self.root}; it "
                    f"holds {_listed(inner.inside)}, which are splits themselves. Open one of the "
                    "outer folders alone."
                )
            if inner.inside and all(map(is_fold, inner.inside)):
                classes += self._in_folds(inner, splits[name])
            else:
                classes += [_Class(n, splits[name], within) for n, within in inner.inside.items()]
            loose = self._leave_out(inner.own)
            if loose and not inner.inside:
                self._warn(
                    f"{loose:,} {'photo' if loose == 1 else 'photos'} of {printable(name)} "
                    f"{'stands' if loose == 1 else 'stand'} in no class folder and "
                    f"{'is' if loose == 1 else 'are'} left out.",
                    f"Put them into folders, as {printable(name)}/{printable(classes[0].name)}."
                    if classes
                    else "Put them into class folders.",
                )
        where = f" in {'/'.join(map(printable, top.path))}" if top.path else ""
        self.findings += folders_as_splits(splits, where)
        return classes

    def _in_folds(self, top: _Folder, split: Split | None) -> list[_Class]:
        classes = []
        for name, fold in top.inside.items():
            inner = _inner(fold)
            if inner.inside and all(map(split_named, inner.inside)):
                raise DatasetError(
                    f"Expected a folder per class in the folds of {self.root}; "
                    f"{printable(name)} holds the splits {_listed(inner.inside)}, so the folds "
                    f"share photos. Open one of them, as {printable(name)}."
                )
            if not inner.inside:
                raise DatasetError(
                    f"Expected a folder per class inside {_listed(top.inside)}, as "
                    f"{printable(name)}/cat/1.jpg; found photos without class folders in "
                    f"{self.root}. Make a folder for each class there, or list the photos and "
                    "their labels in a CSV."
                )
            self._leave_out(inner.own)
            classes += [_Class(n, split, folder) for n, folder in inner.inside.items()]
        self._warn(
            f"{_listed(top.inside)} were read as folds of one collection: the classes inside are "
            "taken together.",
            "Photos are divided into folds anew.",
        )
        return classes

    # --- splits below the classes -------------------------------------------------------------

    def _splits_below(self, classes: Sequence[_Class]) -> list[_Class]:
        """The classes by split, if each holds folders of splits; else none."""
        divided = [c for c in classes if c.folder.inside and all(map(split_named, c.folder.inside))]
        found = {split_named(name) for c in divided for name in c.folder.inside}
        if not divided or (len(divided) < len(classes) and len(found) < 2):
            return []
        first, beside = divided[0], [c.name for c in classes if c not in divided]
        inside = _listed(first.folder.inside)
        if beside:
            raise DatasetError(
                f"Expected splits in every class of {self.root}, or in none: "
                f"{printable(first.name)} holds {inside}, {_listed(beside)} "
                f"{'does' if len(beside) == 1 else 'do'} not. If {printable(first.name)} is the "
                "collection, open it alone; else give every class the same folders."
            )
        if len(classes) == 1:
            raise DatasetError(
                f"Expected a folder per class inside {inside} of {printable(first.name)}, found "
                "none. Make a folder for each class there, or list the photos and their labels in "
                "a CSV."
            )
        self._note(f"Folders inside the classes read as splits: {inside}.", "")
        parts = []
        for one in divided:
            if one.folder.own:
                parts.append(_Class(one.name, None, _Folder(one.folder.path, one.folder.own)))
            for name, folder in one.folder.inside.items():
                parts.append(_Class(one.name, split_named(name), folder))
        return parts

    # --- what looks odd -----------------------------------------------------------------------

    def _expect_different_folders(self, classes: Sequence[_Class]) -> None:
        """Refuse or tell that class folders hold the same folders: those may be the classes."""
        inside: dict[str, set[str]] = {}
        for one in classes:
            inside.setdefault(label_of(one.name), set()).update(map(label_of, one.folder.inside))
        holders = [names for names in inside.values() if names]
        union = {name for names in holders for name in names}
        shared = {name for name in union if sum(name in names for names in holders) > 1}
        if len(inside) < 2 or len(shared) < 2:
            return
        named = f"{_listed(inside)} hold the same folders ({_listed(sorted(shared, key=natural))})"
        bare = all(len(names) > 0 for names in inside.values()) and not any(
            one.folder.own for one in classes
        )
        if bare and 2 * len(shared) >= len(union) and not all(map(_is_period, shared)):
            raise DatasetError(
                f"Expected a folder per class in {self.root}; {named}, so either may be the "
                "classes. If the inner ones are, put their photos together in a folder per class, "
                "or open one of the outer ones. If the outer ones are, move the photos out of the "
                "inner ones. A CSV of path and label tells either."
            )
        if bare or len(holders) == len(inside):
            self._warn(
                f"{named}: they were read as part of the classes {_listed(inside)}.",
                "If the inner ones are the classes, put their photos together in a folder per "
                "class.",
            )

    def _tell_deeper(self, classes: Sequence[_Class]) -> None:
        deeper = {
            "/".join(map(printable, folder.path)): None
            for one in classes
            for folder in one.folder.below()
            if split_named(folder.path[-1])
        }
        for name in dict.fromkeys(c.name for c in classes if c.split and split_named(c.name)):
            self._warn(
                f"{printable(name)} was read as a class, though it has a split's name.",
                "If it is a split, put it beside the others.",
            )
        if deeper:
            self._warn(
                f"{_listed(deeper)} {'lies' if len(deeper) == 1 else 'lie'} inside a class and "
                f"{'is' if len(deeper) == 1 else 'are'} no split: these photos count as any others "
                "of the class.",
                "To use splits, put a folder per class into train, val and test.",
            )

    def _tell_alone(self, classes: Sequence[_Class]) -> None:
        names = {label_of(one.name) for one in classes}
        inside = {name: None for one in classes for name in one.folder.inside}
        if len(names) == 1 and len(inside) > 1 and not any(one.folder.own for one in classes):
            if all(map(_is_period, inside)):
                return
            (name,) = names
            self._warn(
                f"The only class folder, {name}, holds folders itself ({_listed(inside)}): all "
                f"their photos count as {name}.",
                f"If those are the classes, open {name} instead.",
            )

    def _leave_out(self, loose: Iterable[int]) -> int:
        found = list(loose)
        for index in found:
            name = "/".join(map(printable, self.paths[index]))
            self.skipped.append(Skipped(name, "is in no class folder"))
        return len(found)

    def _note(self, message: str, advice: str) -> None:
        self.findings.append(Finding("folders", "note", message, advice))

    def _warn(self, message: str, advice: str) -> None:
        self.findings.append(Finding("folders", "warning", message, advice))


def _splits_among(names: Iterable[str]) -> dict[str, Split]:
    return {name: split for name in names if (split := split_named(name))}


def _are_parts(folder: _Folder) -> bool:
    """Whether all folders inside, or two different of them, are splits, or all are folds."""
    named = _splits_among(folder.inside)
    if len(set(named.values())) > 1 or (named and len(named) == len(folder.inside)):
        return True
    return bool(folder.inside) and all(map(is_fold, folder.inside))


def _inner(split: _Folder) -> _Folder:
    """The folder of the classes in a split: in seg_train/seg_train/cat the inner one."""
    here, named = split, split_named(split.path[-1])
    while len(here.inside) == 1 and not here.own:
        ((name, folder),) = here.inside.items()
        if not is_filler(name) and (named is None or split_named(name) != named):
            break
        here = folder
    return here


def _is_period(name: str) -> bool:
    """Whether a name is a date, a month, or the number of a batch: no class."""
    words = re.findall(r"[^\W\d_]+", name.casefold())
    if not words:
        return re.match(r"(?:19|20)\d\d(?!\d{1,3}$)", name) is not None
    return all(word in _PERIODS for word in words)


def _listed(names: Iterable[str]) -> str:
    """a, b and c; the first few of many."""
    shown = [printable(name) for name in names]
    if len(shown) > MOST_NAMED + 1:
        shown = [*shown[:MOST_NAMED], f"{len(shown) - MOST_NAMED} more"]
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))
