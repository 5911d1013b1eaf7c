"""Export of a project's photos as a zip file with a folder per class.

Photos keep their file names. A manifest holds the class names and the bursts, which folders cannot.
"""

import json
import zipfile
from typing import BinaryIO

from eyespot.data.formats import EXTENSIONS, sniff, zip_member
from eyespot.errors import PhotoError, ProjectError
from eyespot.limits import MAX_ARCHIVE_BYTES, MAX_ARCHIVE_MANIFEST_BYTES
from eyespot.studio.archive import FORMAT, MANIFEST
from eyespot.studio.names import folder_names, safe_file_name, unique_name
from eyespot.studio.project import Project
from eyespot.studio.rows import Snapshot


def write_archive(project: Project, file: BinaryIO) -> int:
    """Write all photos of a project into `file`; return how many could not be read.

    A project imported from a classifier has features without photo files. Raises OSError, and
    ProjectError if the archive would exceed the limits for import.
    """
    snapshot = project.snapshot()
    names = folder_names([of.name for of in snapshot.classes])
    folders = {of.id: folder for of, folder in zip(snapshot.classes, names, strict=True)}
    taken: dict[str, set[str]] = {id: set() for id in folders}
    bursts: dict[str, str] = {}
    missing = unpacked = 0
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for photo in snapshot.photos:
            try:
                data = project.file(photo.sha256)
            except PhotoError:
                data = None
            if data is None:
                missing += 1
                continue
            own = taken[photo.class_id]
            file_name = safe_file_name(photo.name or f"{len(own) + 1:05}", _extension(data))
            name = f"{folders[photo.class_id]}/{unique_name(file_name, own)}"
            unpacked += len(data)
            if unpacked > MAX_ARCHIVE_BYTES - MAX_ARCHIVE_MANIFEST_BYTES:
                raise _too_large("its photos have", MAX_ARCHIVE_BYTES)
            archive.writestr(zip_member(name), data)
            if photo.burst is not None:
                bursts[name] = photo.burst
        text = _manifest(snapshot, folders, bursts)
        archive.writestr(zip_member(MANIFEST), text, zipfile.ZIP_DEFLATED)
    return missing


def _manifest(snapshot: Snapshot, folders: dict[str, str], bursts: dict[str, str]) -> bytes:
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
    return text


def _too_large(what: str, limit: int) -> ProjectError:
    return ProjectError(
        f"The project cannot be exported: {what} more than {limit:,} bytes, the limit for import. "
        "Delete classes or photos, or copy the project's folder."
    )


def _extension(data: bytes) -> str:
    format = sniff(data[:32])
    return next((extension for extension, of in EXTENSIONS.items() if of == format), "")
