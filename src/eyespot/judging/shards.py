"""Pictures in WebDataset shards: tar files with KEY.jpg (jpeg, png) beside KEY.cls, its class.

A shard's headers are read once to know where its pictures are; each picture is then read from its
place. Nothing is unpacked, and memory holds only the list.
"""

import re
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from eyespot.data.decode import MAX_BYTES
from eyespot.data.photos import Skipped, printable
from eyespot.errors import PhotoError, UsageError
from eyespot.judging.labels import Labelled, class_in, class_of

PICTURES = ("jpg", "jpeg", "png")
CLASS = "cls"
LONGEST_CLASS = 64
"""Bytes of the longest text that may name a class."""
MOST_SHARDS = 100_000


@dataclass(frozen=True, slots=True)
class ShardSource:
    """`size` bytes of the file `shard`, from `offset` on."""

    shard: Path
    offset: int
    size: int

    def read(self) -> bytes:
        if self.size > MAX_BYTES:
            raise PhotoError(f"the file has {self.size:,} bytes, at most {MAX_BYTES:,} are read")
        try:
            with self.shard.open("rb") as file:
                file.seek(self.offset)
                data = file.read(self.size)
        except OSError as error:
            raise PhotoError(f"cannot be read: {error.strerror or error}") from error
        if len(data) < self.size:
            raise PhotoError("its shard is cut off in it")
        return data


def expand(pattern: str) -> list[str]:
    """The names that braces stand for: {000..049} counts, {train,val} lists, {} is itself.

    Raises UsageError if they are more than anybody means.
    """
    found = re.search(r"\{([0-9]{1,9})\.\.([0-9]{1,9})\}|\{([^{}]*,[^{}]*)\}", pattern)
    if found is None:
        return [pattern]
    first, last, listed = found.groups()
    parts: Sequence[int | str] = (
        range(int(first), int(last) + 1) if listed is None else listed.split(",")
    )
    ends = expand(pattern[found.end() :])
    if len(parts) * len(ends) > MOST_SHARDS:
        raise UsageError(f"{pattern} stands for more than {MOST_SHARDS:,} shards.")
    width = len(first or "")
    return [f"{pattern[: found.start()]}{part:0>{width}}{end}" for part in parts for end in ends]


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
        for path, source in _members(shard):
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


def _members(shard: Path) -> Iterator[tuple[PurePosixPath, ShardSource]]:
    """The plain files of a tar file and where their content is.

    Raises TarError after the last one that could be read if the file is damaged or cut off.
    """
    with shard.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as archive:
        end = -1
        while (member := archive.next()) is not None:
            if archive.offset <= end:  # a size below zero would lead round in a circle
                raise tarfile.ReadError("a size is below zero")
            end = archive.offset
            archive.members.clear()  # type: ignore[attr-defined] # it would keep them all
            if member.isreg() and not member.issparse():
                source = ShardSource(shard, member.offset_data, member.size)
                yield PurePosixPath(member.name), source
        # At a damaged header the module stops as if that were the end: two blocks of zeros
        # (POSIX.1-2017, pax, "ustar Interchange Format").
        file.seek(archive.offset)
        if file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
            raise tarfile.ReadError(f"no header and no end at byte {archive.offset:,}")
