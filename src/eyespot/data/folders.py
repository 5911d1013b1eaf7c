"""Photos in folders: a folder per class, or just files and folders to look at."""

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from eyespot.data.formats import EXTENSIONS, OTHER_EXTENSIONS, RAW_EXTENSIONS, sniff
from eyespot.data.given import many, path_of
from eyespot.data.photos import Dataset, FileSource, Photo, Skipped, label_of, natural, printable
from eyespot.errors import DatasetError

SPLITS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
}


def list_folder(folder: Path) -> list[Path]:
    """What is in a folder and not hidden, in natural order. Raises OSError."""
    names = [name for name in os.listdir(folder) if not name.startswith(".")]  # noqa: PTH208
    return [folder / name for name in sorted(names, key=natural)]


def is_folder(path: Path) -> bool:
    """Also false for what cannot be asked: a link that leads to itself, a locked folder's child."""
    return os.path.isdir(path)  # noqa: PTH112 - Path.is_dir raises


def walk(folder: Path, root: Path | None, skipped: list[Skipped]) -> Iterator[Path]:
    """Pictures below `folder`, in natural order, each once however links loop.

    Links to folders above, up to `root`, are not followed: there are the other classes. What looks
    like a picture and cannot be used, and folders that cannot be read, are noted in `skipped`, by
    their name from `root`.
    """
    above = [p for p in folder.parents if root is not None and p.is_relative_to(root)]
    seen = {(status.st_dev, status.st_ino) for status in map(Path.stat, above)}
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            status = here.stat()
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            paths = list_folder(here)
        except OSError as error:
            reason = f"the folder cannot be read: {error.strerror}"
            skipped.append(Skipped(name_of(here, root), reason))
            continue
        folders = []
        for path in paths:
            if is_folder(path):
                folders.append(path)
            elif is_picture(path, root, skipped):
                yield path
        waiting += reversed(folders)


def is_picture(path: Path, root: Path | None, skipped: list[Skipped]) -> bool:
    """Whether a file is to be read as a photo: by its ending, or by its content if that says
    nothing. Doubtful files are noted in `skipped`."""
    ending = path.suffix.lower()
    if ending in EXTENSIONS or ending in OTHER_EXTENSIONS:
        return ending in EXTENSIONS
    reason = "is a camera's raw file: export it as JPEG"
    if ending not in RAW_EXTENSIONS:
        try:
            if not path.is_file():
                return False
            with path.open("rb") as file:
                if sniff(file.read(32)) is not None:
                    return True
            reason = "not a picture in a format that can be read"
        except OSError as error:
            reason = f"cannot be read: {error.strerror}"
    skipped.append(Skipped(name_of(path, root), reason))
    return False


def name_of(path: Path, root: Path | None) -> str:
    return printable(path.relative_to(root) if root is not None else path)


def read_class_folders(root: Path) -> Dataset:
    """A folder per class, everything below it belongs to the class; or the same inside
    train/, val/ and test/. Raises DatasetError if there is no class or no photo."""
    skipped: list[Skipped] = []
    try:
        children = list_folder(root)
    except OSError as error:
        raise DatasetError(
            f"The folder {printable(root)} cannot be read: {error.strerror}. "
            "Allow reading it, or choose another."
        ) from error
    folders = {path: None for path in children if is_folder(path)}  # a set that keeps its order
    loose = [path for path in children if path not in folders]
    splits = _find_splits(list(folders))
    photos: list[Photo] = []
    for folder in folders:
        if not splits:
            photos += _one_class(folder, root, None, skipped)
        elif folder in splits:
            try:
                inside = list_folder(folder)
            except OSError as error:
                reason = f"the folder cannot be read: {error.strerror}"
                skipped.append(Skipped(name_of(folder, root), reason))
                continue
            for path in inside:
                if is_folder(path):
                    photos += _one_class(path, root, splits[folder], skipped)
                else:
                    loose.append(path)
        else:
            skipped.append(Skipped(name_of(folder, root), "stands beside train, val and test"))
    loose = [path for path in loose if is_picture(path, root, skipped)]
    skipped += [Skipped(name_of(path, root), "is in no class folder") for path in loose]
    if not photos:
        raise DatasetError(
            f"Expected a folder per class with photos in it, as {root.name}/cat/1.jpg; found "
            + (f"{len(loose)} photos in no class folder" if loose else "no photo")
            + f" in {printable(root)}. Make a folder for each class and put its photos there."
            + (f" {skipped[0].path}: {skipped[0].reason}." if skipped and not loose else "")
        )
    return Dataset(tuple(photos), tuple(skipped))


def _find_splits(folders: Sequence[Path]) -> dict[Path, str]:
    """The folders that are splits rather than classes, and which.

    A folder `train` may hold the training photos, or photos of trains: it is a split if all its
    neighbours are named like splits, or if it holds folders and no photos of its own.
    """
    named = {f: SPLITS[f.name.lower()] for f in folders if f.name.lower() in SPLITS}
    inside = {folder: peek(folder) for folder in named}
    if not any(is_folder(path) for paths in inside.values() for path in paths):
        return {}
    if len(named) == len(folders):
        return named
    train = [path for folder in named if named[folder] == "train" for path in inside[folder]]
    holds_photos = any(path.suffix.lower() in EXTENSIONS and path.is_file() for path in train)
    return {} if holds_photos or not any(is_folder(path) for path in train) else named


def peek(folder: Path) -> list[Path]:
    """What is in a folder; nothing if it cannot be read."""
    try:
        return list_folder(folder)
    except OSError:
        return []


def _one_class(folder: Path, root: Path, split: str | None, skipped: list[Skipped]) -> list[Photo]:
    label = label_of(folder.name)
    noted = len(skipped)
    photos = [
        Photo(name_of(path, root), FileSource(path), label, split)
        for path in walk(folder, root, skipped)
    ]
    if not photos and len(skipped) == noted:
        skipped.append(Skipped(name_of(folder, root), "the folder holds no photo"))
    return photos


def find_photos(sources: str | Path | Sequence[str | Path]) -> Dataset:
    """Photos to look at: files (whatever they are called), folders, and patterns such as *.jpg.

    One that matches nothing stands for a photo that cannot be read. Raises DatasetError if there
    is no photo in any.
    """
    given = [sources] if isinstance(sources, str | os.PathLike) else many(sources)
    sources = [path_of(source) for source in given]
    found: dict[Path, None] = {}
    skipped: list[Skipped] = []
    missing = []
    for source in sources:
        matches = dict.fromkeys(_matches(source, skipped))
        if not matches and not is_folder(Path(source)):
            missing.append(source)
        found |= matches
    if missing and not found:
        raise DatasetError(
            f"There is no file, folder or pattern {printable(missing[0])}. Check the spelling."
        )
    found |= dict.fromkeys(map(Path, missing))  # reading them will tell; the others go on
    if not found:
        reasons = f" ({skipped[0].path}: {skipped[0].reason})" if skipped else ""
        raise DatasetError(
            f"Expected photos in {', '.join(map(printable, sources[:20])) or 'the list'}, "
            f"found none{reasons}. Name files, folders with photos, or patterns such as *.jpg."
        )
    return Dataset(tuple(Photo(printable(p), FileSource(p)) for p in found), tuple(skipped))


def _matches(source: str | Path, skipped: list[Skipped]) -> Iterable[Path]:
    path = Path(source)
    if is_folder(path):
        return walk(path, None, skipped)
    if os.path.lexists(path):
        return [path]
    names = sorted(glob.glob(str(source), recursive=True), key=natural)  # noqa: PTH207
    return [match for name in names if not is_folder(match := Path(name))]
