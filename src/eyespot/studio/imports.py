"""Projects from elsewhere: folders of pictures, archives, classifiers that were taught before."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from eyespot.data.audit import audited
from eyespot.data.columns import NO_COLUMNS, ColumnNames
from eyespot.data.decode import decode
from eyespot.data.layout import parts_of, read_listed
from eyespot.data.open import open_photos
from eyespot.data.photos import Dataset, MemorySource, Photo, Skipped
from eyespot.errors import DatasetError, PhotoError
from eyespot.limits import MAX_NAME_CHARACTERS
from eyespot.progress import Progress, counting
from eyespot.shown import sentence
from eyespot.studio.archive import open_archive
from eyespot.studio.pictures import Kept
from eyespot.studio.project import Project, file_name, require_room
from eyespot.studio.projects import Draft, Store
from eyespot.tasks.task import load


@dataclass(frozen=True, slots=True)
class Imported:
    """`pictures`: how many. `skipped`: those that were not, and why. `note`: what a person should
    know, empty if nothing."""

    project: Project
    pictures: int
    skipped: tuple[Skipped, ...]
    note: str = ""


def import_folder(
    store: Store,
    folder: Path,
    progress: Progress = lambda stage, done, total: None,
    stopped: Callable[[], bool] = lambda: False,
    wanted: ColumnNames = NO_COLUMNS,
) -> Imported:
    """A project from a folder with a folder of pictures per class, or whatever else `open_photos`
    takes. Raises DatasetError, UsageError, ProjectError, Stopped."""
    dataset = open_photos(
        folder,
        least_classes=1,
        path_column=wanted.path,
        label_column=wanted.label,
        split_column=wanted.split,
    )
    enabled = dict.fromkeys(dataset.classes, True)
    return _import(store, folder.resolve().name, dataset, enabled, progress, stopped)


def import_archive(
    store: Store,
    file: Path | bytes,
    name: str,
    progress: Progress = lambda stage, done, total: None,
    stopped: Callable[[], bool] = lambda: False,
    wanted: ColumnNames = NO_COLUMNS,
) -> Imported:
    """A project from a zip file of folders or of photos and a table, or one that was exported here.
    `name`: of the project, if the file does not say. `wanted`: the table's columns. Raises
    DatasetError, UsageError, ProjectError, Stopped."""
    with open_archive(file, wanted) as found:
        named = found.name or name
        return _import(store, named, found.dataset, found.enabled, progress, stopped)


def import_classifier(store: Store, path: Path, name: str) -> Imported:
    """A project from a NAME.eyespot: its classes, and of their photos what is in it, which is
    features and thumbnails. Raises ClassifierFileError, WeightsError, UsageError, ProjectError."""
    classifier = load(path)
    taught = classifier.require_training_photos()
    features, extractor = taught.features, classifier.backbone.extractor
    require_room(len(features))
    rows, seen, skipped = [], set(), []
    drafts: list[list[tuple[str, str | None, bytes | None, str | None]]] = [
        [] for _ in classifier.classes
    ]
    for index, (sha256, label) in enumerate(
        zip(features.sha256, taught.labels.tolist(), strict=True)
    ):
        if (sha256, label) in seen:
            continue
        try:
            decode(features.thumbnails[index])
        except PhotoError as error:
            skipped.append(Skipped(features.names[index], f"its thumbnail: {error}"))
            continue
        seen.add((sha256, label))
        drafts[label].append(
            (sha256, None, features.thumbnails[index], file_name(features.names[index]))
        )
        code = int(features.dhash[index]).to_bytes(8, "big")
        rows.append((sha256, extractor, code, features.values[index].tobytes()))
    classes = [
        Draft(label, True, pictures)
        for label, pictures in zip(_short(classifier.classes).values(), drafts, strict=True)
    ]
    project = store.create(name[:MAX_NAME_CHARACTERS], classes, rows)
    note = (
        "The photos themselves are not in such a file: you see thumbnails, and learning uses what "
        f"{classifier.backbone.name} saw in them. With another network they are left out."
    )
    return Imported(project, len(seen), tuple(skipped), note)


@dataclass(frozen=True, slots=True)
class Dropped:
    """What is in a folder that was dropped on the page. `classes`: by name, the indices of their
    files. `skipped`, `note`: as in Imported."""

    name: str
    classes: dict[str, list[int]]
    skipped: tuple[Skipped, ...]
    note: str


def read_dropped(paths: Sequence[str]) -> Dropped:
    """The classes in a folder, by the paths of its files, each beginning with the folder's name.
    Raises DatasetError if there is none, or it cannot be told what is a class."""
    tops = {parts[0] for path in paths if len(parts := parts_of(path)) > 1}
    name = tops.pop() if len(tops) == 1 else "Pictures"
    layout = read_listed(paths, name)
    photos = [
        Photo(path, MemorySource(b""), place.label, place.split)
        for path, place in zip(paths, layout.places, strict=True)
        if place
    ]
    if not photos:
        raise DatasetError(
            f"Expected a folder per class with pictures in it, as {name}/cat/1.jpg; found "
            f"{len(paths)} files in no class folder."
        )
    dataset = audited(Dataset(tuple(photos), layout.skipped, layout.findings))
    names = _short(dataset.classes)
    classes: dict[str, list[int]] = {label: [] for label in names.values()}
    for index, place in enumerate(layout.places):
        if place:
            classes[names[place.label]].append(index)
    return Dropped(name[:MAX_NAME_CHARACTERS], classes, layout.skipped, _note(dataset))


def _note(dataset: Dataset) -> str:
    """What a person should know of a collection that becomes a project."""
    told = [f"{one.message} {one.advice}".rstrip() for one in dataset.findings]
    if held := sum(photo.split in ("val", "test") for photo in dataset.photos):
        told.append(
            f"A project has no splits: its classes also hold the {held:,} validation and test "
            "photos, and its accuracy is that of cross-validation over all of them."
        )
    return " ".join(told)


def _import(
    store: Store,
    name: str,
    dataset: Dataset,
    enabled: Mapping[str, bool],
    progress: Progress,
    stopped: Callable[[], bool],
) -> Imported:
    photos = [photo for photo in dataset.photos if photo.label in enabled]
    require_room(len(photos))
    step = counting(progress, "Reading pictures", len(photos))
    kept, skipped = store.pictures.keep_all(photos, step, stopped)
    if not kept:
        reason = f", the first because: {skipped[0].reason}" if skipped else ""
        raise DatasetError(sentence(f"None of {len(photos)} files is a picture{reason}"))
    by_class: dict[str, dict[str, tuple[Photo, Kept]]] = {label: {} for label in enabled}
    for photo, picture in kept:
        by_class[photo.label or ""].setdefault(picture.sha256, (photo, picture))
    names = _short(tuple(enabled))
    drafts = [
        Draft(
            names[label],
            enabled[label],
            [
                (sha256, photo.group, p.thumbnail, file_name(photo.name))
                for sha256, (photo, p) in pictures.items()
            ],
        )
        for label, pictures in by_class.items()
    ]
    project = store.create(name[:MAX_NAME_CHARACTERS] or "Imported", drafts)
    count = sum(len(pictures) for pictures in by_class.values())
    return Imported(project, count, (*dataset.skipped, *skipped), _note(dataset))


def _short(labels: tuple[str, ...]) -> dict[str, str]:
    """Names that a project can have, no two alike, for labels of any length."""
    names: dict[str, str] = {}
    for label in labels:
        name, number = label.strip()[:MAX_NAME_CHARACTERS] or "class", 1
        while name in names.values():
            number += 1
            name = f"{label.strip()[: MAX_NAME_CHARACTERS - 6]} {number}"
        names[label] = name
    return names
