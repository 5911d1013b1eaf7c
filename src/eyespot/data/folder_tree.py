"""Paths of photos as a tree of folders."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from eyespot.data.excluded import PathParts
from eyespot.data.split_names import Split, is_fold, split_named


@dataclass(slots=True)
class Folder:
    """`own`: indices of the photos directly in the folder. `inside`: the subfolders that hold
    photos at any depth."""

    path: PathParts
    own: list[int] = field(default_factory=list)
    inside: dict[str, "Folder"] = field(default_factory=dict)

    def photos(self) -> Iterator[int]:
        """The indices of all photos at any depth."""
        yield from self.own
        for folder in self.inside.values():
            yield from folder.photos()

    def below(self) -> Iterator["Folder"]:
        """All subfolders at any depth."""
        for folder in self.inside.values():
            yield folder
            yield from folder.below()


@dataclass(frozen=True, slots=True)
class ClassFolder:
    """A folder whose photos all belong to one class, and perhaps to one split."""

    name: str
    split: Split | None
    folder: Folder


def tree_of(paths: Sequence[PathParts], kept: Sequence[bool]) -> Folder:
    """The tree of those paths that are `kept`; indices count all paths."""
    tree = Folder(())
    for index, parts in enumerate(paths):
        if kept[index]:
            here = tree
            for depth, name in enumerate(parts[:-1], start=1):
                here = here.inside.setdefault(name, Folder(parts[:depth]))
            here.own.append(index)
    return tree


def depth_of_root(tree: Folder) -> int:
    """How many folders enclose all classes, as photos/ encloses photos/cat/1.jpg and
    photos/dog/1.jpg. A split or fold never counts."""
    here = tree
    while len(here.inside) == 1:
        ((name, folder),) = here.inside.items()
        holds_classes = len(folder.inside) > 1 or (folder.inside and not folder.own)
        if not holds_classes or split_named(name) or is_fold(name):
            break
        here = folder
    return len(here.path)
