"""ImageNet's pictures in WebDataset shards: KEY.jpg (jpeg, png) beside KEY.cls, its class."""

import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from eyespot.data.photos import Skipped, printable
from eyespot.data.shards import ShardSource, members
from eyespot.errors import PhotoError
from eyespot.imagenet_eval.labels import Labelled, class_in, class_of

PICTURES = ("jpg", "jpeg", "png")
CLASS = "cls"
LONGEST_CLASS = 64
"""Bytes of the longest text that may name a class."""


def read_shards(shards: Iterable[Path], skipped: list[Skipped]) -> Iterator[Labelled]:
    """The labelled pictures of all shards, each once. What has no class, stands in two shards or
    cannot be read is noted in `skipped`; of a damaged shard, what comes before the damage counts.
    """
    known: dict[Path, None] = {}
    seen: dict[tuple[str, int, int], Path] = {}
    for shard in shards:
        if shard.resolve() in known:
            skipped.append(Skipped(printable(shard), "is named twice"))
            continue
        known[shard.resolve()] = None
        for key, picture in _read_shard(shard, skipped):
            # Of one name, size and class: a copy. Of one name alone: shards that count from 0.
            first = seen.setdefault((key, picture.size, picture.truth), shard)
            if first is shard:
                yield picture
            else:
                reason = f"stands in {printable(first.name)} already"
                skipped.append(Skipped(picture.name, reason))


def _read_shard(shard: Path, skipped: list[Skipped]) -> Iterator[tuple[str, Labelled]]:
    pictures: dict[str, tuple[PurePosixPath, ShardSource]] = {}
    classes: dict[str, str] = {}
    shown = printable(shard)
    try:
        modified = shard.stat().st_mtime_ns
        for path, source in members(shard):
            name, _, ending = path.name.partition(".")
            key, ending = str(path.with_name(name)) if name else "", ending.lower()
            if not name or ending not in (*PICTURES, CLASS):
                continue
            if key in (classes if ending == CLASS else pictures):
                skipped.append(
                    Skipped(f"{shown}/{printable(str(path))}", "stands twice in its shard")
                )
            elif ending == CLASS:
                small = source.size <= LONGEST_CLASS
                classes[key] = source.read().decode("ascii", "replace") if small else "too long"
            else:
                pictures[key] = path, source
    except (tarfile.TarError, OSError, ValueError, PhotoError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        skipped.append(Skipped(shown, f"the shard is damaged or cannot be read: {reason}"))
    for key, (path, source) in pictures.items():
        truth = class_of(path) if key not in classes else class_in(classes[key])
        name = f"{shown}/{printable(str(path))}"
        if truth is not None:
            yield key, Labelled(name, truth, source, source.size, modified)
        elif key in classes:
            reason = f"has the class {printable(classes[key])!r}; expected 0 to 999, or a wnid"
            skipped.append(Skipped(name, reason))
        else:
            skipped.append(Skipped(name, f"has no class: there is no {printable(key)}.{CLASS}"))
    skipped += [
        Skipped(f"{shown}/{printable(key)}.{CLASS}", "has no picture beside it")
        for key in sorted(classes.keys() - pictures.keys())
    ]
