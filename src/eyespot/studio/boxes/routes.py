"""Routes of Boxes: projects, classes, photos with boxes, and what the detector proposes."""

import shutil
from dataclasses import asdict
from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Body, Depends, Query, Response, WebSocket
from fastapi.responses import FileResponse
from pydantic import BaseModel
from starlette.requests import HTTPConnection

from eyespot.errors import MissingError, PhotoError, UsageError
from eyespot.studio.answers import Answer, converse
from eyespot.studio.boxes.archive import export_boxes, import_boxes
from eyespot.studio.boxes.detector_trainer import DETECTOR, REPORT
from eyespot.studio.boxes.open_boxes import OpenBoxes, OpenBoxProject
from eyespot.studio.boxes.rows import Box
from eyespot.studio.downloads import download
from eyespot.studio.parameters import (
    Content,
    FileName,
    PhotoId,
    PhotoIds,
    Text,
    Words,
    skipped_json,
)
from eyespot.studio.photo_files import resized_jpeg
from eyespot.studio.project_routes import IMMUTABLE, WAIT

router = APIRouter(prefix="/api/boxes")

SIDE, FULL_SIDE = 1600, 8192
"""Longest side of a photo on the page, and of one that is magnified, in pixels."""


class DrawnBox(BaseModel):
    """A box as the page sends it."""

    class_id: Words
    xmin: float
    ymin: float
    xmax: float
    ymax: float
    ignored: bool = False


async def _projects(connection: HTTPConnection) -> OpenBoxes:
    return cast(OpenBoxes, connection.app.state.boxes)


Projects = Annotated[OpenBoxes, Depends(_projects)]


def _opened(id: str, projects: Projects) -> OpenBoxProject:
    return projects.get(id)


Opened = Annotated[OpenBoxProject, Depends(_opened)]


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
def import_file(content: Content, projects: Projects, name: FileName) -> dict[str, Any]:
    """The body is a zip file of photos and boxes."""
    stem, _, extension = name.rpartition(".")
    if extension.lower() != "zip":
        raise UsageError(f"Expected a .zip file of photos and their boxes, found {name!r}.")
    found = import_boxes(projects.store, content, stem.strip() or "Imported")
    result = {"id": found.project.id, "photos": found.photos, "note": found.note}
    return result | {"skipped": skipped_json(found.skipped)}


@router.get("/{id}")
def state(opened: Opened, seen: int = -1, version: int = -1) -> dict[str, Any]:
    """The state, as soon as it differs from the page's."""
    return opened.wait(seen, version, WAIT)


@router.patch("/{id}", status_code=204)
def rename(opened: Opened, name: Text) -> None:
    opened.project.rename(name)
    opened.changed()


@router.delete("/{id}", status_code=204)
def delete(projects: Projects, id: str) -> None:
    projects.store.delete(id)
    projects.close(id)


@router.post("/{id}/restore", status_code=204)
def restore(projects: Projects, id: str) -> None:
    projects.store.restore(id)


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
def rename_class(opened: Opened, class_id: str, name: Text) -> None:
    opened.project.rename_class(class_id, name)
    opened.changed()


@router.delete("/{id}/classes/{class_id}", status_code=204)
def delete_class(opened: Opened, class_id: str) -> None:
    opened.project.delete_class(class_id)
    opened.changed()


@router.post("/{id}/photos")
def add_photo(content: Content, opened: Opened, name: FileName) -> dict[str, Any]:
    """The body is one file. A file that cannot be decoded is in `skipped`, and is no HTTP error."""
    added = opened.project.add_photos([(name, content)])
    opened.changed()
    result = {"photos": added.photos, "existing": added.existing}
    return result | {"skipped": skipped_json(added.skipped)}


@router.post("/{id}/remove", status_code=204)
def remove(opened: Opened, photos: PhotoIds) -> None:
    opened.project.remove_photos(photos)
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
def photo(projects: Projects, id: str, photo: PhotoId, full: bool = False) -> Response:
    """The upright photo, at most SIDE pixels; `full`: at most FULL_SIDE."""
    content = resized_jpeg(projects.store.open(id).content(photo), FULL_SIDE if full else SIDE)
    return Response(content, media_type="image/jpeg", headers=IMMUTABLE)


@router.get("/{id}/photos/{photo}/boxes")
def boxes(opened: Opened, photo: PhotoId) -> dict[str, Any]:
    """The boxes in pixels of the upright photo."""
    found = opened.project.photo(photo)
    return {"boxes": [asdict(box) for box in found.boxes], "done": found.done}


@router.put("/{id}/photos/{photo}/boxes", status_code=204)
def annotate(
    opened: Opened,
    photo: PhotoId,
    boxes: Annotated[list[DrawnBox], Body()],
    done: Annotated[bool, Body()],
) -> None:
    drawn = [Box(**box.model_dump()) for box in boxes]
    opened.project.annotate(photo, drawn, done=done)
    opened.changed()


@router.get("/{id}/photos/{photo}/proposals")
def proposals(opened: Opened, photo: PhotoId) -> dict[str, Any]:
    """The detector's boxes where none is drawn; none without a detector."""
    project = opened.project
    return {"boxes": opened.trainer.proposals(project.photo(photo), project.content(photo))}


@router.post("/{id}/training", status_code=204)
def start_training(opened: Opened) -> None:
    opened.trainer.start()


@router.delete("/{id}/training", status_code=204)
def stop_training(opened: Opened) -> None:
    opened.trainer.stop()


@router.websocket("/{id}/live")
async def live(socket: WebSocket, projects: Projects, id: str) -> None:
    """The page sends a photo (JPEG), the server its boxes, and so on."""
    await converse(socket, lambda photo: [_detect(projects, id, photo)])


def _detect(projects: OpenBoxes, id: str, photo: str | bytes) -> Answer:
    trainer = projects.get(id).trainer
    if isinstance(photo, str):
        raise UsageError("Expected a photo, found a text.")
    if trainer.detector is None:
        return {"boxes": []}
    found = trainer.detector.predict(photo)
    if found.error:
        raise PhotoError(found.error)
    return trainer.as_json(found)


@router.get("/{id}/boxes.zip")
def export(
    opened: Opened, to: Annotated[Literal["coco", "voc", "yolo"], Query()] = "coco"
) -> FileResponse:
    project = opened.project
    name = f"{project.snapshot().name} {to}"
    return download(name, ".zip", lambda path: export_boxes(project, path, to))


@router.get("/{id}/detector.eyespot")
def detector(opened: Opened) -> FileResponse:
    return _result(opened, DETECTOR, ".eyespot")


@router.get("/{id}/report.html")
def report(opened: Opened) -> FileResponse:
    """The report of the training run."""
    return _result(opened, REPORT, ".html")


def _result(opened: OpenBoxProject, file: str, extension: str) -> FileResponse:
    source = opened.trainer.file(file)
    name = opened.project.snapshot().name
    return download(name, extension, lambda path: shutil.copyfile(source, path))
