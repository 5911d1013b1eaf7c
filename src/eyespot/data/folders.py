"""Photos in folders: a folder per class, or just files and folders to look at."""

import glob
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from eyespot.data.photos import Dataset, FileSource, Photo, Skipped, natural
from eyespot.errors import DatasetError

EXTENSIONS = frozenset(
    {
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".bmp", ".dib", ".gif"),
        *(".tif", ".tiff", ".heic", ".heif", ".avif", ".ppm", ".pgm", ".pbm", ".pnm", ".jp2"),
        *(".tga", ".ico"),
    }
)
SPLITS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}


def is_picture(path: Path) -> bool:
    """By its name: not hidden, and with a picture's extension in any case."""
    return not path.name.startswith(".") and path.suffix.lower() in EXTENSIONS


def walk(folder: Path, skipped: list[Skipped]) -> Iterator[Path]:
    """Pictures below `folder`, in natural order, each once however links loop.

    Folders that cannot be read are noted in `skipped`.
    """
    seen: set[tuple[int, int]] = set()

    def visit(folder: Path) -> Iterator[Path]:
        try:
            status = folder.stat()
            if (status.st_dev, status.st_ino) in seen:
                return
            seen.add((status.st_dev, status.st_ino))
            entries = sorted(os.scandir(folder), key=lambda entry: natural(entry.name))
        except OSError as error:
            skipped.append(Skipped(str(folder), f"the folder cannot be read: {error.strerror}"))
            return
        for entry in entries:
            path = Path(entry.path)
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                yield from visit(path)
            elif is_picture(path):
                yield path

    yield from visit(folder)


def read_class_folders(root: Path) -> Dataset:
    """A folder per class, everything below it belongs to the class; or the same inside
    train/, val/ and test/. Raises DatasetError if there is no class or no photo."""
    skipped: list[Skipped] = []
    try:
        children = sorted(
            (p for p in root.iterdir() if p.is_dir() and not p.name.startswith(".")),
            key=lambda path: natural(path.name),
        )
        loose = [path for path in root.iterdir() if path.is_file() and is_picture(path)]
    except OSError as error:
        raise DatasetError(f"The folder {root} cannot be read: {error.strerror}.") from error
    splits = {path: SPLITS.get(path.name.lower()) for path in children}
    photos: list[Photo] = []
    if any(split == "train" for split in splits.values()):
        for path, split in splits.items():
            if split is None:
                skipped.append(Skipped(str(path), "stands beside train/ and is not a split"))
                continue
            for class_folder in sorted(path.iterdir(), key=lambda path: natural(path.name)):
                if class_folder.is_dir() and not class_folder.name.startswith("."):
                    photos += _one_class(class_folder, root, split, skipped)
    else:
        for path in children:
            photos += _one_class(path, root, None, skipped)
    skipped += [
        Skipped(str(path.relative_to(root)), "is in no class folder") for path in sorted(loose)
    ]
    if not photos:
        raise DatasetError(
            f"Expected a folder per class with photos in it, as {root.name}/cat/1.jpg; found "
            + (f"{len(loose)} photos in no class folder" if loose else "no photo")
            + f" in {root}. Make a folder for each class and put its photos there."
        )
    return Dataset(tuple(photos), tuple(skipped))


def _one_class(
    folder: Path, root: Path, split: str | None, skipped: list[Skipped]
) -> Iterator[Photo]:
    for path in walk(folder, skipped):
        yield Photo(str(path.relative_to(root)), FileSource(path), folder.name, split)


def find_photos(sources: Sequence[str | Path]) -> Dataset:
    """Photos to look at: files (whatever they are called), folders, and patterns such as *.jpg.

    Raises DatasetError if one of them matches nothing.
    """
    photos: list[Photo] = []
    skipped: list[Skipped] = []
    for source in sources:
        path = Path(source)
        if path.is_dir():
            found = list(walk(path, skipped))
        elif path.exists():
            found = [path]
        else:
            names = glob.glob(str(source), recursive=True)  # noqa: PTH207 - absolute ones too
            found = [Path(name) for name in sorted(names)]
            found = [path for path in found if path.is_file()]
            if not found:
                raise DatasetError(f"There is no file, folder or pattern {source}.")
        photos += [Photo(str(path), FileSource(path)) for path in found]
    return Dataset(tuple(photos), tuple(skipped))
