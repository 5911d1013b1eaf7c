"""ImageNet's images in WebDataset shards: KEY.jpg (jpeg, png) beside KEY.cls, its class."""

import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from eyespot.data.photos import Skipped, printable
from eyespot.data.shards import ShardSource, members
from eyespot.errors import PhotoError
from eyespot.imagenet_eval.labels import LabelledImage, class_in, class_of

IMAGES = ("jpg", "jpeg", "png")
CLASS = "cls"
LONGEST_CLASS = 64
"""Bytes of the longest label."""


def read_shards(shards: Iterable[Path], skipped: list[Skipped]) -> Iterator[LabelledImage]:
    """The labelled images of all shards, each once.

    Images without a class, in two shards or unreadable are added to `skipped`. Of a damaged shard,
    the images before the damage are used.
    """
    known: dict[Path, None] = {}
    seen: dict[tuple[str, int, int], Path] = {}
    for shard in shards:
        if shard.resolve() in known:
            skipped.append(Skipped(printable(shard), "is named twice"))
            continue
        known[shard.resolve()] = None
        for key, image in _read_shard(shard, skipped):
            # The same name alone is no duplicate: shards may each count from 0.
            first = seen.setdefault((key, image.size, image.truth), shard)
            if first is shard:
                yield image
            else:
                reason = f"is a duplicate of an image in {printable(first.name)}"
                skipped.append(Skipped(image.name, reason))


def _read_shard(shard: Path, skipped: list[Skipped]) -> Iterator[tuple[str, LabelledImage]]:
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
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        skipped.append(Skipped(shown, f"the shard is damaged or cannot be read: {reason}"))
    for key, (path, source) in images.items():
        truth = class_of(path) if key not in classes else class_in(classes[key])
        name = f"{shown}/{printable(str(path))}"
        if truth is not None:
            yield key, LabelledImage(name, truth, source, source.size, modified)
        elif key in classes:
            reason = f"has the class {printable(classes[key])!r}; expected 0 to 999, or a wnid"
            skipped.append(Skipped(name, reason))
        else:
            skipped.append(Skipped(name, f"has no class: there is no {printable(key)}.{CLASS}"))
    skipped += [
        Skipped(f"{shown}/{printable(key)}.{CLASS}", "has no image beside it")
        for key in sorted(classes.keys() - images.keys())
    ]
