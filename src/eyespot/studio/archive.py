"""Pictures as a zip file of folders, one a class; and back.

Photos keep their files' names. A manifest keeps what folders cannot say: the classes' own names and
which frames are of one burst.
Names in the archive only name: nothing is ever unpacked to a path.
"""

import contextlib
import io
import json
import posixpath
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from eyespot.data.audit import audited
from eyespot.data.columns import NO_COLUMNS, ColumnNames
from eyespot.data.decode import check_bytes
from eyespot.data.finding import Finding
from eyespot.data.formats import EXTENSIONS, ZIP_FAULTS, sniff, zip_member
from eyespot.data.layout import parts_of, read_listed
from eyespot.data.metadata import table_among
from eyespot.data.photos import Dataset, Photo, label_of
from eyespot.data.places import Places
from eyespot.data.tables import parse, photos_of
from eyespot.data.text import decode_text
from eyespot.errors import DatasetError, PhotoError, ProjectError
from eyespot.limits import (
    MAX_ARCHIVE_BYTES,
    MAX_ARCHIVE_GROWTH,
    MAX_ARCHIVE_MANIFEST_BYTES,
    MAX_ARCHIVE_MEMBERS,
)
from eyespot.studio.project import Project

MANIFEST = "eyespot.json"
FORMAT = "eyespot-pictures"
FREE_GROWTH = 10_000_000
"""Bytes below which growing is no danger."""
MAX_STEM_BYTES = 200
"""Of a file's name without its ending: file systems hold 255."""
UTF8_FLAG = 0x800
"""General purpose bit 11 (APPNOTE 4.4.4): the name is UTF-8."""
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)


def write_archive(project: Project, file: BinaryIO) -> int:
    """Write all pictures of a project into `file`; how many could not be: those of which only
    features were taught, or that cannot be read. Raises OSError as writing does, ProjectError if
    the archive would be larger than is read again."""
    snapshot = project.snapshot()
    folders = dict(
        zip(
            (of.id for of in snapshot.classes),
            folder_names([of.name for of in snapshot.classes]),
            strict=True,
        )
    )
    taken: dict[str, set[str]] = {folder: set() for folder in folders}
    bursts: dict[str, str] = {}
    missing = unpacked = 0
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for picture in snapshot.pictures:
            try:
                data = project.file(picture.sha256)
            except PhotoError:
                data = None
            if data is None:
                missing += 1
                continue
            own = taken[picture.class_id]
            file_name = _file_name(picture.name or f"{len(own) + 1:05}", _ending(data))
            name = f"{folders[picture.class_id]}/{_unique(file_name, own)}"
            unpacked += len(data)
            if unpacked > MAX_ARCHIVE_BYTES - MAX_ARCHIVE_MANIFEST_BYTES:
                raise _too_large("its pictures have", MAX_ARCHIVE_BYTES)
            archive.writestr(zip_member(name), data)
            if picture.burst is not None:
                bursts[name] = picture.burst
        manifest = {
            "format": FORMAT,
            "format_version": 1,
            "name": snapshot.name,
            "classes": [
                {"folder": folders[of.id], "name": of.name, "enabled": of.enabled}
                for of in snapshot.classes
            ],
            "bursts": bursts,
        }
        text = json.dumps(manifest, ensure_ascii=False).encode()
        if len(text) > MAX_ARCHIVE_MANIFEST_BYTES:
            raise _too_large(f"{MANIFEST} has", MAX_ARCHIVE_MANIFEST_BYTES)
        archive.writestr(zip_member(MANIFEST), text, zipfile.ZIP_DEFLATED)
    return missing


def _too_large(what: str, limit: int) -> ProjectError:
    return ProjectError(
        f"The project cannot be exported: {what} more than the {limit:,} bytes that are read "
        "again. Delete classes or photos, or copy the project's folder."
    )


def folder_names(names: Sequence[str]) -> list[str]:
    """A folder's name for each class that every system can hold, no two alike."""
    taken: set[str] = set()
    return [
        _unique(_safe(re.sub(r"[^\w \-.+]", "_", name)[:60].strip(" .") or "class"), taken)
        for name in names
    ]


def _file_name(name: str, ending: str) -> str:
    """A photo's own name as every system can hold it. `ending`: of what it is, if its name has
    none of a picture."""
    name = re.sub(r'[<>:"/\\|?*\x00-\x1f\x7f]', "_", name).strip(" .") or "photo"
    stem, point, own = name.rpartition(".")
    if stem and f".{own.lower()}" in EXTENSIONS:
        name, ending = stem, point + own
    while len(name.encode()) > MAX_STEM_BYTES:
        name = name[:-1]
    return _safe(name.rstrip(" .") or "photo") + ending


def _safe(name: str) -> str:
    """Windows keeps some names for itself."""
    return f"{name}_" if _RESERVED.fullmatch(name) else name


