"""Pictures in WebDataset shards: tar files with KEY.jpg (or another picture) beside KEY.cls, its
class, or KEY.json, an object with a label.

A shard's headers are read once to know where its pictures are; each picture is then read from its
place, in any order. Nothing is unpacked, and memory holds only the list.
"""

import glob
import json
import re
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from eyespot.data.column_names import INDEX_NAMES, LABEL_NAMES
from eyespot.data.decode import check_bytes
from eyespot.data.finding import Finding
from eyespot.data.folders import is_folder, list_folder, peek
from eyespot.data.formats import EXTENSIONS
from eyespot.data.photos import Dataset, Photo, Skipped, label_of, natural, printable
from eyespot.data.split_names import (
    Split,
    folders_as_splits,
    split_named,
    splits_of_files,
)
from eyespot.errors import DatasetError, PhotoError, UsageError
from eyespot.files import is_file, open_file
from eyespot.limits import MAX_SHARDS

CLASS, FACTS = ".cls", ".json"
LONGEST = {CLASS: 1000, FACTS: 1_000_000}
"""Bytes of the longest member that may name a class."""
LABELS = ("cls", *LABEL_NAMES, *INDEX_NAMES)
"""What an object may call its label, the likeliest first."""


@dataclass(frozen=True, slots=True)
class ShardSource:
    """`size` bytes of the file `shard`, from `offset` on."""

    shard: Path
    offset: int
    size: int

    def read(self) -> bytes:
        check_bytes(self.size)
        try:
            with open_file(self.shard) as file:
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
    if len(parts) * len(ends) > MAX_SHARDS:
        raise UsageError(f"{pattern} stands for more than {MAX_SHARDS:,} shards.")
    width = len(first or "")
    return [f"{pattern[: found.start()]}{part:0>{width}}{end}" for part in parts for end in ends]


@dataclass(frozen=True, slots=True)
class Shards:
    """Shards and their splits. `findings`: how the splits were read."""

    splits: Mapping[Path, Split | None]
    findings: tuple[Finding, ...] = ()


def _by_name(paths: Sequence[Path]) -> Shards:
    splits, findings = splits_of_files([path.stem for path in paths])
    return Shards(dict(zip(paths, splits, strict=True)), tuple(findings))


def shards_in(folder: Path) -> Shards:
    """The shards in a folder and the splits that their names say, or those in its folders train,
    val and test; none if there are other folders, or folders in these. Raises OSError."""
    inside = list_folder(folder)
    folders = {path: split_named(path.name) for path in inside if is_folder(path)}
    if not all(folders.values()):
        return Shards({})
    named = _by_name([path for path in inside if path.suffix == ".tar" and is_file(path)])
    splits = dict(named.splits)
    for path, split in folders.items():
        deeper = peek(path)
        if any(is_folder(child) for child in deeper):
            return Shards({})
        splits |= {child: split for child in deeper if child.suffix == ".tar" and is_file(child)}
    return Shards(
        splits,
        named.findings + folders_as_splits({path.name: split for path, split in folders.items()}),
    )


def shards_named(pattern: str) -> Shards:
    """The shards that a name with braces, * and ? stands for, and the splits that they say. One
    that is not there stands for itself. Raises UsageError if they are too many."""
    paths: list[Path] = []
    for name in expand(pattern):
        paths += map(Path, sorted(glob.glob(name), key=natural) or [name])  # noqa: PTH207
    return _by_name(list(dict.fromkeys(paths)))


def expect_all(shards: Iterable[Path], pattern: str) -> None:
    """Raises DatasetError if any of the shards that `pattern` stands for is not there."""
    paths = list(shards)
    missing = [path for path in paths if not path.exists()]
    if missing:
        raise DatasetError(
            f"Expected every shard that {printable(pattern)} stands for; {len(missing)} of "
            f"{len(paths)} are missing, the first is {printable(missing[0])}. Get them, or name "
            "only those that are there: a * stands for all."
        )


def read_shards(shards: Shards) -> Dataset:
    """The labelled pictures of all shards, named SHARD/MEMBER. A shard that cannot be read is
    skipped; of a damaged one, what comes before the damage counts.

    Raises DatasetError if there is no picture in any.
    """
    photos: list[Photo] = []
    skipped: list[Skipped] = []
    for shard, split in shards.splits.items():
        photos += _read_shard(shard, split, skipped)
    if not photos:
        why = f" ({skipped[0].path}: {skipped[0].reason})" if skipped else ""
        first = printable(next(iter(shards.splits)))
        raise DatasetError(
            f"Expected WebDataset shards with pictures (KEY.jpg) beside their classes (KEY.cls or "
            f"KEY.json), found none in {first}{why}. If this is an archive of folders, unpack it "
            "first."
        )
    return Dataset(tuple(photos), tuple(skipped), shards.findings)


def _read_shard(shard: Path, split: str | None, skipped: list[Skipped]) -> Iterator[Photo]:
    pictures: dict[str, tuple[str, ShardSource]] = {}
    labels: dict[str, str | None] = {}
    shown, damage = printable(shard), ""
    try:
        for path, source in members(shard):
            stem, _, rest = path.name.partition(".")
            key, ending = str(path.with_name(stem)) if stem else "", f".{rest.lower()}"
            name = f"{shown}/{printable(str(path))}"
            if not key or ending not in (*EXTENSIONS, *LONGEST):
                continue
            if ending in LONGEST:
                labels[key] = labels.get(key) or _label(source, ending)
            elif key in pictures:
                skipped.append(Skipped(name, "stands twice in its shard"))
            else:
                pictures[key] = name, source
    except (tarfile.TarError, OSError, ValueError, PhotoError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        damage = f"the shard is damaged or cannot be read: {reason}"
    if damage:
        count = sum(bool(labels.get(key)) for key in pictures)
        saved = f"the {count} labelled before the damage count" if count else "none comes before it"
        skipped.append(Skipped(shown, f"{damage}; of its pictures {saved}"))
    for key, (name, source) in pictures.items():
        if label := labels.get(key):
            yield Photo(name, source, label, split)
        else:
            beside = "that names no class" if key in labels else "missing"
            skipped.append(Skipped(name, f"has no class: its .cls or .json is {beside}"))


def _label(source: ShardSource, ending: str) -> str | None:
    """The class that a member names; None if it names none."""
    if source.size > LONGEST[ending]:
        return None
    text = source.read().decode("utf-8", "replace")
    if ending == FACTS:
        try:
            facts = json.loads(text)
        except (ValueError, RecursionError):
            return None
        if not isinstance(facts, dict):
            return None
        facts = next((facts[name] for name in LABELS if name in facts), None)
        if isinstance(facts, bool) or not isinstance(facts, str | int):
            return None
        text = str(facts)
    return label_of(text.strip()) or None


def members(shard: Path) -> Iterator[tuple[PurePosixPath, ShardSource]]:
    """The plain files of a tar file and where their content is.

    Raises TarError after the last one that could be read if the file is damaged or cut off.
    """
    with open_file(shard) as file, tarfile.open(fileobj=file, mode="r:") as archive:
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
