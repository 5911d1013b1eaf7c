"""Find the class folders of a tree, and the folders of splits or folds above or below them."""

from collections.abc import Iterable, Mapping, Sequence

from eyespot.data.class_folders import names_of
from eyespot.data.excluded import PathParts
from eyespot.data.finding import Finding, Severity
from eyespot.data.folder_tree import ClassFolder, Folder
from eyespot.data.photos import Skipped, printable
from eyespot.data.split_names import (
    Split,
    folders_as_splits,
    is_filler,
    is_fold,
    split_mentioned,
    split_named,
)
from eyespot.errors import DatasetError
from eyespot.shown import counted


class TreeReader:
    """Reads one tree. `skipped` and `findings` fill on the way. `depth`: of the class folders."""

    def __init__(self, paths: Sequence[PathParts], root: str) -> None:
        self.paths, self.root = paths, root
        self.skipped: list[Skipped] = []
        self.findings: list[Finding] = []
        self.depth = 0

    def read(self, tree: Folder) -> list[ClassFolder]:
        """The class folders. Raises DatasetError for an ambiguous tree."""
        top = self._unwrapped(tree)
        splits = self._splits(top)
        folds = _are_folds(top)
        self.depth = len(top.path) + (1 if splits or folds else 0)
        if splits:
            classes = self._in_splits(top, splits)
        elif folds:
            classes = self._in_folds(top, None)
        else:
            classes = [ClassFolder(name, None, folder) for name, folder in top.inside.items()]
            classes = self._splits_below(classes) or classes
        self._skip(top.own)
        return classes

    # --- splits above the classes -------------------------------------------------------------

    def _unwrapped(self, tree: Folder) -> Folder:
        """The folder of the splits or folds, if other folders enclose nothing else."""
        here, loose = tree, list(tree.own)
        while len(here.inside) == 1:
            ((name, folder),) = here.inside.items()
            if split_named(name) and not all(map(split_named, folder.inside)):
                break
            here = folder
            if _are_parts(here) and any(part.inside for part in here.inside.values()):
                self._skip(loose)
                return here
            loose += here.own
        return tree

    def _splits(self, top: Folder) -> dict[str, Split]:
        """The split of each folder that is one; none if the folders are classes."""
        named = _splits_among(top.inside)
        others = [name for name in top.inside if name not in named]
        deep = [name for name in named if _inner(top.inside[name]).inside]
        if len(set(named.values())) < 2 and others:
            mentioned = {name: split_mentioned(name) for name in top.inside}
            if all(mentioned.values()) and len(set(mentioned.values())) > 1:
                raise DatasetError(
                    f"Expected a folder per class in {self.root}; {names_of(mentioned)} look like "
                    "splits. If they are splits, name them train, val and test and put a folder "
                    "per class into each. If they are classes, rename them."
                )
            if named and all(map(is_fold, others)) and "train" not in named.values():
                return {**dict.fromkeys(others, "train"), **named}
            if doubtful := [name for name in deep if not top.inside[name].own]:
                raise DatasetError(
                    f"Expected a folder per class, or splits, in {self.root}; "
                    f"{printable(doubtful[0])} may be either: it contains "
                    f"{names_of(top.inside[doubtful[0]].inside)}, and {names_of(others)} is next "
                    "to it. If it is a split, open it alone or move the others. If it is a class, "
                    "rename it."
                )
            if named:
                verb = "is not a split" if len(others) == 1 else "are not splits"
                self._tell(
                    "note",
                    f"{names_of(named)} was read as a class: {names_of(others)} beside it {verb}.",
                    "If it is a split, put the class folders into it.",
                )
            return {}
        if named and not deep:
            raise self._no_classes([*named])
        return named

    def _in_splits(self, top: Folder, splits: Mapping[str, Split]) -> list[ClassFolder]:
        classes: list[ClassFolder] = []
        for name, folder in top.inside.items():
            if name not in splits:
                path = "/".join(map(printable, folder.path))
                self.skipped.append(Skipped(path, "is next to train, val and test"))
                continue
            inner = _inner(folder)
            if len(_splits_among(inner.inside)) == len(inner.inside) > 1:
                raise DatasetError(
                    f"Expected a folder per class inside {printable(name)} in {self.root}; found "
                    f"{names_of(inner.inside)}, which are splits themselves. Open one of the "
                    "outer folders alone."
                )
            if _are_folds(inner):
                classes += self._in_folds(inner, splits[name])
            else:
                classes += [
                    ClassFolder(each, splits[name], within) for each, within in inner.inside.items()
                ]
            loose = self._skip(inner.own)
            if loose and not inner.inside:
                example = f", as {printable(name)}/{printable(classes[0].name)}" if classes else ""
                self._tell(
                    "warning",
                    f"Skipped {counted(loose, 'photo')} of {printable(name)} outside class "
                    "folders.",
                    f"Put them into class folders{example}.",
                )
        where = f" in {'/'.join(map(printable, top.path))}" if top.path else ""
        self.findings += folders_as_splits(splits, where)
        return classes

    def _in_folds(self, top: Folder, split: Split | None) -> list[ClassFolder]:
        classes = []
        for name, fold in top.inside.items():
            inner = _inner(fold)
            if inner.inside and all(map(split_named, inner.inside)):
                raise DatasetError(
                    f"Expected a folder per class in the folds of {self.root}; {printable(name)} "
                    f"contains the splits {names_of(inner.inside)}, so the folds share photos. "
                    f"Open one of them, as {printable(name)}."
                )
            if not inner.inside:
                raise self._no_classes([name, *(other for other in top.inside if other != name)])
            self._skip(inner.own)
            classes += [ClassFolder(each, split, folder) for each, folder in inner.inside.items()]
        self._tell(
            "warning",
            f"{names_of(top.inside)} were read as folds of one dataset, and their classes were "
            "merged.",
            "eyespot divides the photos into folds of its own.",
        )
        return classes

    # --- splits below the classes -------------------------------------------------------------

    def _splits_below(self, classes: Sequence[ClassFolder]) -> list[ClassFolder]:
        """The classes by split, if each class contains folders of splits; else none."""
        divided = [c for c in classes if c.folder.inside and all(map(split_named, c.folder.inside))]
        found = {split_named(name) for c in divided for name in c.folder.inside}
        if not divided or (len(divided) < len(classes) and len(found) < 2):
            return []
        first, beside = divided[0], [c.name for c in classes if c not in divided]
        name, inside = printable(first.name), names_of(first.folder.inside)
        if beside:
            raise DatasetError(
                f"Expected splits in every class of {self.root}, or in none: {name} contains "
                f"{inside}, {names_of(beside)} {'does' if len(beside) == 1 else 'do'} not. If "
                f"{name} is the dataset, open it alone; else give every class the same folders."
            )
        if len(classes) == 1:
            raise self._no_classes([*first.folder.inside], f" of {name}")
        self._tell("note", f"Folders inside the classes read as splits: {inside}.")
        parts = []
        for one in divided:
            if one.folder.own:
                parts.append(ClassFolder(one.name, None, Folder(one.folder.path, one.folder.own)))
            for each, folder in one.folder.inside.items():
                parts.append(ClassFolder(one.name, split_named(each), folder))
        return parts

    # --- skipped photos, findings, errors -----------------------------------------------------

    def _no_classes(self, folders: list[str], of: str = "") -> DatasetError:
        return DatasetError(
            f"Expected a folder per class inside {names_of(folders)}{of}, as "
            f"{printable(folders[0])}/cat/1.jpg; found photos without class folders in "
            f"{self.root}. Make a folder for each class there, or list the photos and their "
            "labels in a CSV."
        )

    def _skip(self, loose: Iterable[int]) -> int:
        found = ["/".join(map(printable, self.paths[index])) for index in loose]
        self.skipped += [Skipped(name, "is not in a class folder") for name in found]
        return len(found)

    def _tell(self, severity: Severity, message: str, advice: str = "") -> None:
        self.findings.append(Finding("folders", severity, message, advice))


def _splits_among(names: Iterable[str]) -> dict[str, Split]:
    return {name: split for name in names if (split := split_named(name))}


def _are_folds(folder: Folder) -> bool:
    return bool(folder.inside) and all(map(is_fold, folder.inside))


def _are_parts(folder: Folder) -> bool:
    """Whether the folders inside are splits (all, or two different ones), or all are folds."""
    named = _splits_among(folder.inside)
    whole = bool(named) and len(named) == len(folder.inside)
    return whole or len(set(named.values())) > 1 or _are_folds(folder)


def _inner(split: Folder) -> Folder:
    """The folder of the classes in a split: the inner one of seg_train/seg_train/cat."""
    here, named = split, split_named(split.path[-1])
    while len(here.inside) == 1 and not here.own:
        ((name, folder),) = here.inside.items()
        if not is_filler(name) and (named is None or split_named(name) != named):
            break
        here = folder
    return here
