"""Tables with a usual name beside the photos they list, as `datasets` and Roboflow write them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from eyespot.data.columns import NO_COLUMNS, ColumnNames
from eyespot.data.finding import Finding
from eyespot.data.folders import is_folder, list_folder, peek, read_class_folders
from eyespot.data.formats import EXTENSIONS
from eyespot.data.photos import Dataset, Photo, Skipped
from eyespot.data.split_names import Split, split_named
from eyespot.data.tables import ENDINGS, read_table
from eyespot.errors import DatasetError
from eyespot.files import is_file

NAMES = ("metadata.jsonl", "metadata.csv", "_classes.csv")
TABLES = tuple(ending for ending in ENDINGS if ending != ".txt")


def tables_beside(folder: Path) -> dict[Path, Split | None]:
    """The table in a folder, or those in its folders that are splits, each with its split. Raises
    OSError."""
    inside = list_folder(folder)
    if here := _table_of(inside):
        return {here: None}
    found: dict[Path, Split | None] = {}
    for child in inside:
        split = split_named(child.name)
        if split and is_folder(child) and (table := _table_of(peek(child))):
            found[table] = split
    return found


def _table_of(inside: list[Path]) -> Path | None:
    named = {path.name: path for path in inside if path.name in NAMES and is_file(path)}
    return next((named[name] for name in NAMES if name in named), None)


def table_among(files: Iterable[str], wanted: ColumnNames) -> str | None:
    """The table that lists the photos of an archive, or None.

    A table with a usual name wins. Any other must be the only one, with columns named in `wanted`
    or all photos in its own folder.
    """
    outermost = sorted(files, key=lambda name: name.count("/"))
    tables = [name for name in outermost if PurePosixPath(name).suffix.lower() in TABLES]
    usual = [name for name in tables if PurePosixPath(name).name in NAMES]
    if usual or len(tables) != 1:
        return usual[0] if len(usual) == 1 else None
    folder = PurePosixPath(tables[0]).parent
    elsewhere = any(
        path.suffix.lower() in EXTENSIONS and path.parent != folder
        for path in map(PurePosixPath, files)
    )
    return tables[0] if wanted != NO_COLUMNS or not elsewhere else None


def read_beside(folder: Path, tables: Mapping[Path, Split | None], wanted: ColumnNames) -> Dataset:
    """The photos of all these tables, named relative to `folder`; those of class folders if the
    tables name no labels and such folders exist. Raises DatasetError, UsageError."""
    try:
        read = {table: read_table(table, wanted) for table in tables}
    except DatasetError as error:
        if wanted != NO_COLUMNS or not any(map(is_folder, peek(folder))):
            raise
        try:
            by_folder = read_class_folders(folder)
        except DatasetError:
            raise error from None
        told = Finding("columns", "warning", f"The folders were read as classes: {error}")
        return replace(by_folder, findings=(told, *by_folder.findings))
    photos: list[Photo] = []
    skipped: list[Skipped] = []
    for table, dataset in read.items():
        above = "" if table.parent == folder else f"{table.parent.name}/"
        photos += [
            replace(photo, name=above + photo.name, split=photo.split or tables[table])
            for photo in dataset.photos
        ]
        skipped += [replace(one, path=above + one.path) for one in dataset.skipped]
    findings = dict.fromkeys(f for dataset in read.values() for f in dataset.findings)
    return Dataset(tuple(photos), tuple(skipped), tuple(findings))
