"""The files of a dataset of boxes, listed once, and the photos that annotations name."""

import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path, PurePosixPath

from eyespot.data.boxes.problems import Problems
from eyespot.data.excluded import is_excluded
from eyespot.data.formats import EXTENSIONS
from eyespot.data.photos import FileSource, Photo, natural, printable
from eyespot.data.places import Places
from eyespot.data.split_names import Split, split_named
from eyespot.data.text import spellings
from eyespot.files import is_file
from eyespot.limits import MAX_FILES

PHOTO_FOLDERS = ("JPEGImages", "images", "imgs", "img", "photos", "data")
"""Usual folders of photos beside annotations, the likeliest first."""


class Tree:
    """All files in and below a folder, up to MAX_FILES, without hidden ones. Links are followed."""

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.normpath(root.absolute()))

    @cached_property
    def photos(self) -> list[Path]:
        """Files with the ending of an image format, in natural order."""
        found = [path for path in self._files if path.suffix.lower() in EXTENSIONS]
        return sorted(found, key=lambda path: natural(path.as_posix()))

    def files(self, *endings: str) -> list[Path]:
        """Files with one of these endings, in natural order."""
        found = [path for path in self._files if path.suffix.lower() in endings]
        return sorted(found, key=lambda path: natural(path.as_posix()))

    @cached_property
    def _files(self) -> list[Path]:
        def every() -> Iterator[Path]:
            seen: set[tuple[int, int]] = set()
            for here, folders, names in os.walk(self.root, followlinks=True):
                try:
                    status = Path(here).stat()
                except OSError:  # removed, or locked, meanwhile
                    continue
                if (status.st_dev, status.st_ino) in seen:  # a circular link
                    folders.clear()
                    continue
                seen.add((status.st_dev, status.st_ino))
                folders[:] = sorted(name for name in folders if not is_excluded(name))
                yield from (Path(here, name) for name in names if not is_excluded(name))

        return list(islice(every(), MAX_FILES))

    def name_of(self, path: Path) -> str:
        """The name of a photo or file: its path from the root."""
        inside = path.is_relative_to(self.root)
        return printable(path.relative_to(self.root).as_posix() if inside else path)

    def photo(self, path: Path, split: Split | None = None) -> Photo:
        return Photo(self.name_of(path), FileSource(path), split=split or self.split_of(path))

    def split_of(self, path: Path) -> Split | None:
        """The split that a folder above a file names, as train/images/1.jpg."""
        folders = path.relative_to(self.root).parts[:-1] if path.is_relative_to(self.root) else ()
        return next(filter(None, map(split_named, folders)), None)

    def named(self, cell: str, near: Sequence[Path], problems: Problems) -> Path | None:
        """The photo that an annotation names: its path from a folder of `near`, or, which a finding
        reports, the only photo whose path ends so. None if there is none, or several."""
        names = spellings(cell)
        for path in (Path(os.path.normpath(folder / name)) for folder in near for name in names):
            if path in self._known or (not path.is_relative_to(self.root) and is_file(path)):
                return path
        likely = self._places.likely(cell)
        if likely is None:
            return None
        path = self.root / likely
        if cell != path.name:
            problems.add("found by name", self.name_of(path))
        return path

    def why_missing(self, cell: str) -> str:
        """Why `named` finds no photo."""
        stem = PurePosixPath(cell.replace("\\", "/")).stem.casefold()
        several = len(self._by_stem.get(stem, ())) > 1
        return "several photos have its name" if several else "the photo is missing"

    @cached_property
    def _known(self) -> set[Path]:
        return set(self._files)

    @cached_property
    def _places(self) -> Places:
        names = [path.relative_to(self.root).as_posix() for path in self.photos]
        return Places(printable(self.root), lambda _: False, lambda: names)

    def beside(self, annotation: Path) -> Path | None:
        """The photo of an annotation file that is named as the photo is: in the same folder, in a
        usual one beside it, or the only one of that name."""
        found = self._by_stem.get(annotation.stem.casefold(), [])
        if len(found) == 1:
            return found[0]
        here, above = annotation.parent, annotation.parent.parent
        beside = [above / name for name in PHOTO_FOLDERS]
        parallel = [above.parent / name / here.name for name in PHOTO_FOLDERS]
        for folder in (here, *beside, *parallel):
            inside = [path for path in found if path.parent == folder]
            if len(inside) == 1:
                return inside[0]
        return None

    def is_beside(self, file: Path) -> bool:
        """Whether any photo is named as a file is."""
        return file.stem.casefold() in self._by_stem

    @cached_property
    def _by_stem(self) -> dict[str, list[Path]]:
        found: dict[str, list[Path]] = {}
        for path in self.photos:
            found.setdefault(path.stem.casefold(), []).append(path)
        return found


def near(file: Path, tree: Tree, split: Split | None = None) -> list[Path]:
    """The folders from which an annotation file may name photos, the likeliest first."""
    name = file.stem.partition("_")[2] or file.stem  # instances_train2017
    own = [file.parent, file.parent.parent] if file.parent != tree.root else [file.parent]
    inner = [name, f"images/{name}", *([split, f"images/{split}"] if split else []), *PHOTO_FOLDERS]
    return [*own, *(folder / part for part in inner for folder in reversed(own))]
