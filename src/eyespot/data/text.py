"""Read text in unknown encodings, lists of files, and names of classes."""

import csv
import io
import json
import os
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from eyespot.data.photos import natural, printable
from eyespot.errors import DatasetError
from eyespot.files import read_file
from eyespot.limits import MAX_NAMES_BYTES, MAX_PHOTO_BYTES

SAMPLE_BYTES = 1000


def read_text(file: Path) -> str:
    """The text of a file, as `decode_text`. Raises DatasetError."""
    try:
        data = read_file(file, MAX_PHOTO_BYTES)
    except OSError as error:
        raise DatasetError(f"{printable(file)} cannot be read: {error.strerror}.") from error
    if len(data) > MAX_PHOTO_BYTES:
        raise DatasetError(f"{printable(file)} has more than {MAX_PHOTO_BYTES:,} bytes. Split it.")
    return decode_text(data)


def decode_text(data: bytes) -> str:
    """Text in UTF-8, UTF-16 ("Unicode text" of spreadsheets, PowerShell's `>`), or a Western code
    page."""
    for encoding in filter(None, (_utf16(data), "utf-8-sig", "cp1252")):
        with suppress(UnicodeDecodeError):
            return data.decode(encoding)
    return data.decode("latin-1")  # never fails


def _utf16(data: bytes) -> str | None:
    """The UTF-16 codec, by the byte order mark or by zeros in every other byte; None if neither."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    even, odd = (data[start:SAMPLE_BYTES:2].count(0) for start in (0, 1))
    if len(data) % 2 or abs(even - odd) * 4 < min(len(data), SAMPLE_BYTES):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def spellings(name: str) -> list[str]:
    """The file names that a cell or line may mean: as it is, with Windows slashes replaced, in
    either Unicode form, or encoded in cp1252."""
    slashed = name.replace("\\", "/")
    forms = (unicodedata.normalize(form, slashed) for form in ("NFC", "NFD"))
    coded = os.fsdecode(slashed.encode("cp1252", "ignore"))
    return [found for found in dict.fromkeys((name, slashed, *forms, coded)) if found]


def is_there(path: Path) -> bool:
    """As Path.exists, but False for errors: a long name, a locked folder, a null byte."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def read_list(file: Path) -> Iterator[Path]:
    """The files that a list names, one per line, relative to its folder; missing files too.

    Quotes, surrounding spaces, further columns, empty lines and lines that begin with # are
    ignored. Raises DatasetError."""
    for line in io.StringIO(read_text(file), newline=None):
        line, bare = line.rstrip("\n"), line.strip()
        if not bare:
            continue
        names = [line, bare, bare.strip("\"'"), *(_first_cell(bare, mark) for mark in "\t;,")]
        paths = (file.parent / spelling for name in names for spelling in spellings(name))
        found = next(filter(is_there, paths), None)
        if found is None and bare.startswith("#"):
            continue
        yield found or file.parent / names[2].replace("\\", "/")


def _first_cell(line: str, delimiter: str) -> str:
    try:
        return next(csv.reader([line], delimiter=delimiter))[0].strip()
    except csv.Error:
        return ""


def read_names(file: Path) -> list[str] | None:
    """The class names in a JSON list, or an object from number to name; None for anything else."""
    try:
        names = json.loads(read_file(file, MAX_NAMES_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    if isinstance(names, dict):
        if not names or set(names) != {str(number) for number in range(len(names))}:
            return None
        names = [names[key] for key in sorted(names, key=natural)]
    return [str(name) for name in names] if isinstance(names, list) else None
