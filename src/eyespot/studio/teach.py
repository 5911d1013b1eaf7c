"""Routes of the room where one teaches: projects, their classes and pictures, what was learnt, and
what can be taken away."""

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Body, Query, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import FileResponse
from pydantic import Field, StringConstraints
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool

from eyespot.data.columns import ColumnNames
from eyespot.data.photos import Skipped
from eyespot.errors import EyespotError, MissingError, UsageError
from eyespot.features.backbone import load_backbone
from eyespot.limits import MAX_TEXT_CHARACTERS
from eyespot.studio.archive import folder_names, write_archive
from eyespot.studio.classroom import Classroom, Classrooms
from eyespot.studio.imports import import_archive, import_classifier, read_dropped
from eyespot.studio.pictures import shrunk
from eyespot.studio.project import Project
from eyespot.studio.projects import Store
from eyespot.tasks.classification.classifier import Classifier
from eyespot.weights.zoo import find

WAIT = 20.0
"""Seconds after which a page that waits for news is told that there is none."""
FOR_EVER = {"Cache-Control": "private, max-age=31536000, immutable"}
"""A picture's number never means another picture."""
Name = Annotated[str, Query(max_length=300)]
"""Of a file."""
Words = Annotated[str, StringConstraints(max_length=MAX_TEXT_CHARACTERS)]
"""Whole characters: a str without limits may have halves, which no file and no database takes."""
Text = Annotated[Words, Body(embed=True)]
Id = Annotated[int, Field(ge=0, le=2**63 - 1)]
"""Of a picture; the database has no larger numbers."""
ColumnName = Annotated[str | None, Query(max_length=200)]


T = TypeVar("T")


