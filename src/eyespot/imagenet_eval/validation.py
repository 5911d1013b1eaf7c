"""Labelled pictures of ImageNet, from a folder, a table or WebDataset shards."""

from collections.abc import Iterable
from pathlib import Path

from eyespot.data.folders import is_folder, list_folder, name_of, walk
from eyespot.data.photos import FileSource, Skipped, printable
from eyespot.data.shards import expand
from eyespot.data.tables import read_table
from eyespot.errors import UsageError
from eyespot.imagenet_eval.labels import Labelled, class_in, class_of
from eyespot.imagenet_eval.shards import read_shards

TABLE = "labels.csv"


def find_pictures(source: str | Path) -> tuple[list[Labelled], list[Skipped]]:
    """The labelled pictures of `source`, each once, and what was left out.

    A folder: with a `labels.csv`, what that lists (file, class_index or wnid); with .tar files,
    those; else every picture below it whose folder is named by a wnid, or whose name is one of the
    validation set's. Or such a table, a .tar file, or a pattern of them as
    "val-{000000..000049}.tar". Raises UsageError if there is none.
    """
    path = Path(source)
    skipped: list[Skipped] = []
    pictures: Iterable[Labelled]
    if is_folder(path):
        try:
            shards = [p for p in list_folder(path) if p.suffix == ".tar" and p.is_file()]
        except OSError as error:
            raise UsageError(
                f"The folder {printable(path)} cannot be read: {error.strerror}. "
                "Allow reading it, or choose another."
            ) from error
        if (path / TABLE).is_file():
            pictures = _listed(path / TABLE, skipped)
        elif shards:
            pictures = read_shards(shards, skipped)
        else:
            pictures = _named(path, skipped)
    elif path.suffix == ".csv" and path.is_file():
        pictures = _listed(path, skipped)
    elif path.suffix == ".tar":
        pictures = read_shards(map(Path, expand(str(source))), skipped)
    else:
        pictures = ()
    found = list(pictures)
    if not found:
        why = f" ({skipped[0].path}: {skipped[0].reason})" if skipped else ""
        if not path.exists() and path.suffix != ".tar":  # a pattern of shards is no path
            why = ": there is no such folder"
        raise UsageError(
            f"Expected labelled pictures of ImageNet in {printable(path)}, found none{why}. Give "
            "a folder with folders named by wnid (n01440764), with the validation set "
            f"(ILSVRC2012_val_00000001.JPEG) or with {TABLE} (file, class_index), or WebDataset "
            "shards (.tar)."
        )
    return found, skipped


def _listed(table: Path, skipped: list[Skipped]) -> Iterable[Labelled]:
    dataset = read_table(table)
    skipped += dataset.skipped
    seen = {item.path for item in skipped}
    for photo in dataset.photos:
        seen.add(photo.name)
        truth = class_in(photo.label or "")
        if truth is None:
            reason = f"has the class {photo.label!r}; expected 0 to 999, or a wnid"
            skipped.append(Skipped(photo.name, reason))
        elif isinstance(photo.source, FileSource):
            yield _file(photo.source.path, photo.name, truth)
    for path in walk(table.parent, table.parent, skipped):
        if (name := name_of(path, table.parent)) not in seen:
            skipped.append(Skipped(name, f"is not listed in {table.name}"))


def _named(folder: Path, skipped: list[Skipped]) -> Iterable[Labelled]:
    for path in walk(folder, folder, skipped):
        name, truth = name_of(path, folder), class_of(path)
        if truth is None:
            reason = "is in no folder named by a wnid, and none of the validation set"
            skipped.append(Skipped(name, reason))
        else:
            yield _file(path, name, truth)


def _file(path: Path, name: str, truth: int) -> Labelled:
    try:
        status = path.stat()
        size, modified = status.st_size, status.st_mtime_ns
    except OSError:  # reading it will tell why
        size = modified = 0
    return Labelled(name, truth, FileSource(path), size, modified)
