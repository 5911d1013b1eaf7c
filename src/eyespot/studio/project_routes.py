"""Routes of Teach: the list of projects, and one project as a whole."""

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request
from starlette.concurrency import run_in_threadpool

from eyespot.data.columns import ColumnNames
from eyespot.errors import UsageError
from eyespot.features.backbone import load_backbone
from eyespot.studio.imports import import_archive, import_classifier, read_dropped
from eyespot.studio.parameters import (
    ColumnName,
    FileName,
    Opened,
    Projects,
    Text,
    Words,
    skipped_json,
)
from eyespot.studio.projects import Store
from eyespot.weights.zoo import find

router = APIRouter(prefix="/api/projects")

WAIT = 20.0
"""Seconds after which a page that waits for a change gets the same state again."""


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
async def import_file(
    request: Request,
    projects: Projects,
    name: FileName,
    path_column: ColumnName = None,
    label_column: ColumnName = None,
    split_column: ColumnName = None,
) -> dict[str, Any]:
    """The body is a zip file (class folders, or photos and a table with these columns) or an
    .eyespot file."""
    content = await request.body()
    wanted = ColumnNames(path_column, label_column, split_column)
    return await run_in_threadpool(_import, projects.store, name, content, wanted)


def _import(store: Store, name: str, content: bytes, wanted: ColumnNames) -> dict[str, Any]:
    stem, _, extension = name.rpartition(".")
    if extension.lower() == "zip":
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
