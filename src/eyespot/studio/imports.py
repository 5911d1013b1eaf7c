"""Projects created from archives, .eyespot files and dropped folders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from eyespot.data.audit import audited
from eyespot.data.columns import NO_COLUMNS, ColumnNames
from eyespot.data.decode import decode
from eyespot.data.layout import parts_of, read_listed
from eyespot.data.photos import Dataset, MemorySource, Photo, Skipped
from eyespot.errors import DatasetError, PhotoError
from eyespot.limits import MAX_NAME_CHARACTERS
from eyespot.shown import sentence
from eyespot.studio.archive import open_archive
from eyespot.studio.names import base_name, class_names
from eyespot.studio.project import Project
from eyespot.studio.projects import ClassDraft, Store
from eyespot.studio.rows import PhotoDraft, require_room
from eyespot.tasks.task import load_classifier


@dataclass(frozen=True, slots=True)
class Imported:
    """Result of an import. `photos`: how many. `note`: what the user should know, or empty."""

    project: Project
    photos: int
    skipped: tuple[Skipped, ...]
    note: str = ""


def import_archive(
    store: Store, file: Path | bytes, name: str, wanted: ColumnNames = NO_COLUMNS
) -> Imported:
    """Create a project from a zip file: class folders, photos and a table, or an export.

    `name`: of the project if the archive has none. `wanted`: the table's columns. Raises
    DatasetError, UsageError, ProjectError.
    """
    with open_archive(file, wanted) as found:
        return _import(store, found.name or name, found.dataset, found.enabled)


def import_classifier(store: Store, path: Path, name: str) -> Imported:
    """Create a project from an .eyespot file: its classes, and its photos' features and thumbnails.

    Raises ClassifierFileError, WeightsError, UsageError, ProjectError.
    """
    classifier = load_classifier(path)
    training = classifier.require_training_photos()
    features, extractor = training.features, classifier.backbone.extractor
    require_room(len(features))
    rows, seen, skipped = [], set(), []
    drafts: list[list[PhotoDraft]] = [[] for _ in classifier.classes]
    for index, key in enumerate(zip(features.sha256, training.labels.tolist(), strict=True)):
        if key in seen:
            continue
        (sha256, label), thumbnail = key, features.thumbnails[index]
        try:
            decode(thumbnail)
        except PhotoError as error:
            skipped.append(Skipped(features.names[index], f"its thumbnail: {error}"))
            continue
        seen.add(key)
        drafts[label].append(PhotoDraft(sha256, thumbnail, base_name(features.names[index])))
        code = int(features.dhash[index]).to_bytes(8, "big")
        rows.append((sha256, extractor, code, features.values[index].tobytes()))
    classes = [
        ClassDraft(label, True, photos)
        for label, photos in zip(class_names(classifier.classes).values(), drafts, strict=True)
    ]
    project = store.create(name[:MAX_NAME_CHARACTERS], classes, rows)
    note = (
        "An .eyespot file holds no photos, only thumbnails and features. The project trains on the "
        f"features of {classifier.backbone.name}; with another backbone these photos are skipped."
    )
    return Imported(project, len(seen), tuple(skipped), note)


@dataclass(frozen=True, slots=True)
class Dropped:
    """A folder dropped on the page. `classes`: indices of the files of each class."""

    name: str
    classes: dict[str, list[int]]
    skipped: tuple[Skipped, ...]
    note: str


def read_dropped(paths: Sequence[str]) -> Dropped:
    """Find the classes in a folder by its files' paths, which begin with the folder's name.

    Raises DatasetError if there are none, or the layout is ambiguous.
    """
    tops = {parts[0] for path in paths if len(parts := parts_of(path)) > 1}
    name = tops.pop() if len(tops) == 1 else "Photos"
    layout = read_listed(paths, name)
    photos = [
        Photo(path, MemorySource(b""), place.label, place.split)
        for path, place in zip(paths, layout.places, strict=True)
        if place
    ]
    if not photos:
        raise DatasetError(
            f"Expected a folder of photos per class, as {name}/cat/1.jpg; found {len(paths):,} "
            "files in no class folder."
        )
    dataset = audited(Dataset(tuple(photos), layout.skipped, layout.findings))
    names = class_names(dataset.classes)
    classes: dict[str, list[int]] = {label: [] for label in names.values()}
    for index, place in enumerate(layout.places):
        if place:
            classes[names[place.label]].append(index)
    return Dropped(name[:MAX_NAME_CHARACTERS], classes, layout.skipped, _note(dataset))


def _note(dataset: Dataset) -> str:
    messages = [f"{one.message} {one.advice}".rstrip() for one in dataset.findings]
    if held_out := sum(photo.split in ("val", "test") for photo in dataset.photos):
        messages.append(
            f"A project has no splits: its classes include the {held_out:,} validation and test "
            "photos, and its accuracy is cross-validated over all photos."
        )
    return " ".join(messages)


def _import(store: Store, name: str, dataset: Dataset, enabled: Mapping[str, bool]) -> Imported:
    photos = [photo for photo in dataset.photos if photo.label in enabled]
    require_room(len(photos))
    stored, skipped = store.files.add_all(photos)
    if not stored:
        reason = f" First reason: {sentence(skipped[0].reason)}" if skipped else ""
        raise DatasetError(f"No photo could be read; {len(photos):,} tried.{reason}")
    drafts: dict[str, dict[str, PhotoDraft]] = {label: {} for label in enabled}
    for photo, file in stored:
        draft = PhotoDraft(file.sha256, file.thumbnail, base_name(photo.name), photo.group)
        drafts[photo.label or ""].setdefault(file.sha256, draft)
    names = class_names(tuple(enabled))
    classes = [
        ClassDraft(names[label], enabled[label], list(of_class.values()))
        for label, of_class in drafts.items()
    ]
    project = store.create(name[:MAX_NAME_CHARACTERS] or "Imported", classes)
    count = sum(len(draft.photos) for draft in classes)
    return Imported(project, count, (*dataset.skipped, *skipped), _note(dataset))
