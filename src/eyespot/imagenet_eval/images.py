"""Labelled images of ImageNet in a folder, a table or WebDataset shards.

The class of an image comes from its folder, its name or a label. Shards have KEY.jpg (jpeg, png)
beside KEY.cls, its class.
"""

import re
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePath, PurePosixPath

from eyespot.data.folders import is_folder, list_folder, name_of, walk
from eyespot.data.photos import FileSource, Skipped, Source, printable
from eyespot.data.shards import ShardSource, expand, members
from eyespot.data.tables import read_table
from eyespot.errors import PhotoError, UsageError
from eyespot.shown import reason_of
from eyespot.weights.imagenet_names import imagenet_table

CLASSES = 1000
TABLE = "labels.csv"
IMAGES = ("jpg", "jpeg", "png")
CLASS = "cls"
LONGEST_CLASS = 64
"""Bytes of the longest label in a shard."""
UNKNOWN = "has the class {!r}; expected 0 to 999, or a wnid"


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """`truth`: the class, 0 to 999. `name`: unique in its source. `size`: bytes of the file.
    `modified`: when the file, or its shard, was written, in ns."""

    name: str
    truth: int
    source: Source
    size: int
    modified: int


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
            images = _in_shards(shards, skipped)
        else:
            images = _named(path, skipped)
    elif path.suffix == ".csv" and path.is_file():
        images = _listed(path, skipped)
    elif path.suffix == ".tar":
        images = _in_shards(map(Path, expand(str(source))), skipped)
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
            skipped.append(Skipped(photo.name, UNKNOWN.format(photo.label)))
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


def _in_shards(shards: Iterable[Path], skipped: list[Skipped]) -> Iterator[LabelledImage]:
    """The labelled images of all shards, each once.

    Images without a class, in two shards or unreadable are added to `skipped`. Of a damaged shard,
    the images before the damage are used.
    """
    known: set[Path] = set()
    seen: dict[tuple[str, int, int], Path] = {}
    for shard in shards:
        if shard.resolve() in known:
            skipped.append(Skipped(printable(shard), "is named twice"))
            continue
        known.add(shard.resolve())
        for key, image in _in_shard(shard, skipped):
            # The same name alone is no duplicate: shards may each count from 0.
            first = seen.setdefault((key, image.size, image.truth), shard)
            if first is shard:
                yield image
            else:
                reason = f"is a duplicate of an image in {printable(first.name)}"
                skipped.append(Skipped(image.name, reason))


def _in_shard(shard: Path, skipped: list[Skipped]) -> Iterator[tuple[str, LabelledImage]]:
    images: dict[str, tuple[PurePosixPath, ShardSource]] = {}
    classes: dict[str, str] = {}
    shown = printable(shard)
    try:
        modified = shard.stat().st_mtime_ns
        for path, source in members(shard):
            name, _, ending = path.name.partition(".")
            key, ending = str(path.with_name(name)) if name else "", ending.lower()
            if not name or ending not in (*IMAGES, CLASS):
                continue
            if key in (classes if ending == CLASS else images):
                skipped.append(
                    Skipped(f"{shown}/{printable(str(path))}", "occurs twice in its shard")
                )
            elif ending == CLASS:
                small = source.size <= LONGEST_CLASS
                classes[key] = source.read().decode("ascii", "replace") if small else "too long"
            else:
                images[key] = path, source
    except (tarfile.TarError, OSError, ValueError, PhotoError) as error:
        reason = f"the shard is damaged or cannot be read: {reason_of(error)}"
        skipped.append(Skipped(shown, reason))
    for key, (path, source) in images.items():
        truth = class_of(path) if key not in classes else class_in(classes[key])
        name = f"{shown}/{printable(str(path))}"
        if truth is not None:
            yield key, LabelledImage(name, truth, source, source.size, modified)
        elif key in classes:
            skipped.append(Skipped(name, UNKNOWN.format(printable(classes[key]))))
        else:
            skipped.append(Skipped(name, f"has no class: there is no {printable(key)}.{CLASS}"))
    skipped += [
        Skipped(f"{shown}/{printable(key)}.{CLASS}", "has no image beside it")
        for key in sorted(classes.keys() - images.keys())
    ]


def class_of(path: PurePath) -> int | None:
    """The class of a file in a folder named by a wnid such as n01440764, or of one of the 50,000
    files of the challenge's validation set; None for others."""
    named = _wnids().get(path.parent.name)
    return _validation().get(path.stem) if named is None else named


def class_in(text: str) -> int | None:
    """The class of a label: 0 to 999 in the order of the challenge, or a wnid; None for others."""
    text = text.strip()
    if re.fullmatch("0{0,9}[0-9]{1,3}", text):
        return int(text)
    return _wnids().get(text)


@cache
def _wnids() -> dict[str, int]:
    table: dict[str, int] = imagenet_table("imagenet21k_to_1k.json")
    return table


@cache
def _validation() -> dict[str, int]:
    table: dict[str, int] = imagenet_table("val_image_to_1k_label.json")
    return {name.partition(".")[0]: index for name, index in table.items()}
