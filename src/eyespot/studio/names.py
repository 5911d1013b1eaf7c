"""Names of projects, classes and files, in a form that every system accepts."""

import posixpath
import re
import unicodedata
from collections.abc import Sequence

from eyespot.data.formats import EXTENSIONS
from eyespot.data.photos import label_of
from eyespot.errors import UsageError
from eyespot.limits import MAX_NAME_CHARACTERS

MAX_STEM_BYTES = 200
"""Of a file's name without its extension: file systems allow 255."""
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
"""Windows reserves these names."""


def checked_name(name: str, what: str) -> str:
    """Return the name of a project or class as it is stored. Raises UsageError."""
    name = label_of(name.strip())
    if not name:
        raise UsageError(f"{what} needs a name.")
    if len(name) > MAX_NAME_CHARACTERS:
        raise UsageError(
            f"{what}'s name has at most {MAX_NAME_CHARACTERS} characters, this one has "
            f"{len(name)}. Choose a shorter one."
        )
    return name


def class_names(labels: Sequence[str]) -> dict[str, str]:
    """Map labels of any length to distinct class names of a project."""
    names: dict[str, str] = {}
    for label in labels:
        name, number = label.strip()[:MAX_NAME_CHARACTERS] or "class", 1
        while name in names.values():
            number += 1
            name = f"{label.strip()[: MAX_NAME_CHARACTERS - 6]} {number}"
        names[label] = name
    return names


def folder_names(names: Sequence[str]) -> list[str]:
    """A distinct folder name for each class."""
    taken: set[str] = set()
    return [
        unique_name(_safe(re.sub(r"[^\w \-.+]", "_", name)[:60].strip(" .") or "class"), taken)
        for name in names
    ]


def base_name(path: str) -> str | None:
    """The last part of a photo's path, written on any system; None if it is empty."""
    return label_of(re.split(r"[/\\]", path)[-1]) or None


def safe_file_name(name: str, extension: str) -> str:
    """A photo's file name. `extension`: used if the name has no photo's extension."""
    name = re.sub(r'[<>:"/\\|?*\x00-\x1f\x7f]', "_", name).strip(" .") or "photo"
    stem, point, own = name.rpartition(".")
    if stem and f".{own.lower()}" in EXTENSIONS:
        name, extension = stem, point + own
    while len(name.encode()) > MAX_STEM_BYTES:
        name = name[:-1]
    return _safe(name.rstrip(" .") or "photo") + extension


def unique_name(name: str, taken: set[str]) -> str:
    """The name, numbered if it is in `taken` regardless of case and Unicode form; adds it there."""
    stem, extension = posixpath.splitext(name)
    unique, number = name, 1
    while (key := unicodedata.normalize("NFC", unique).casefold()) in taken:
        number += 1
        unique = f"{stem} {number}{extension}"
    taken.add(key)
    return unique


def _safe(name: str) -> str:
    return f"{name}_" if _RESERVED.fullmatch(name) else name
