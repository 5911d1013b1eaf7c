"""Import of photos from a zip file: folders of classes, a table, or an export of the studio.

The names in an archive are never used as paths on disk.
"""

import contextlib
import io
import json
import posixpath
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eyespot.data.audit import audited
from eyespot.data.columns import NO_COLUMNS, ColumnNames
from eyespot.data.decode import check_bytes
from eyespot.data.finding import Finding
from eyespot.data.formats import ZIP_FAULTS
from eyespot.data.layout import parts_of, read_listed
from eyespot.data.metadata import table_among
from eyespot.data.photos import Dataset, Photo, label_of
from eyespot.data.places import Places
from eyespot.data.tables import parse, photos_of
from eyespot.data.text import decode_text
from eyespot.errors import DatasetError, PhotoError
from eyespot.limits import (
    MAX_ARCHIVE_BYTES,
    MAX_ARCHIVE_GROWTH,
    MAX_ARCHIVE_MANIFEST_BYTES,
    MAX_ARCHIVE_MEMBERS,
)

MANIFEST = "eyespot.json"
FORMAT = "eyespot-photos"
MIN_GROWTH_BYTES = 10_000_000
"""Archives that unpack to less than this may grow by any factor."""
UTF8_FLAG = 0x800
"""General purpose bit 11 (APPNOTE 4.4.4): the name is UTF-8."""


@dataclass(frozen=True)
class Contents:
    """Content of an archive.

    `name`: of the project, empty if unknown. `enabled`: by class, in order, empty classes included.
    """

    name: str
    enabled: dict[str, bool]
    dataset: Dataset


@dataclass(frozen=True, slots=True)
class MemberSource:
    """A photo in an archive."""

    archive: zipfile.ZipFile
    member: zipfile.ZipInfo

    def read(self) -> bytes:
        check_bytes(self.member.file_size)
        try:
            return self.archive.read(self.member)
        except ZIP_FAULTS as error:
            raise PhotoError(f"cannot be unpacked: {error}") from error


