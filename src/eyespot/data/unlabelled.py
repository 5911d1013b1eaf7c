"""Photos without labels in files, folders, lists, shards and Parquet files."""

import tarfile
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from eyespot.data.finding import Finding
from eyespot.data.folders import (
    files_of,
    find_photos,
    glob_paths,
    is_folder,
    list_folder,
    no_photos,
)
from eyespot.data.formats import EXTENSIONS, sniff_file
from eyespot.data.parquet import ParquetSource, image_column
from eyespot.data.photos import Dataset, FileSource, Photo, Skipped, Unreadable, printable
from eyespot.data.shards import members, shards_in, shards_named
from eyespot.data.text import read_list
from eyespot.errors import DatasetError
from eyespot.shown import reason_of

TAR, PARQUET, LIST = ".tar", ".parquet", ".txt"


def find_unlabelled(sources: str | Path | Sequence[str | Path]) -> Dataset:
    """Photos with unique names from the sources of `find_photos`, WebDataset shards (FILE.tar,
    with braces or *), Parquet files with an image column, lists (FILE.txt, one path per line,
    relative to the list's folder), and folders of shards or Parquet files.

    Of a damaged shard, images before the damage count, followed by a photo that cannot be read.
    Raises DatasetError if no source holds a photo.
    """
    if isinstance(sources, str | Path):
        sources = [sources]
    photos: dict[Photo, None] = {}  # a set that keeps its order
    skipped: list[Skipped] = []
    findings: list[Finding] = []
    held = [(source, _held(source)) for source in sources]
    for is_plain, run in groupby(held, key=lambda pair: pair[1] is None):
        if is_plain:
            found = find_photos([source for source, _ in run])
            photos |= dict.fromkeys(found.photos)
            skipped += found.skipped
            findings += found.findings
        else:
            inside = (file for _, files in run for file in files or ())
            photos |= dict.fromkeys(photo for file in inside for photo in _inside(file))
    lost = [
        f" ({photo.name}: {photo.source.reason})"
        for photo in photos
        if isinstance(photo.source, Unreadable)
    ]
    if len(lost) == len(photos):
        raise no_photos(sources, "".join(lost[:1]))
    return Dataset(tuple(photos), tuple(skipped), tuple(findings))


def _held(source: str | Path) -> list[Path] | None:
    """The shards, Parquet files or lists that a source names; None if it names photos."""
    path, ending = Path(source), Path(source).suffix.lower()
    if is_folder(path):
        return _only_shards(path)
    if ending == TAR:
        return list(shards_named(str(source)).splits)
    if ending == PARQUET:
        return glob_paths(source) or [path]
    if ending == LIST and path.is_file() and not _is_image(path):
        return [path]
    return None


def _only_shards(folder: Path) -> list[Path] | None:
    """The shards or Parquet files of a folder without photos, or None."""
    try:
        inside = list_folder(folder)
        shards = list(shards_in(folder).splits)
    except OSError:
        return None  # find_photos reports it
    if any(path.suffix.lower() in EXTENSIONS for path in inside):
        return None
    if not shards and not any(map(is_folder, inside)):
        shards = files_of(inside, PARQUET)
    return shards or None


def _is_image(path: Path) -> bool:
    try:
        return sniff_file(path) is not None
    except OSError:
        return False


def _inside(file: Path) -> Iterator[Photo]:
    readers = {TAR: _in_shard, PARQUET: _in_parquet}
    try:
        yield from readers.get(file.suffix.lower(), _in_list)(file)
    except (tarfile.TarError, OSError, ValueError, DatasetError) as error:
        yield Photo(printable(file), Unreadable(f"damaged or cannot be read: {reason_of(error)}"))


def _in_shard(shard: Path) -> Iterator[Photo]:
    """The images of a tar file, named SHARD/MEMBER; the second of one name is MEMBER (2)."""
    seen: dict[str, int] = {}
    for member, source in members(shard):
        if member.suffix.lower() in EXTENSIONS and not member.name.startswith("."):
            name = f"{printable(shard)}/{printable(str(member))}"
            seen[name] = seen.get(name, 0) + 1
            yield Photo(name if seen[name] == 1 else f"{name} ({seen[name]})", source)


def _in_parquet(file: Path) -> Iterator[Photo]:
    """The rows of a Parquet file, named FILE#ROW. Raises DatasetError if it cannot be read."""
    changed = file.stat().st_mtime_ns
    column, groups = image_column(file)
    number = 0
    for group, rows in enumerate(groups):
        for row in range(rows):
            yield Photo(
                f"{printable(file)}#{number}", ParquetSource(file, changed, column, group, row)
            )
            number += 1


def _in_list(file: Path) -> Iterator[Photo]:
    for path in read_list(file):
        yield Photo(printable(path), FileSource(path))
