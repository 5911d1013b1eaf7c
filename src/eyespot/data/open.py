"""Open a labelled collection of photos, whatever its form."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from eyespot.data.folders import read_class_folders
from eyespot.data.idx import is_images, read_idx
from eyespot.data.photos import Dataset, FileSource, MemorySource, Photo, Source
from eyespot.data.tables import read_csv, read_parquet
from eyespot.errors import DatasetError

PhotoLike = str | Path | bytes | np.ndarray[Any, Any] | Image.Image


def open_photos(
    source: str | Path | Sequence[PhotoLike],
    labels: Sequence[str | int] | None = None,
    *,
    least_classes: int = 2,
) -> Dataset:
    """A labelled Dataset with at least `least_classes` classes.

    `source`: a folder with a folder per class (or these inside train/, val/, test/), a CSV or TSV
    of path and label, a Parquet file or a folder of them, IDX files, or a list of paths, encoded
    files, arrays and Pillow images with their `labels`.
    Raises DatasetError if there is nothing of the kind, no photo, or too few classes.
    """
    dataset = _open(source, labels)
    if len(dataset.classes) < least_classes:
        only = dataset.classes[0] if dataset.classes else None
        raise DatasetError(
            f"Expected photos of at least two classes, found only '{only}'. "
            "Add a folder with photos of something else, for example 'other'."
        )
    return dataset


def _open(source: str | Path | Sequence[PhotoLike], labels: Sequence[str | int] | None) -> Dataset:
    if not isinstance(source, str | Path):
        return _from_list(source, labels)
    path = Path(source)
    if not path.exists():
        raise DatasetError(f"There is no file or folder {path}.")
    if path.is_dir():
        names = [child for child in path.iterdir() if child.is_file()]
        if any(child.suffix.lower() == ".parquet" for child in names):
            return read_parquet(path)
        if any(is_images(child) for child in names):
            return read_idx(path)
        return read_class_folders(path)
    if path.suffix.lower() == ".parquet":
        return read_parquet(path)
    if path.suffix.lower() in (".csv", ".tsv", ".tab", ".txt"):
        return read_csv(path)
    if is_images(path):
        return read_idx(path)
    raise DatasetError(
        f"Expected a folder, a CSV, TSV, Parquet or IDX file of photos, got {path.name}."
    )


def _from_list(items: Sequence[PhotoLike], labels: Sequence[str | int] | None) -> Dataset:
    if labels is None or len(labels) != len(items):
        raise DatasetError(
            f"Expected a label for each of {len(items)} photos, got "
            f"{'none' if labels is None else len(labels)}."
        )
    named = named_photos(items)
    return Dataset(
        tuple(
            Photo(name, source, str(label))
            for (name, source), label in zip(named, labels, strict=True)
        )
    )


def named_photos(items: Sequence[PhotoLike]) -> list[tuple[str, Source]]:
    """A unique name and a source for each photo. Raises DatasetError for what is none."""
    out: list[tuple[str, Source]] = []
    seen: set[str] = set()
    for number, item in enumerate(items):
        name, source = _named(item, number)
        if name in seen:
            name = f"{name} ({number})"
        seen.add(name)
        out.append((name, source))
    return out


def _named(item: PhotoLike, number: int) -> tuple[str, Source]:
    if isinstance(item, str | Path):
        return str(item), FileSource(Path(item))
    if isinstance(item, Image.Image):
        return f"picture {number}", MemorySource(np.asarray(item.convert("RGB")))
    if isinstance(item, bytes | np.ndarray):
        return f"picture {number}", MemorySource(item)
    raise DatasetError(
        f"Photo {number} is a {type(item).__name__}; expected a path, bytes, an array or an image."
    )
