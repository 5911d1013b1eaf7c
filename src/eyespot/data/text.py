"""Text from anywhere: tables and lists in whatever encoding, and the files that they name."""

import csv
import io
import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from eyespot.data.photos import printable
from eyespot.errors import DatasetError
from eyespot.files import read_file
from eyespot.limits import MAX_PHOTO_BYTES

LOOKED_AT_BYTES = 1000


def read_text(file: Path) -> str:
    """The text of a file. Spreadsheets and shells save as UTF-8, as UTF-16 ("Unicode text",
    PowerShell's `>`), or in the code page of the country. Raises DatasetError."""
    try:
        data = read_file(file, MAX_PHOTO_BYTES)
    except OSError as error:
        raise DatasetError(f"{printable(file)} cannot be read: {error.strerror}.") from error
    if len(data) > MAX_PHOTO_BYTES:
        raise DatasetError(f"{printable(file)} has more than {MAX_PHOTO_BYTES:,} bytes; split it.")
    return decode_text(file.name, data)


def decode_text(name: str, data: bytes) -> str:
    """The text in the bytes of a file called `name`. Raises DatasetError."""
    for encoding in (_utf16(data), "utf-8-sig", "cp1252", "latin-1"):
        if encoding is None:
            continue
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise DatasetError(f"{printable(name)} is not text. Save it as UTF-8.")


def _utf16(data: bytes) -> str | None:
    """Which UTF-16 it is: by its mark, or because every other byte of most names is zero."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    even, odd = (data[start:LOOKED_AT_BYTES:2].count(0) for start in (0, 1))
    if len(data) % 2 or abs(even - odd) * 4 < min(len(data), LOOKED_AT_BYTES):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def spellings(name: str) -> list[str]:
    """What a cell or line may call a file: as it stands, with the slashes of Windows, in another
    Unicode form, or in the bytes of a code page."""
    slashed = name.replace("\\", "/")
    forms = (unicodedata.normalize(form, slashed) for form in ("NFC", "NFD"))
    coded = os.fsdecode(slashed.encode("cp1252", "ignore"))
    return [found for found in dict.fromkeys((name, slashed, *forms, coded)) if found]


def is_there(path: Path) -> bool:
    """Also false for what cannot be asked: too long a name, a locked folder, a zero byte."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def find_file(folder: Path, name: str) -> Path | None:
    """The file that a cell or line means, from `folder`; None if there is none."""
    return next((folder / one for one in spellings(name) if is_there(folder / one)), None)


def read_list(file: Path) -> Iterator[Path]:
    """The files that a list names, one a line, relative to its folder; one that is not there as the
    line says. Quotes, spaces around and further columns do not count, nor do lines that are empty
    or begin with #. Raises DatasetError."""
    for line in io.StringIO(read_text(file), newline=None):
        line, bare = line.rstrip("\n"), line.strip()
        if not bare:
            continue
        names = [line, bare, bare.strip("\"'"), *(_first_cell(bare, mark) for mark in "\t;,")]
        found = next((f for name in names if name if (f := find_file(file.parent, name))), None)
        if found is None and bare.startswith("#"):
            continue
        yield found or file.parent / names[2].replace("\\", "/")


def _first_cell(line: str, delimiter: str) -> str:
    try:
        return next(csv.reader([line], delimiter=delimiter))[0].strip()
    except csv.Error:
        return ""
