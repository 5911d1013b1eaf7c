"""Images in WebDataset shards: tar files with KEY.jpg (or another image) beside KEY.cls, its class,
or KEY.json, an object with a label.

The headers of a shard are read once to find its images; each image is then read from its position,
in any order. Nothing is unpacked, and memory holds only the list.
"""

import json
import re
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from eyespot.data.column_names import INDEX_NAMES, LABEL_NAMES
from eyespot.data.decode import check_bytes
from eyespot.data.finding import Finding
from eyespot.data.folders import files_of, glob_paths, is_folder, list_folder, peek
from eyespot.data.formats import EXTENSIONS
from eyespot.data.photos import Dataset, Photo, Skipped, label_of, printable
from eyespot.data.split_names import Split, folders_as_splits, split_named, splits_of_files
from eyespot.errors import DatasetError, PhotoError, UsageError
from eyespot.files import open_file
from eyespot.limits import MAX_SHARDS
from eyespot.shown import counted, reason_of

CLASS, FACTS = ".cls", ".json"
LONGEST = {CLASS: 1000, FACTS: 1_000_000}
"""Maximum bytes of a member that names a class."""
LABELS = ("cls", *LABEL_NAMES, *INDEX_NAMES)
"""Keys of a label in an object, the likeliest first."""


@dataclass(frozen=True, slots=True)
class ShardSource:
    """`size` bytes of the file `shard`, from `offset`."""

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
            raise PhotoError(f"cannot be read: {reason_of(error)}") from error
        if len(data) < self.size:
            raise PhotoError("its shard is truncated inside this photo")
        return data


def expand(pattern: str) -> list[str]:
    """The names that braces expand to: {000..049} counts, {train,val} lists, {} is literal.

    Raises UsageError for more than `MAX_SHARDS` names.
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
        raise UsageError(f"{pattern} matches more than {MAX_SHARDS:,} shards.")
    width = len(first or "")
    return [f"{pattern[: found.start()]}{part:0>{width}}{end}" for part in parts for end in ends]


@dataclass(frozen=True, slots=True)
class Shards:
    """Shards with their splits. `findings`: how the splits were read."""

    splits: Mapping[Path, Split | None]
    findings: tuple[Finding, ...] = ()


def _by_name(paths: Sequence[Path]) -> Shards:
    splits, findings = splits_of_files([path.stem for path in paths])
    return Shards(dict(zip(paths, splits, strict=True)), tuple(findings))


def shards_in(folder: Path) -> Shards:
    """The shards in a folder, with splits by their names, or in its folders train, val and test;
    none if there are other folders, or folders in these. Raises OSError."""
    inside = list_folder(folder)
    folders = {path: split_named(path.name) for path in inside if is_folder(path)}
    if not all(folders.values()):
        return Shards({})
    named = _by_name(files_of(inside, ".tar"))
    splits = dict(named.splits)
    for path, split in folders.items():
        deeper = peek(path)
        if any(is_folder(child) for child in deeper):
            return Shards({})
        splits |= dict.fromkeys(files_of(deeper, ".tar"), split)
    return Shards(
        splits,
        named.findings + folders_as_splits({path.name: split for path, split in folders.items()}),
    )


def shards_named(pattern: str) -> Shards:
    """The shards that a name with braces, * and ? matches, with splits by their names. A name
    without matches is kept. Raises UsageError for too many."""
    paths: list[Path] = []
    for name in expand(pattern):
        paths += glob_paths(name) or [Path(name)]
    return _by_name(list(dict.fromkeys(paths)))


def read_shards(shards: Shards) -> Dataset:
    """The labelled images of all shards, named SHARD/MEMBER. An unreadable shard is skipped; of a
    damaged one, images before the damage count.

    Raises DatasetError without any image.
    """
    photos: list[Photo] = []
    skipped: list[Skipped] = []
    for shard, split in shards.splits.items():
        photos += _read_shard(shard, split, skipped)
    if not photos:
        why = f" ({skipped[0].path}: {skipped[0].reason})" if skipped else ""
        first = printable(next(iter(shards.splits)))
        raise DatasetError(
            "Expected WebDataset shards with images (KEY.jpg) beside their classes (KEY.cls or "
            f"KEY.json), found none in {first}{why}. If this is an archive of folders, unpack it "
            "first."
        )
    return Dataset(tuple(photos), tuple(skipped), shards.findings)


def _read_shard(shard: Path, split: str | None, skipped: list[Skipped]) -> Iterator[Photo]:
    images: dict[str, tuple[str, ShardSource]] = {}
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
            elif key in images:
                skipped.append(Skipped(name, "is in its shard twice"))
            else:
                images[key] = name, source
    except (tarfile.TarError, OSError, ValueError, PhotoError) as error:
        damage = f"the shard is damaged or cannot be read: {reason_of(error)}"
    if damage:
        count = sum(bool(labels.get(key)) for key in images)
        skipped.append(Skipped(shown, f"{damage}; {counted(count, 'labelled photo')} before it"))
    for key, (name, source) in images.items():
        if label := labels.get(key):
            yield Photo(name, source, label, split)
        else:
            state = "names no class" if key in labels else "is missing"
            skipped.append(Skipped(name, f"has no class: its .cls or .json {state}"))


def _label(source: ShardSource, ending: str) -> str | None:
    """The class that a member names, or None."""
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
    """The regular files of a tar file and the position of their content.

    Raises TarError after the last readable one if the file is damaged or truncated.
    """
    with open_file(shard) as file, tarfile.open(fileobj=file, mode="r:") as archive:
        end = -1
        while (member := archive.next()) is not None:
            if archive.offset <= end:  # a negative size would loop
                raise tarfile.ReadError("a size is negative")
            end = archive.offset
            archive.members.clear()  # type: ignore[attr-defined] # which would grow
            if member.isreg() and not member.issparse():
                source = ShardSource(shard, member.offset_data, member.size)
                yield PurePosixPath(member.name), source
        # tarfile stops silently at a damaged header. The real end is two blocks of zeros
        # (POSIX.1-2017, pax, "ustar Interchange Format").
        file.seek(archive.offset)
        if file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
            raise tarfile.ReadError(f"no header and no end at byte {archive.offset:,}")
