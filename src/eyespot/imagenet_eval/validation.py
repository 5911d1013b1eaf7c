"""Find labelled images of ImageNet in a folder, a table or WebDataset shards."""

from collections.abc import Iterable
from pathlib import Path

from eyespot.data.folders import is_folder, list_folder, name_of, walk
from eyespot.data.photos import FileSource, Skipped, printable
from eyespot.data.shards import expand
from eyespot.data.tables import read_table
from eyespot.errors import UsageError
from eyespot.imagenet_eval.labels import LabelledImage, class_in, class_of
from eyespot.imagenet_eval.shards import read_shards

TABLE = "labels.csv"


def find_images(source: str | Path) -> tuple[list[LabelledImage], list[Skipped]]:
    """The labelled images of `source`, each once, and the skipped ones.

    `source`: a folder with a `labels.csv` (file, class_index or wnid), with .tar files, with
    folders named by wnid, or with files of the validation set; or such a table, a .tar file, or a
    pattern such as "val-{000000..000049}.tar". Raises UsageError if there is no labelled image.
    """
    path = Path(source)
    skipped: list[Skipped] = []
    images: Iterable[LabelledImage]
    if is_folder(path):
        try:
            shards = [p for p in list_folder(path) if p.suffix == ".tar" and p.is_file()]
        except OSError as error:
            raise UsageError(
                f"The folder {printable(path)} cannot be read: {error.strerror}. "
                "Grant read permission, or choose another folder."
            ) from error
        if (path / TABLE).is_file():
            images = _listed(path / TABLE, skipped)
        elif shards:
            images = read_shards(shards, skipped)
        else:
            images = _named(path, skipped)
    elif path.suffix == ".csv" and path.is_file():
        images = _listed(path, skipped)
    elif path.suffix == ".tar":
        images = read_shards(map(Path, expand(str(source))), skipped)
    else:
        images = ()
    found = list(images)
    if not found:
        why = f" ({skipped[0].path}: {skipped[0].reason})" if skipped else ""
        if not path.exists() and path.suffix != ".tar":  # which may be a pattern
            why = ": there is no such folder"
        raise UsageError(
            f"Expected labelled images of ImageNet in {printable(path)}, found none{why}. Give "
            "a folder with folders named by wnid (n01440764), with the validation set "
            f"(ILSVRC2012_val_00000001.JPEG) or with {TABLE} (file, class_index), or WebDataset "
            "shards (.tar)."
        )
    return found, skipped


def _listed(table: Path, skipped: list[Skipped]) -> Iterable[LabelledImage]:
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
    for path in walk(table.parent, table.parent, skipped, []):
        if (name := name_of(path, table.parent)) not in seen:
            skipped.append(Skipped(name, f"is not listed in {table.name}"))


def _named(folder: Path, skipped: list[Skipped]) -> Iterable[LabelledImage]:
    for path in walk(folder, folder, skipped, []):
        name, truth = name_of(path, folder), class_of(path)
        if truth is None:
            reason = "is neither in a folder named by a wnid nor a file of the validation set"
            skipped.append(Skipped(name, reason))
        else:
            yield _file(path, name, truth)


def _file(path: Path, name: str, truth: int) -> LabelledImage:
    try:
        status = path.stat()
        size, modified = status.st_size, status.st_mtime_ns
    except OSError:  # reading it will give the reason
        size = modified = 0
    return LabelledImage(name, truth, FileSource(path), size, modified)
