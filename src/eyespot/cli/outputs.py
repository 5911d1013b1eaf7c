"""Check output paths before the work begins; write images."""

import io
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from eyespot.atomic import LONGEST_NAME, write_atomically
from eyespot.errors import UsageError
from eyespot.files import read_file
from eyespot.shown import printable

if TYPE_CHECKING:
    from PIL.Image import Image

    from eyespot.data.photos import Photo

STEM = 50
"""Letters of a photo's name that a drawing's file takes over."""
QUALITY = 92
"""Of JPEG, in which lines and text have no visible noise."""


def check_outputs(
    outputs: Sequence[Path | None], inputs: Iterable[Path] = (), photos: "Iterable[Photo]" = ()
) -> None:
    """Raises UsageError if one of `outputs` cannot be written, or would replace another output, one
    of `inputs` or a file of `photos`. Devices and pipes are written to directly."""
    taken = {_resolved(path): path for path in (*inputs, *_read_and_written(photos, outputs))}
    for path in outputs:
        if path is None:
            continue
        name = printable(path)
        _check_name(path)
        if path.is_dir():
            raise UsageError(f"{name} is a folder. Name a file in it.")
        if path.exists() and not path.is_file():
            continue
        if _resolved(path) in taken:
            raise UsageError(
                f"{name} would overwrite {printable(taken[_resolved(path)])}. Choose another name."
            )
        taken[_resolved(path)] = path
        folder = next(parent for parent in path.absolute().parents if parent.exists())
        if why := _refusal(folder):
            raise UsageError(
                f"{name} cannot be written: {printable(folder)} {why}. Choose another."
            )


def _read_and_written(photos: "Iterable[Photo]", outputs: Iterable[Path | None]) -> list[Path]:
    """Files of photos that are outputs, too."""
    taken = {identity(path) for path in outputs if path} - {None}
    if not taken:
        return []
    return [path for path in _files_of(photos) if identity(path) in taken]


def _files_of(photos: "Iterable[Photo]") -> set[Path]:
    sources = [photo.source for photo in photos]
    files = {getattr(one, "path", None) or getattr(one, "shard", None) for one in sources}
    return {path for path in files if path}


def identities(photos: "Iterable[Photo]") -> set[tuple[int, int]]:
    """Those of the files of photos, to compare with the `identity` of an output."""
    return {found for path in _files_of(photos) if (found := identity(path))}


def identity(path: Path) -> tuple[int, int] | None:
    """What all names of a file have in common; None without a file."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino


def _check_name(path: Path) -> None:
    """Raises UsageError if the name or the path is too long for a file here."""
    path, most = path.absolute(), LONGEST_NAME
    if hasattr(os, "pathconf"):
        folder = next(near for near in (path, *path.parents) if os.path.exists(near))  # noqa: PTH110
        most = os.pathconf(folder, "PC_NAME_MAX")
        if len(os.fsencode(path)) >= os.pathconf(folder, "PC_PATH_MAX"):
            raise UsageError("The path is too long for this system. Choose a shorter one.")
    for part in path.parts:
        if len(name := os.fsencode(part)) > most:
            raise UsageError(
                f"The name {printable(part[:40])}... has {len(name):,} bytes; at most {most:,} are "
                "allowed. Choose a shorter one."
            )


def _refusal(folder: Path) -> str:
    """Why a folder cannot be written; empty if it can."""
    if not folder.is_dir():
        return "is a file, not a folder"
    if not os.access(folder, os.W_OK):
        return "is a folder without write permission"
    try:  # some folders, such as /proc, reject files although their permissions allow them
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        return f"is a folder that accepts no new file ({error.strerror})"
    return ""


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except RuntimeError as error:  # until Python 3.13
        name = printable(path)
        raise UsageError(f"{name} is a link to itself. Choose another name.") from error


def check_folder(folder: Path, first: str) -> None:
    """Raises UsageError if `folder` is a file, or its file `first` cannot be written."""
    _check_name(folder)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{printable(folder)} is a file. Name a folder.")
    check_outputs([folder / first])


def check_ending(output: Path | None, *endings: str) -> None:
    """Raises UsageError if `output`, or the file that it links to, has none of `endings`, so that
    no photo or classifier is overwritten. Devices and pipes may have any name."""
    if output is None:
        return
    _check_name(output)
    ordinary = output.is_file() or not output.exists()
    if ordinary and _resolved(output).suffix.lower() not in endings:
        raise UsageError(
            f"Choose a name that ends in {' or '.join(endings)}, not {printable(output)}."
        )


def check_table(output: Path | None, columns: Sequence[str]) -> None:
    """Raises UsageError if `output` is a CSV or Parquet table of another kind: its columns do not
    begin with `columns`."""
    if output is None:
        return
    _check_name(output)
    found = _columns(output.resolve()) if output.is_file() else []
    if any(found) and found[: len(columns)] != list(columns):
        raise UsageError(
            f"{printable(output)} holds a table of another kind and is not overwritten. Its "
            f"columns are {printable(', '.join(found[:8]))}. Choose another name, or remove it."
        )


def _columns(file: Path) -> list[str]:
    """The names of a table's columns; empty for a damaged file."""
    if file.suffix.lower() != ".parquet":
        text = read_file(file, 10_000).decode("utf-8-sig", "replace")
        return text.partition("\n")[0].rstrip().split(",")
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return list(pq.read_schema(file).names)
    except (OSError, pa.ArrowException):
        return []


def numbered_files(photos: "Sequence[Photo]", folder: Path, ending: str) -> list[Path]:
    """A file in `folder` for each photo, with its number and the beginning of its name."""
    digits = len(str(len(photos)))
    return [
        folder / f"{number:0{digits}}-{Path(photo.name).stem[:STEM]}{ending}"
        for number, photo in enumerate(photos, start=1)
    ]


def write_jpeg(image: "Image", path: Path) -> None:
    """Write an image, atomically. Raises OSError."""
    content = io.BytesIO()
    image.save(content, "JPEG", quality=QUALITY)
    write_atomically(path, content.getvalue())


def write_png(image: "Image", path: Path) -> str:
    """Write an image, atomically, and describe the file. Raises OSError."""
    content = io.BytesIO()
    image.save(content, "PNG")
    write_atomically(path, content.getvalue())
    return f"{printable(path)}: {image.width} x {image.height} pixels"
