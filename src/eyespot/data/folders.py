"""Photos in folders: a folder per class, or files and folders without labels."""

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from eyespot.data.excluded import excluded_by, exclusion_finding, is_excluded
from eyespot.data.formats import EXTENSIONS, OTHER_EXTENSIONS, RAW_EXTENSIONS, sniff_file
from eyespot.data.given import many, path_of
from eyespot.data.layout import read_layout
from eyespot.data.photos import Dataset, FileSource, Photo, Skipped, natural, printable
from eyespot.errors import DatasetError
from eyespot.files import is_file
from eyespot.shown import counted, listed


def list_folder(folder: Path) -> list[Path]:
    """The content of a folder, in natural order, without excluded names. Raises OSError."""
    names = [name for name in os.listdir(folder) if not is_excluded(name)]  # noqa: PTH208
    return [folder / name for name in sorted(names, key=natural)]


def _excluded_in(folder: Path) -> Iterator[str]:
    """The name of each excluded file or folder, once for each image in it."""
    with os.scandir(folder) as entries:
        left = [entry for entry in entries if is_excluded(entry.name)]
    for entry in left:
        files = [entry.name]
        if entry.is_dir(follow_symlinks=False):
            files = [name for _, _, names in os.walk(entry.path) for name in names]
        for name in files:
            if Path(name).suffix.lower() in EXTENSIONS:
                yield entry.name


def is_folder(path: Path) -> bool:
    """As Path.is_dir, but False for errors: a circular link, a child of a locked folder."""
    return os.path.isdir(path)  # noqa: PTH112 - Path.is_dir raises