def router(rooms: Classrooms) -> APIRouter:
    """The routes over the projects of `rooms`."""
    routes, store = APIRouter(prefix="/api/projects"), rooms.store

    def project(id: str) -> Project:
        return rooms.of(id).project

    def change(id: str, deed: Callable[[Project], T]) -> T:
        """Do something by a project, and have it learnt anew."""
        room = rooms.of(id)
        done = deed(room.project)
        room.changed()
        return done

    # --- projects --------------------------------------------------------------------------

    @routes.get("")
    def projects() -> dict[str, Any]:
        return {
            "projects": [asdict(about) for about in store.list()],
            "deleted": [asdict(about) for about in store.list(deleted=True)],
        }

    @routes.post("")
    def create(name: Text) -> dict[str, str]:
        return {"id": store.create(name).id}

    @routes.post("/import")
    async def bring(
        request: Request,
        name: Annotated[str, Query(max_length=300)],
        path_column: ColumnName = None,
        label_column: ColumnName = None,
        split_column: ColumnName = None,
    ) -> dict[str, Any]:
        """A zip file of folders of pictures, or of pictures and a table with these columns, or a
        classifier, as the body."""
        content = await request.body()
        wanted = ColumnNames(path_column, label_column, split_column)
        return await run_in_threadpool(_import, store, name, content, wanted)

    @routes.post("/layout")
    def layout(paths: Annotated[list[Words], Body(embed=True)]) -> dict[str, Any]:
        """The classes in a folder that is dropped on the page, which adds the files to them."""
        found = read_dropped(paths)
        about = {"name": found.name, "classes": found.classes, "note": found.note}
        return about | {"skipped": _skipped(found.skipped)}

    @routes.get("/{id}")
    def state(id: str, seen: int = -1, version: int = -1) -> dict[str, Any]:
        """How things stand, once it is not what the page knows."""
        return rooms.of(id).wait(seen, version, WAIT)

    @routes.patch("/{id}", status_code=204)
    def rename(id: str, name: Text) -> None:
        change(id, lambda project: project.rename(name))

    @routes.put("/{id}/backbone", status_code=204)
    def look_with(id: str, name: Text) -> None:
        load_backbone(find(name).name, fetch=False)  # says what is missing
        change(id, lambda project: project.look_with(name))

    @routes.delete("/{id}", status_code=204)
    def delete(id: str) -> None:
        store.delete(id)
        rooms.forget(id)

    @routes.post("/{id}/restore", status_code=204)
    def restore(id: str) -> None:
        store.restore(id)

    @routes.post("/{id}/duplicate")
    def duplicate(id: str) -> dict[str, str]:
        return {"id": store.duplicate(id).id}

    @routes.post("/{id}/undo")
    def undo(id: str) -> dict[str, str | None]:
        return {"undone": change(id, Project.undo)}

    # --- classes and pictures --------------------------------------------------------------

    @routes.post("/{id}/classes")
    def add_class(id: str, name: Text) -> dict[str, str]:
        return {"id": change(id, lambda project: project.add_class(name))}

    @routes.patch("/{id}/classes/{class_id}", status_code=204)
    def change_class(
        id: str,
        class_id: str,
        name: Annotated[Words | None, Body()] = None,
        enabled: Annotated[bool | None, Body()] = None,
    ) -> None:
        if name is not None:
            change(id, lambda project: project.rename_class(class_id, name))
        if enabled is not None:
            change(id, lambda project: project.enable_class(class_id, enabled))

    @routes.delete("/{id}/classes/{class_id}", status_code=204)
    def delete_class(id: str, class_id: str) -> None:
        change(id, lambda project: project.delete_class(class_id))

    @routes.post("/{id}/classes/{class_id}/pictures")
    async def add_picture(
        request: Request,
        id: str,
        class_id: str,
        name: Name,
        burst: Annotated[str | None, Query(max_length=100)] = None,
    ) -> dict[str, Any]:
        """One file, as the body. What is no picture is said, and is no error of the page."""
        content = await request.body()

        def add() -> dict[str, Any]:
            files = [(name, content)]
            added = change(id, lambda project: project.add_pictures(class_id, files, burst))
            known = {"pictures": added.pictures, "known": added.known}
            return known | {"skipped": _skipped(added.skipped)}

        return await run_in_threadpool(add)

    @routes.post("/{id}/remove", status_code=204)
    def remove(id: str, pictures: Annotated[list[Id], Body(embed=True)]) -> None:
        change(id, lambda project: project.remove_pictures(pictures))

    @routes.post("/{id}/move", status_code=204)
    def move(id: str, pictures: Annotated[list[Id], Body(embed=True)], to: Text) -> None:
        change(id, lambda project: project.move_pictures(pictures, to))

    @routes.get("/{id}/thumbnails/{picture}")
    def thumbnail(id: str, picture: Id) -> Response:
        """Nothing if it was taken back before the browser asked, which is no fault."""
        try:
            content = store.open(id).thumbnail(picture)
        except MissingError:
            return Response(status_code=204)
        return Response(content, media_type="image/jpeg", headers=FOR_EVER)

    @routes.get("/{id}/pictures/{picture}")
    def picture(id: str, picture: Id) -> Response:
        """Large enough to be judged by eye."""
        content = shrunk(store.open(id).picture(picture))
        return Response(content, media_type="image/jpeg", headers=FOR_EVER)

    @routes.post("/{id}/tune", status_code=204)
    def tune(id: str) -> None:
        """Begin to fine-tune; how far it is stands in the state."""
        room = rooms.of(id)
        _training_photos(room)
        room.tuner.start()
        room.changed()

    @routes.delete("/{id}/tune", status_code=204)
    def stop_tuning(id: str) -> None:
        room = rooms.of(id)
        room.tuner.stop()
        room.changed()

    # --- answers ---------------------------------------------------------------------------

    @routes.websocket("/{id}/live")
    async def live(socket: WebSocket, id: str) -> None:
        """A picture (JPEG) comes, an answer goes, and so on."""
        await socket.accept()
        try:
            while True:
                picture = await socket.receive_bytes()
                await socket.send_json(await run_in_threadpool(_look, rooms, id, picture))
        except (WebSocketDisconnect, KeyError):  # KeyError: a text, which is no picture
            return

    # --- taking away -----------------------------------------------------------------------

    @routes.get("/{id}/classifier.eyespot")
    def classifier(id: str) -> FileResponse:
        taught = _training_photos(rooms.of(id))
        return _file(_named(project(id), ".eyespot"), taught.save)

    @routes.get("/{id}/classifier.onnx")
    def onnx(id: str) -> FileResponse:
        from eyespot.export.write import export_onnx

        taught = _training_photos(rooms.of(id))
        return _file(_named(project(id), ".onnx"), lambda path: export_onnx(taught, path))

    @routes.get("/{id}/pictures.zip")
    def pictures(id: str) -> FileResponse:
        def write(path: Path) -> None:
            with path.open("wb") as file:
                write_archive(project(id), file)

        return _file(_named(project(id), ".zip"), write)

    @routes.get("/{id}/report.html")
    def report(id: str) -> FileResponse:
        """Everything that `eyespot teach` finds out about the pictures."""
        from eyespot.report import write_report
        from eyespot.tasks.classification.teach import teach

        lesson = teach(project(id).dataset())
        return _file(_named(project(id), ".html"), lambda path: write_report(lesson, path))

    return routes


