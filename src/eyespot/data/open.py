"""Open a labelled dataset in any supported form."""

from collections.abc import Iterable
from dataclasses import replace
from os import PathLike
from pathlib import Path

from eyespot.data.audit import audited
from eyespot.data.columns import NO_COLUMNS, ColumnNames
from eyespot.data.folders import cannot_read, is_folder, list_folder, read_class_folders
from eyespot.data.given import Label, PhotoLike, label_texts, many, named_photos, path_of
from eyespot.data.idx import is_images, read_idx
from eyespot.data.metadata import read_beside, tables_beside
from eyespot.data.parquet_tables import read_parquet
from eyespot.data.photos import Dataset, printable
from eyespot.data.shards import read_shards, shards_in, shards_named
from eyespot.data.tables import ENDINGS, read_table
from eyespot.errors import DatasetError, UsageError
from eyespot.files import is_file, open_file
from eyespot.shown import reason_of, sentence


def open_photos(
    source: str | Path | Iterable[PhotoLike] | Dataset,
    labels: Iterable[Label] | None = None,
    *,
    least_classes: int = 2,
    path_column: str | None = None,
    label_column: str | None = None,
    split_column: str | None = None,
) -> Dataset:
    """A labelled Dataset with at least `least_classes` classes; a Dataset is returned unchanged.

    `source`: a folder with a folder per class (or these inside train/, val/, test/), a CSV, TSV,
    JSON or JSON Lines file of path and label, a folder with such a metadata.csv or metadata.jsonl,
    a Parquet file or a folder of them, IDX files, WebDataset shards (a folder of .tar files, or
    their name with braces or *), or a list of photos as `Classifier.predict` accepts them.
    `labels`: of a list, texts or numbers.
    `path_column`, `label_column`, `split_column`: names of a table's columns, or their numbers from
    1. By default, columns are recognized.
    Raises DatasetError if the source is none of these or has no photo or too few classes, and
    UsageError if a table has no such column or the source is not a table.
    """
    wanted = ColumnNames(path_column, label_column, split_column)
    if isinstance(source, Dataset):
        return source
    if isinstance(source, str | PathLike):
        path = path_of(source)
        if labels is not None:
            raise DatasetError(
                f"Expected a list of photos together with labels, got one path ({path}), which has "
                "its own labels. Omit the labels."
            )
        dataset = _open_path(path, wanted)
    else:
        _expect_no_columns(wanted, "a list of photos")
        dataset = _open_list(source, labels)
    if len(dataset.classes) < least_classes:
        raise _too_few_classes(source, dataset, least_classes)
    return audited(dataset)


def _open_path(path: Path, wanted: ColumnNames) -> Dataset:
    if is_folder(path):
        return _open_folder(path, wanted)
    if path.suffix.lower() == ".tar":
        _expect_no_columns(wanted, printable(path))
        shards = shards_named(str(path))
        if missing := [shard for shard in shards.splits if not shard.exists()]:
            raise DatasetError(
                f"Expected every shard of {printable(path)}; {len(missing):,} of "
                f"{len(shards.splits):,} are missing, the first is {printable(missing[0])}. "
                "Download them, or use a * for all existing shards."
            )
        return read_shards(shards)
    try:
        open_file(path).close()
    except FileNotFoundError as error:
        raise DatasetError(
            f"Found no file or folder {printable(path)}. Check the spelling."
        ) from error
    except (OSError, ValueError) as error:
        raise DatasetError(
            f"{printable(path)} cannot be read: {sentence(reason_of(error))}"
        ) from error
    ending = path.suffix.lower()
    if ending == ".parquet":
        return read_parquet(path, wanted)
    if ending in ENDINGS:
        return read_table(path, wanted)
    _expect_no_columns(wanted, printable(path))
    if is_images(path):
        return read_idx(path)
    raise DatasetError(
        "Expected a folder with a folder of photos per class, or a CSV, TSV, JSON, Parquet, "
        f"IDX or .tar file, got {printable(path)}."
        + (" Unpack it first." if ending in (".zip", ".gz", ".tgz", ".7z", ".rar") else "")
    )


def _expect_no_columns(wanted: ColumnNames, what: str) -> None:
    if wanted != NO_COLUMNS:
        raise UsageError(f"Only tables have columns, and {what} is not a table. Omit the columns.")


def _open_folder(path: Path, wanted: ColumnNames) -> Dataset:
    try:
        children = [child for child in list_folder(path) if is_file(child)]
        shards = shards_in(path)
    except OSError as error:
        raise cannot_read(path, error) from error
    if any(child.suffix.lower() == ".parquet" for child in children):
        return read_parquet(path, wanted)
    if listed := tables_beside(path):
        return read_beside(path, listed, wanted)
    _expect_no_columns(wanted, printable(path))
    if any(is_images(child) for child in children):
        return read_idx(path)
    if shards.splits:
        return read_shards(shards)
    return read_class_folders(path)


def _too_few_classes(source: object, dataset: Dataset, least: int) -> DatasetError:
    found = ", ".join(map(repr, dataset.classes)) or "none"
    advice = "Add photos of another class, for example of a class 'other'."
    if isinstance(source, str | Path) and dataset.classes:
        inner = Path(source) / dataset.classes[0]
        if is_folder(inner) and sum(is_folder(child) for child in list_folder(inner)) >= least:
            advice = f"If its subfolders are the classes, open {printable(inner)} instead."
    told = "".join(f" {one.message}" for one in dataset.findings if one.severity == "warning")
    return DatasetError(
        f"Expected photos of at least {least} classes, found {found}. {advice}{told}"
    )


def _open_list(source: Iterable[PhotoLike], labels: Iterable[Label] | None) -> Dataset:
    items = many(source)
    if not items:
        raise DatasetError("Expected photos, got an empty list.")
    texts = label_texts(labels, len(items))
    return Dataset(
        tuple(
            replace(photo, label=label)
            for photo, label in zip(named_photos(items), texts, strict=True)
        )
    )