def walk(
    folder: Path, root: Path | None, skipped: list[Skipped], excluded: list[str]
) -> Iterator[Path]:
    """The image files below `folder`, in natural order, each once even with circular links.

    Links to folders above, up to `root`, are not followed: they lead to the other classes.
    `skipped` collects unusable images and unreadable folders, named relative to `root`. `excluded`
    collects the names of excluded files and folders, once for each image in them.
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
            files, folders = _inside(here, root, skipped, excluded)
        except OSError as error:
            skipped.append(_unreadable(here, root, error))
            continue
        yield from files
        waiting += reversed(folders)


def _inside(
    folder: Path, root: Path | None, skipped: list[Skipped], excluded: list[str]
) -> tuple[list[Path], list[Path]]:
    """The images and the folders in a folder, in natural order. Raises OSError."""
    files: list[Path] = []
    folders: list[Path] = []
    for path in list_folder(folder):
        if is_folder(path):
            folders.append(path)
        elif is_image(path, root, skipped):
            files.append(path)
    excluded += _excluded_in(folder)
    return files, folders


def _unreadable(folder: Path, root: Path | None, error: OSError) -> Skipped:
    return Skipped(name_of(folder, root), f"the folder cannot be read: {error.strerror}")


def is_image(path: Path, root: Path | None, skipped: list[Skipped]) -> bool:
    """Whether a file is read as a photo: by its ending, or by its content if the ending is
    unknown. `skipped` collects other files that may be photos."""
    ending = path.suffix.lower()
    if ending in EXTENSIONS or ending in OTHER_EXTENSIONS:
        return ending in EXTENSIONS
    reason = "is a raw file of a camera: export it as JPEG"
    if ending not in RAW_EXTENSIONS:
        try:
            if not is_file(path):
                return False
            if sniff_file(path) is not None:
                return True
            reason = "not an image in a supported format"
        except OSError as error:
            reason = f"cannot be read: {error.strerror}"
    skipped.append(Skipped(name_of(path, root), reason))
    return False


def name_of(path: Path, root: Path | None) -> str:
    return printable(path.relative_to(root) if root is not None else path)


def cannot_read(folder: Path, error: OSError) -> DatasetError:
    """The error for a folder that cannot be listed."""
    return DatasetError(
        f"The folder {printable(folder)} cannot be read: {error.strerror}. Change its permissions, "
        "or choose another."
    )


def read_class_folders(root: Path) -> Dataset:
    """A folder per class with photos at any depth; or these inside train/, val/ and test/, or the
    splits inside each class. Raises DatasetError without a class or a photo, and for an ambiguous
    tree."""
    skipped: list[Skipped] = []
    excluded: list[str] = []
    try:
        files, folders = _inside(root, root, skipped, excluded)
    except OSError as error:
        raise cannot_read(root, error) from error
    loose = len(files)
    for folder in folders:
        files += _in_class(folder, root, skipped, excluded)
    paths = [path.relative_to(root).parts for path in files]
    layout = read_layout(paths, printable(root), excluded)
    photos: dict[tuple[object, ...], Photo] = {}
    real = {folder: folder.resolve() for folder in {path.parent for path in files}}
    for path, place in zip(files, layout.places, strict=True):
        if place:  # several links may lead to one photo of a class
            photo = Photo(name_of(path, root), FileSource(path), place.label, place.split)
            photos.setdefault((real[path.parent], path.name, place), photo)
    skipped += layout.skipped
    if layout.depth < 2:
        if layout.depth == 1:
            folders += [path for split in folders for path in peek(split) if is_folder(path)]
        skipped += _empty_folders(root, folders, [*paths, *(s.path.split("/") for s in skipped)])
    if not photos:
        found = f"{counted(loose, 'photo')} outside class folders" if loose else "no photo"
        why = f" {skipped[0].path}: {skipped[0].reason}." if skipped and not loose else ""
        raise DatasetError(
            f"Expected a folder per class with photos in it, as {root.name}/cat/1.jpg; found "
            f"{found} in {printable(root)}. Make a folder for each class and put its photos there."
            + why
            + "".join(f" {finding.message}" for finding in layout.findings)
        )
    return Dataset(tuple(photos.values()), tuple(skipped), layout.findings)


def _empty_folders(
    root: Path, folders: Iterable[Path], found: Iterable[Sequence[str]]
) -> list[Skipped]:
    """The folders without any photo or skipped file. `found`: the paths of both."""
    told = {tuple(parts[:depth]) for parts in found for depth in (1, 2)}
    return [
        Skipped(name_of(folder, root), "the folder holds no photo")
        for folder in folders
        if folder.relative_to(root).parts not in told
    ]


def _in_class(
    folder: Path, root: Path, skipped: list[Skipped], excluded: list[str]
) -> Iterator[Path]:
    """The image files below a class or a split. Each subfolder is walked on its own: it may be a
    class too, and must keep photos that links in other folders also lead to."""
    try:
        if folder.samefile(root):
            return
        files, deeper = _inside(folder, root, skipped, excluded)
    except OSError as error:
        skipped.append(_unreadable(folder, root, error))
        return
    yield from files
    for path in deeper:
        yield from walk(path, root, skipped, excluded)


def files_of(paths: Iterable[Path], ending: str) -> list[Path]:
    """The files among `paths` with an ending, in any case."""
    return [path for path in paths if path.suffix.lower() == ending and is_file(path)]


def peek(folder: Path) -> list[Path]:
    """The content of a folder; nothing if it cannot be read."""
    try:
        return list_folder(folder)
    except OSError:
        return []


def find_photos(sources: str | Path | Sequence[str | Path]) -> Dataset:
    """Photos without labels: files of any ending, folders, and patterns such as *.jpg.

    A source that matches nothing gives a photo that cannot be read. Raises DatasetError if no
    source holds a photo.
    """
    given = [sources] if isinstance(sources, str | os.PathLike) else many(sources)
    sources = [path_of(source) for source in given]
    found: dict[Path, None] = {}
    skipped: list[Skipped] = []
    excluded: list[str] = []
    missing = []
    for source in sources:
        matches = dict.fromkeys(_matches(source, skipped, excluded))
        if not matches and not is_folder(Path(source)):
            missing.append(source)
        found |= matches
    if missing and not found:
        raise DatasetError(
            f"Found no file, folder or pattern {printable(missing[0])}. Check the spelling."
        )
    found |= dict.fromkeys(map(Path, missing))  # reading them reports the error
    if not found:
        reasons = f" ({skipped[0].path}: {skipped[0].reason})" if skipped else ""
        if excluded and not skipped:
            reasons = f" ({exclusion_finding(excluded)[0].message.rstrip('.')})"
        raise no_photos(sources, reasons)
    photos = tuple(Photo(printable(path), FileSource(path)) for path in found)
    return Dataset(photos, tuple(skipped), tuple(exclusion_finding(excluded)))


def _matches(source: str | Path, skipped: list[Skipped], excluded: list[str]) -> Iterable[Path]:
    path = Path(source)
    if is_folder(path):
        files = list(walk(path, None, skipped, excluded))
        aside = excluded_by([file.relative_to(path).parts for file in files])
        excluded += [name for name in aside if name]
        return [file for file, name in zip(files, aside, strict=True) if not name]
    if os.path.lexists(path):
        return [path]
    return [match for match in glob_paths(source) if not is_folder(match)]


def glob_paths(pattern: str | Path) -> list[Path]:
    """The paths that a pattern matches, in natural order."""
    names = glob.glob(str(pattern), recursive=True)  # noqa: PTH207
    return [Path(name) for name in sorted(names, key=natural)]


def no_photos(sources: Iterable[str | Path], reason: str) -> DatasetError:
    """The error for sources without photos. `reason`: in brackets, or empty."""
    return DatasetError(
        f"Expected photos in {listed(map(printable, sources)) or 'the list'}, found none{reason}. "
        "Name files, folders with photos, shards, or patterns such as *.jpg."
    )
