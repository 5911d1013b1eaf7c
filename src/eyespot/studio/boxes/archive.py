"""Import and export of a project of Boxes as a zip file in COCO, Pascal VOC or YOLO."""

import io
import posixpath
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from eyespot.data.boxes.dataset import BoxDataset
from eyespot.data.boxes.open import open_boxes
from eyespot.data.boxes.write import BoxFormat, write_boxes
from eyespot.data.formats import ZIP_FAULTS, zip_member
from eyespot.data.layout import parts_of
from eyespot.data.photos import Skipped
from eyespot.errors import DatasetError, UsageError
from eyespot.limits import MAX_NAME_CHARACTERS, MAX_PHOTO_BOXES, MAX_PROJECT_CLASSES
from eyespot.shown import counted, sentence
from eyespot.studio.archive import check_limits, member_name
from eyespot.studio.boxes.project import BoxProject, store_photos
from eyespot.studio.boxes.store import BoxStore
from eyespot.studio.names import class_names
from eyespot.studio.rows import require_room


@dataclass(frozen=True, slots=True)
class ImportedBoxes:
    """Result of an import. `note`: what the user should know, or empty."""

    project: BoxProject
    photos: int
    skipped: tuple[Skipped, ...]
    note: str


def import_boxes(store: BoxStore, file: bytes, name: str) -> ImportedBoxes:
    """Create a project of a zip file of photos with boxes in a format that `open_boxes` reads.

    Raises DatasetError, UsageError, ProjectError.
    """
    with tempfile.TemporaryDirectory(prefix="eyespot-") as folder:
        root = Path(folder) / "archive"
        _unpack(file, root)
        try:
            dataset = open_boxes(root)
        except DatasetError as error:
            raise DatasetError(str(error).replace(str(root), "the archive")) from error
        return _import(store, dataset, name)


def export_boxes(project: BoxProject, path: Path, to: BoxFormat) -> None:
    """Write the photos that are done, with their boxes, as a zip file.

    Raises UsageError if no photo is done, DatasetError if one cannot be read.
    """
    dataset = project.dataset()
    if not dataset.photos:
        raise UsageError("No photo is marked as done yet, so there is nothing to export.")
    with tempfile.TemporaryDirectory(prefix="eyespot-") as folder:
        root = Path(folder) / "boxes"
        write_boxes(dataset, root, to)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            for file in sorted(root.rglob("*")):
                if file.is_file():
                    member = zip_member(file.relative_to(root).as_posix())
                    archive.writestr(member, file.read_bytes())


def _unpack(file: bytes, root: Path) -> None:
    """Unpack within `root`, whatever paths the names hold."""
    try:
        with zipfile.ZipFile(io.BytesIO(file)) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            check_limits(members, len(file))
            root.mkdir()
            for member in members:
                parts = parts_of(member_name(member))
                if not parts:
                    continue
                path = root / posixpath.join(*parts)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(archive.read(member))
    except ZIP_FAULTS as error:
        raise DatasetError(
            f"This zip file is damaged ({error}). Export or download it again."
        ) from error
    except (OSError, ValueError) as error:
        raise DatasetError(f"The zip file cannot be unpacked: {sentence(error)}") from error


def _import(store: BoxStore, dataset: BoxDataset, name: str) -> ImportedBoxes:
    require_room(len(dataset.photos))
    if len(dataset.classes) > MAX_PROJECT_CLASSES:
        raise UsageError(
            f"A project has at most {MAX_PROJECT_CLASSES} classes, the archive has "
            f"{len(dataset.classes):,}."
        )
    kept = {p.photo.name: p for p in dataset.photos if len(p.labels) <= MAX_PHOTO_BOXES}
    crowded = [
        Skipped(p.photo.name, f"more than {MAX_PHOTO_BOXES:,} boxes")
        for p in dataset.photos
        if p.photo.name not in kept
    ]
    sized, unread = store_photos(store.files, [one.photo for one in kept.values()])
    distinct = {one.file.sha256: one for one in reversed(sized)}
    project = store.create(
        name[:MAX_NAME_CHARACTERS],
        class_names(dataset.classes),
        [(one, kept[one.name]) for one in reversed(distinct.values())],
    )
    notes = [f"{one.message} {one.advice}".strip() for one in dataset.findings]
    if any(one.photo.split in ("val", "test") for one in dataset.photos):
        notes.append("A project has no splits: its detector is cross-validated over all photos.")
    if duplicates := len(sized) - len(distinct):
        notes.append(f"{counted(duplicates, 'exact duplicate')} left out.")
    skipped = (*dataset.skipped, *crowded, *unread)
    return ImportedBoxes(project, len(distinct), skipped, " ".join(notes))