@contextlib.contextmanager
def open_archive(file: Path | bytes, wanted: ColumnNames = NO_COLUMNS) -> Iterator[Contents]:
    """Open a zip file of class folders, or of photos and a table. `wanted`: the table's columns.

    Photos can be read while the archive is open. Raises DatasetError if the file is damaged, has no
    class or exceeds the limits, UsageError if a column is missing.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(file) if isinstance(file, bytes) else file)
    except ZIP_FAULTS as error:
        raise DatasetError(
            f"This zip file is damaged ({error}). Export or download it again."
        ) from error
    with archive:
        size = len(file) if isinstance(file, bytes) else file.stat().st_size
        members = [member for member in archive.infolist() if not member.is_dir()]
        check_limits(members, size)
        manifest = _manifest(archive)
        yield (
            _with_manifest(archive, members, manifest)
            if manifest
            else _folders(archive, members, wanted)
        )


def check_limits(members: Sequence[zipfile.ZipInfo], size: int) -> None:
    unpacked = sum(member.file_size for member in members)
    if len(members) > MAX_ARCHIVE_MEMBERS:
        raise DatasetError(
            f"Expected at most {MAX_ARCHIVE_MEMBERS:,} files in an archive, found "
            f"{len(members):,}. Split it."
        )
    if unpacked > min(MAX_ARCHIVE_BYTES, max(MIN_GROWTH_BYTES, MAX_ARCHIVE_GROWTH * size)):
        raise DatasetError(
            f"The archive of {size:,} bytes would unpack to {unpacked:,} bytes, more than photos "
            "do. It was not unpacked. Import a folder instead."
        )


def _manifest(archive: zipfile.ZipFile) -> dict[str, Any]:
    """The manifest that `write_archive` wrote; empty if there is none."""
    try:
        member = archive.getinfo(MANIFEST)
        if member.file_size > MAX_ARCHIVE_MANIFEST_BYTES:
            raise DatasetError(
                f"{MANIFEST} in the archive has {member.file_size:,} bytes, more than the limit of "
                f"{MAX_ARCHIVE_MANIFEST_BYTES:,}. Export the project again, or delete {MANIFEST} "
                "from the archive: the folders are then the classes."
            )
        found = json.loads(archive.read(member))
    except (KeyError, RecursionError, *ZIP_FAULTS):
        return {}
    return found if isinstance(found, dict) and found.get("format") == FORMAT else {}


def _with_manifest(
    archive: zipfile.ZipFile, members: Iterable[zipfile.ZipInfo], manifest: dict[str, Any]
) -> Contents:
    try:
        classes, named = manifest["classes"], manifest["bursts"].items()
        names = {label_of(str(of["folder"])): label_of(str(of["name"])) for of in classes}
        enabled = {label_of(str(of["name"])): bool(of["enabled"]) for of in classes}
        bursts = {label_of(str(name)): label_of(str(burst)) for name, burst in named}
    except (KeyError, TypeError, AttributeError) as error:
        raise DatasetError(
            f"{MANIFEST} in the archive cannot be read ({error}). Export the project again, or "
            f"delete {MANIFEST} from the archive: the folders are then the classes."
        ) from error
    photos = []
    for member in members:
        name = label_of("/".join(parts_of(member_name(member))))
        if (folder := name.partition("/")[0]) in names:
            source = MemberSource(archive, member)
            photos.append(Photo(name, source, names[folder], group=bursts.get(name)))
    return Contents(label_of(str(manifest.get("name", ""))), enabled, Dataset(tuple(photos)))


def _folders(
    archive: zipfile.ZipFile, members: Iterable[zipfile.ZipInfo], wanted: ColumnNames
) -> Contents:
    """Read the archive as a folder with the same files would be, or by its table."""
    files = {name: member for member in members if (name := member_name(member))}
    if (table := table_among(files, wanted)) is not None:
        dataset = audited(_listed(archive, files, table, wanted))
        return Contents("", dict.fromkeys(dataset.classes, True), dataset)
    listed = read_listed(list(files), "the archive")
    photos = [
        Photo(label_of(name), MemberSource(archive, member), place.label, place.split)
        for (name, member), place in zip(files.items(), listed.places, strict=True)
        if place
    ]
    if not photos:
        raise DatasetError(
            "Expected a zip file with a folder of photos per class, as cat/1.jpg; found "
            f"{len(files):,} files in no class folder."
        )
    findings = (*_code_page(files.values()), *listed.findings)
    dataset = audited(Dataset(tuple(photos), listed.skipped, findings))
    return Contents("", dict.fromkeys(dataset.classes, True), dataset)


def _listed(
    archive: zipfile.ZipFile,
    files: Mapping[str, zipfile.ZipInfo],
    table: str,
    wanted: ColumnNames,
) -> Dataset:
    """Read the photos that a table in the archive lists, by paths from the table's folder."""
    text = decode_text(MemberSource(archive, files[table]).read())
    folder = posixpath.dirname(table)

    def at(path: str) -> str:
        return posixpath.normpath(posixpath.join(folder, path))

    places = Places(
        "the table's folder",
        lambda path: at(path) in files,
        lambda: [posixpath.relpath(name, folder or ".") for name in files],
    )
    return photos_of(
        parse(posixpath.basename(table), text),
        wanted,
        places,
        lambda path: MemberSource(archive, files[at(path)]),
    )


def member_name(member: zipfile.ZipInfo) -> str:
    """A member's name. Many programs write UTF-8 without setting its flag."""
    if not _unmarked(member):
        return member.filename
    try:
        return member.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return member.filename


def _unmarked(member: zipfile.ZipInfo) -> bool:
    return not member.flag_bits & UTF8_FLAG and not member.filename.isascii()


def _code_page(members: Iterable[zipfile.ZipInfo]) -> list[Finding]:
    guessed = [m.filename for m in members if _unmarked(m) and member_name(m) == m.filename]
    if not guessed:
        return []
    message = f"The archive does not declare the encoding of its names; {guessed[0]} is a guess."
    return [Finding("names", "warning", message, "Rename the classes if they look wrong.")]