def _look(rooms: Classrooms, id: str, picture: bytes) -> dict[str, Any]:
    try:
        room = rooms.of(id)
        learnt, tuned = room.learnt, room.tuner.classifier()
        if learnt is None or learnt.classifier is None:
            return {"needed": learnt.needed if learnt else "The network is being opened."}
        seen = learnt.look(picture)
        if tuned is not None:
            said = tuned.predict(picture, top=len(tuned.classes))
            shares = dict(said.top)
            found = tuple((name, shares[name]) for name in tuned.classes)
            seen = replace(seen, probabilities=found, unknown=said.unknown)
    except EyespotError as error:
        return {"error": str(error)}
    return {
        "version": learnt.version,
        "classes": [{"name": name, "probability": share} for name, share in seen.probabilities],
        "unknown": seen.unknown,
        "near": [asdict(near) for near in seen.near],
    }


def _training_photos(room: Classroom) -> Classifier:
    if room.learnt is None or room.learnt.classifier is None:
        raise UsageError("There is no classifier yet: add pictures of two classes or more.")
    return room.tuner.classifier() or room.learnt.classifier


def _import(store: Store, name: str, content: bytes, wanted: ColumnNames) -> dict[str, Any]:
    stem, _, kind = name.rpartition(".")
    if kind.lower() == "zip":
        found = import_archive(store, content, stem or "project", wanted=wanted)
    elif kind.lower() == "eyespot":
        with tempfile.TemporaryDirectory(prefix="eyespot-") as folder:
            path = Path(folder) / "classifier.eyespot"
            path.write_bytes(content)
            found = import_classifier(store, path, stem or "project")
    else:
        raise UsageError(
            f"Expected a .zip file of folders of pictures, or an .eyespot file, not {name!r}."
        )
    about = {"id": found.project.id, "pictures": found.pictures, "note": found.note}
    return about | {"skipped": _skipped(found.skipped)}


def _skipped(skipped: Iterable[Skipped]) -> list[dict[str, str]]:
    return [{"name": one.path, "reason": one.reason} for one in skipped]


def _named(project: Project, ending: str) -> str:
    """A name for a file that every system takes."""
    return folder_names([project.snapshot().name])[0] + ending


def _file(name: str, write: Callable[[Path], object]) -> FileResponse:
    """What `write` writes, to be kept as `name`; the copy is removed once it was sent."""
    folder = tempfile.TemporaryDirectory(prefix="eyespot-")
    try:
        path = Path(folder.name) / f"file{Path(name).suffix}"
        write(path)
    except BaseException:
        folder.cleanup()
        raise
    return FileResponse(path, filename=name, background=BackgroundTask(folder.cleanup))