def _unique(name: str, taken: set[str]) -> str:
    """The name, numbered if it is among `taken`, in any case and form of letters, to which it is
    added."""
    stem, ending = posixpath.splitext(name)
    unique, number = name, 1
    while (key := unicodedata.normalize("NFC", unique).casefold()) in taken:
        number += 1
        unique = f"{stem} {number}{ending}"
    taken.add(key)
    return unique


def _ending(data: bytes) -> str:
    kind = sniff(data[:32])
    return next((ending for ending, of in EXTENSIONS.items() if of == kind), "")


@dataclass(frozen=True)
class Contents:
    """What an archive holds. `name`: of the project, empty if it does not say. `enabled`: by
    class, in order, also those without a picture."""

    name: str
    enabled: dict[str, bool]
    dataset: Dataset


@dataclass(frozen=True, slots=True)
class MemberSource:
    """A picture in an archive."""

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
    """The pictures in a zip file of folders, or with a table that lists them, to be read while it
    is open. `wanted`: the table's columns.

    Raises DatasetError if it is no zip file, holds no picture in a folder, or claims more than is
    read of strangers' archives, UsageError if there is no such column.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(file) if isinstance(file, bytes) else file)
    except ZIP_FAULTS as error:
        raise DatasetError(
            f"This is not a whole zip file ({error}). Export or download it again."
        ) from error
    with archive:
        size = len(file) if isinstance(file, bytes) else file.stat().st_size
        members = [member for member in archive.infolist() if not member.is_dir()]
        _check_limits(members, size)
        manifest = _manifest(archive)
        yield (
            _with_manifest(archive, members, manifest)
            if manifest
            else _folders(archive, members, wanted)
        )


def _check_limits(members: Sequence[zipfile.ZipInfo], size: int) -> None:
    unpacked = sum(member.file_size for member in members)
    if len(members) > MAX_ARCHIVE_MEMBERS:
        raise DatasetError(
            f"The archive holds {len(members):,} files, at most {MAX_ARCHIVE_MEMBERS:,} are read. "
            "Divide it."
        )
    if unpacked > min(MAX_ARCHIVE_BYTES, max(FREE_GROWTH, MAX_ARCHIVE_GROWTH * size)):
        raise DatasetError(
            f"The archive of {size:,} bytes would grow to {unpacked:,}: pictures do not, so it was "
            "not unpacked. Import a folder instead."
        )


def _manifest(archive: zipfile.ZipFile) -> dict[str, Any]:
    """What was written by `write_archive`; empty if there is nothing of the kind."""
    try:
        member = archive.getinfo(MANIFEST)
        if member.file_size > MAX_ARCHIVE_MANIFEST_BYTES:
            raise DatasetError(
                f"The archive's {MANIFEST} has {member.file_size:,} bytes, at most "
                f"{MAX_ARCHIVE_MANIFEST_BYTES:,} are read. Export it again, or delete {MANIFEST} "
                "from it: the folders are then the classes."
            )
        said = json.loads(archive.read(member))
    except (KeyError, RecursionError, *ZIP_FAULTS):
        return {}
    return said if isinstance(said, dict) and said.get("format") == FORMAT else {}


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
            f"The archive's {MANIFEST} is not as expected ({error}). Export it again, or delete "
            f"{MANIFEST} from it: the folders are then the classes."
        ) from error
    photos = []
    for member in members:
        name = label_of("/".join(parts_of(_name(member))))
        if (folder := name.partition("/")[0]) in names:
            source = MemberSource(archive, member)
            photos.append(Photo(name, source, names[folder], group=bursts.get(name)))
    return Contents(label_of(str(manifest.get("name", ""))), enabled, Dataset(tuple(photos)))


def _folders(
    archive: zipfile.ZipFile, members: Iterable[zipfile.ZipInfo], wanted: ColumnNames
) -> Contents:
    """As a folder of the same files is read, from the first folder with several things in it on;
    or by the table in it."""
    files = {name: member for member in members if (name := _name(member))}
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
            "Expected a zip file with a folder per class and pictures in it, as cat/1.jpg; found "
            f"{len(files)} files in no class folder."
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
    """The photos that a table in the archive lists, from the folder in which it lies."""
    text = decode_text(table, MemberSource(archive, files[table]).read())
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


def _name(member: zipfile.ZipInfo) -> str:
    """A member's name. Many programs write UTF-8 without the flag that says so."""
    if not _unmarked(member):
        return member.filename
    try:
        return member.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return member.filename


def _unmarked(member: zipfile.ZipInfo) -> bool:
    return not member.flag_bits & UTF8_FLAG and not member.filename.isascii()


def _code_page(members: Iterable[zipfile.ZipInfo]) -> list[Finding]:
    guessed = [m.filename for m in members if _unmarked(m) and _name(m) == m.filename]
    if not guessed:
        return []
    message = f"The archive does not say how its names are written; {guessed[0]} is a guess."
    return [Finding("names", "warning", message, "Rename the classes if they look wrong.")]
