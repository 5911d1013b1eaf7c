"""Open a labelled collection of photos, whatever its form."""

from collections.abc import Iterable
from dataclasses import replace
from os import PathLike
from pathlib import Path

from eyespot.data.folders import is_folder, list_folder, read_class_folders
from eyespot.data.given import Label, PhotoLike, label_texts, many, named_photos, path_of
from eyespot.data.idx import is_images, read_idx
from eyespot.data.parquet import read_parquet
from eyespot.data.photos import Dataset, printable
from eyespot.data.shards import expect_all, read_shards, shards_in, shards_named
from eyespot.data.tables import read_csv
from eyespot.errors import DatasetError


def open_photos(
    source: str | Path | Iterable[PhotoLike] | Dataset,
    labels: Iterable[Label] | None = None,
    *,
    least_classes: int = 2,
) -> Dataset:
    """A labelled Dataset with at least `least_classes` classes; one that is open already as it is.

    `source`: a folder with a folder per class (or these inside train/, val/, test/), a CSV or TSV
    of path and label, a Parquet file or a folder of them, IDX files, WebDataset shards (a folder
    of .tar files, or their name with braces or *), or a list of what `Classifier.predict` takes
    with their `labels`: texts or numbers.
    Raises DatasetError if there is nothing of the kind, no photo, or too few classes.
    """
    if isinstance(source, Dataset):
        return source
    if isinstance(source, str | PathLike):
        path = path_of(source)
        if labels is not None:
            raise DatasetError(
                f"Expected a list of photos together with labels, got one path ({path}), which "
                "brings its own labels. Leave the labels out."
            )
        dataset = _open_path(path)
    else:
        dataset = _open_list(source, labels)
    if len(dataset.classes) < least_classes:
        raise _too_few_classes(source, dataset, least_classes)
    return dataset


def _open_path(path: Path) -> Dataset:
    if is_folder(path):
        return _open_folder(path)
    if path.suffix == ".tar":
        shards = shards_named(str(path))
        expect_all(shards, str(path))
        return read_shards(shards)
    try:
        with path.open("rb"):
            pass
    except FileNotFoundError as error:
        raise DatasetError(
            f"There is no file or folder {printable(path)}. Check the spelling."
        ) from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise DatasetError(f"{printable(path)} cannot be read: {reason}.") from error
    ending = path.suffix.lower()
    if ending == ".parquet":
        return read_parquet(path)
    if ending in (".csv", ".tsv", ".tab", ".txt"):
        return read_csv(path)
    if is_images(path):
        return read_idx(path)
    raise DatasetError(
        "Expected a folder with a folder of photos per class, or a CSV, TSV, Parquet, IDX or .tar "
        f"file, got {printable(path)}."
        + (" Unpack it first." if ending in (".zip", ".gz", ".tgz", ".7z", ".rar") else "")
    )


def _open_folder(path: Path) -> Dataset:
    try:
        children = [child for child in list_folder(path) if not is_folder(child)]
        shards = shards_in(path)
    except OSError as error:
        raise DatasetError(
            f"The folder {printable(path)} cannot be read: {error.strerror}. "
            "Allow reading it, or choose another."
        ) from error
    if any(child.suffix.lower() == ".parquet" for child in children):
        return read_parquet(path)
    if any(is_images(child) for child in children):
        return read_idx(path)
    if shards:
        return read_shards(shards)
    return read_class_folders(path)


def _too_few_classes(source: object, dataset: Dataset, least: int) -> DatasetError:
    found = ", ".join(repr(name) for name in dataset.classes) or "none"
    advice = "Add photos of something else, for example of a class 'other'."
    if isinstance(source, str | Path) and dataset.classes:
        inner = Path(source) / dataset.classes[0]
        if is_folder(inner) and sum(is_folder(child) for child in list_folder(inner)) >= least:
            advice = f"If the folders in it are the classes, open {printable(inner)} instead."
    return DatasetError(f"Expected photos of at least {least} classes, found {found}. {advice}")


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
