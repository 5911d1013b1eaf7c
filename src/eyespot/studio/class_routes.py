"""Routes of Teach: the classes of a project and their photos."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from eyespot.errors import MissingError
from eyespot.studio.parameters import (
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

router = APIRouter(prefix="/api/projects/{id}")

IMMUTABLE = {"Cache-Control": "private, max-age=31536000, immutable"}
"""A photo's id never refers to another photo."""


@router.post("/classes")
def add_class(opened: Opened, name: Text) -> dict[str, str]:
    id = opened.project.add_class(name)
    opened.changed()
    return {"id": id}


@router.patch("/classes/{class_id}", status_code=204)
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


@router.delete("/classes/{class_id}", status_code=204)
def delete_class(opened: Opened, class_id: str) -> None:
    opened.project.delete_class(class_id)
    opened.changed()


@router.post("/classes/{class_id}/photos")
async def add_photo(
    request: Request,
    opened: Opened,
    class_id: str,
    name: FileName,
    burst: Annotated[str | None, Query(max_length=100)] = None,
) -> dict[str, Any]:
    """The body is one file. A file that cannot be decoded is in `skipped`, and is no HTTP error."""
    content = await request.body()

    def add() -> dict[str, Any]:
        added = opened.project.add_photos(class_id, [(name, content)], burst)
        opened.changed()
        result = {"photos": added.photos, "existing": added.existing}
        return result | {"skipped": skipped_json(added.skipped)}

    return await run_in_threadpool(add)


@router.post("/remove", status_code=204)
def remove(opened: Opened, photos: PhotoIds) -> None:
    opened.project.remove_photos(photos)
    opened.changed()


@router.post("/move", status_code=204)
def move(opened: Opened, photos: PhotoIds, to: Text) -> None:
    opened.project.move_photos(photos, to)
    opened.changed()


@router.get("/thumbnails/{photo}")
def thumbnail(projects: Projects, id: str, photo: PhotoId) -> Response:
    """Empty if the photo was removed before the browser asked, which is no error."""
    try:
        content = projects.store.open(id).thumbnail(photo)
    except MissingError:
        return Response(status_code=204)
    return Response(content, media_type="image/jpeg", headers=IMMUTABLE)


@router.get("/photos/{photo}")
def photo(projects: Projects, id: str, photo: PhotoId) -> Response:
    """The photo at the size for review."""
    content = resized_jpeg(projects.store.open(id).photo(photo))
    return Response(content, media_type="image/jpeg", headers=IMMUTABLE)
