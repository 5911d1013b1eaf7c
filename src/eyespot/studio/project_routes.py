"""Routes of Teach: projects, their classes and their photos."""

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Response

from eyespot.data.columns import ColumnNames
from eyespot.errors import MissingError, UsageError
from eyespot.features.backbone import load_backbone
from eyespot.studio.imports import import_archive, import_classifier, read_dropped
from eyespot.studio.parameters import (
    ColumnName,
    Content,
    FileName,
    Opened,
    PhotoId,
    PhotoIds,
    Projects,
    Text,
    Words,
    skipped_json,
)
from eyespot.studio.photo_files import resized_jpeg
from eyespot.weights.zoo import find

router = APIRouter(prefix="/api/projects")

WAIT = 20.0
"""Seconds after which a page that waits for a change gets the same state again."""
IMMUTABLE = {"Cache-Control": "private, max-age=31536000, immutable"}
"""A photo's id never refers to another photo."""


@router.get("")
def list_projects(projects: Projects) -> dict[str, Any]:
    return {
        "projects": [asdict(info) for info in projects.store.list()],
        "deleted": [asdict(info) for info in projects.store.list(deleted=True)],
    }


@router.post("")
def create(projects: Projects, name: Text) -> dict[str, str]:
    return {"id": projects.store.create(name).id}


@router.post("/import")
def import_file(
    content: Content,
    projects: Projects,
    name: FileName,
    path_column: ColumnName = None,
    label_column: ColumnName = None,
    split_column: ColumnName = None,
) -> dict[str, Any]:
    """The body is a zip file (class folders, or photos and a table with these columns) or an
    .eyespot file."""
    store = projects.store
    stem, _, extension = name.rpartition(".")
    if extension.lower() == "zip":
        wanted = ColumnNames(path_column, label_column, split_column)
        found = import_archive(store, content, stem or "project", wanted)
    elif extension.lower() == "eyespot":
        with tempfile.TemporaryDirectory(prefix="eyespot-") as folder:
            path = Path(folder) / "classifier.eyespot"
            path.write_bytes(content)
            found = import_classifier(store, path, stem or "project")
    else:
        raise UsageError(
            f"Expected a .zip file of class folders or an .eyespot file, found {name!r}."
        )
    result = {"id": found.project.id, "photos": found.photos, "note": found.note}
    return result | {"skipped": skipped_json(found.skipped)}


@router.post("/layout")
def layout(paths: Annotated[list[Words], Body(embed=True)]) -> dict[str, Any]:
    """The classes in a folder dropped on the page, which then uploads the files."""
    found = read_dropped(paths)
    result = {"name": found.name, "classes": found.classes, "note": found.note}
    return result | {"skipped": skipped_json(found.skipped)}


@router.get("/{id}")
def state(opened: Opened, seen: int = -1, version: int = -1) -> dict[str, Any]:
    """The state, as soon as it differs from the page's."""
    return opened.wait(seen, version, WAIT)


@router.patch("/{id}", status_code=204)
def rename(opened: Opened, name: Text) -> None:
    opened.project.rename(name)
    opened.changed()


@router.put("/{id}/backbone", status_code=204)
def set_backbone(opened: Opened, name: Text) -> None:
    load_backbone(find(name).name, fetch=False)  # raises if the weights are missing
    opened.project.set_backbone(name)
    opened.changed()


@router.delete("/{id}", status_code=204)
def delete(projects: Projects, id: str) -> None:
    projects.store.delete(id)
    projects.close(id)


@router.post("/{id}/restore", status_code=204)
def restore(projects: Projects, id: str) -> None:
    projects.store.restore(id)


@router.post("/{id}/duplicate")
def duplicate(projects: Projects, id: str) -> dict[str, str]:
    return {"id": projects.store.duplicate(id).id}


@router.post("/{id}/undo")
def undo(opened: Opened) -> dict[str, str | None]:
    undone = opened.project.undo()
    opened.changed()
    return {"undone": undone}


@router.post("/{id}/classes")
def add_class(opened: Opened, name: Text) -> dict[str, str]:
    id = opened.project.add_class(name)
    opened.changed()
    return {"id": id}


@router.patch("/{id}/classes/{class_id}", status_code=204)
def change_class(
    opened: Opened,
    class_id: str,
    name: Annotated[Words | None, Body()] = None,
    enabled: Annotated[bool | None, Body()] = None,
) -> None:
    if name is not None:
        opened.project.rename_class(class_id, name)
    if enabled is not None:
        opened.project.enable_class(class_id, enabled)
    opened.changed()


@router.delete("/{id}/classes/{class_id}", status_code=204)
def delete_class(opened: Opened, class_id: str) -> None:
    opened.project.delete_class(class_id)
    opened.changed()


@router.post("/{id}/classes/{class_id}/photos")
def add_photo(
    content: Content,
    opened: Opened,
    class_id: str,
    name: FileName,
    burst: Annotated[str | None, Query(max_length=100)] = None,
) -> dict[str, Any]:
    """The body is one file. A file that cannot be decoded is in `skipped`, and is no HTTP error."""
    added = opened.project.add_photos(class_id, [(name, content)], burst)
    opened.changed()
    result = {"photos": added.photos, "existing": added.existing}
    return result | {"skipped": skipped_json(added.skipped)}


@router.post("/{id}/remove", status_code=204)
def remove(opened: Opened, photos: PhotoIds) -> None:
    opened.project.remove_photos(photos)
    opened.changed()


@router.post("/{id}/move", status_code=204)
def move(opened: Opened, photos: PhotoIds, to: Text) -> None:
    opened.project.move_photos(photos, to)
    opened.changed()


@router.get("/{id}/thumbnails/{photo}")
def thumbnail(projects: Projects, id: str, photo: PhotoId) -> Response:
    """Empty if the photo was removed before this request, which is no error."""
    try:
        content = projects.store.open(id).thumbnail(photo)
    except MissingError:
        return Response(status_code=204)
    return Response(content, media_type="image/jpeg", headers=IMMUTABLE)


@router.get("/{id}/photos/{photo}")
def photo(projects: Projects, id: str, photo: PhotoId) -> Response:
    """The photo at the size for review."""
    content = resized_jpeg(projects.store.open(id).photo(photo))
    return Response(content, media_type="image/jpeg", headers=IMMUTABLE)
