"""Routes of Teach: predictions, fine-tuning and downloads of a project's classifier."""

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from fastapi import APIRouter, WebSocket
from fastapi.responses import FileResponse

from eyespot.errors import UsageError
from eyespot.studio.answers import Answer, converse
from eyespot.studio.archive_writer import write_archive
from eyespot.studio.downloads import download
from eyespot.studio.open_projects import OpenProject, OpenProjects
from eyespot.studio.parameters import Opened, Projects
from eyespot.tasks.classification.classifier import Classifier

router = APIRouter(prefix="/api/projects/{id}")


@router.websocket("/live")
async def live(socket: WebSocket, projects: Projects, id: str) -> None:
    """The page sends a photo (JPEG), the server a prediction, and so on."""
    await converse(socket, lambda photo: [_predict(projects, id, photo)])


def _predict(projects: OpenProjects, id: str, photo: str | bytes) -> Answer:
    opened = projects.get(id)
    trained, tuned = opened.trained, opened.fine_tuner.classifier()
    if isinstance(photo, str):
        raise UsageError("Expected a photo, found a text.")
    if trained is None or trained.classifier is None:
        return {"needed": trained.needed if trained else "The backbone is being opened."}
    found = trained.predict(photo)
    if tuned is not None:
        prediction = tuned.predict(photo, top=len(tuned.classes))
        by_class = dict(prediction.top)
        probabilities = tuple((name, by_class[name]) for name in tuned.classes)
        found = replace(found, probabilities=probabilities, unknown=prediction.unknown)
    return {
        "version": trained.version,
        "classes": [{"name": name, "probability": share} for name, share in found.probabilities],
        "unknown": found.unknown,
        "similar": [asdict(one) for one in found.similar],
    }


@router.post("/fine-tuning", status_code=204)
def start_fine_tuning(opened: Opened) -> None:
    """Start fine-tuning; its progress is part of the state."""
    _classifier(opened)
    opened.fine_tuner.start()
    opened.changed()


@router.delete("/fine-tuning", status_code=204)
def stop_fine_tuning(opened: Opened) -> None:
    opened.fine_tuner.stop()
    opened.changed()


@router.get("/classifier.eyespot")
def classifier(opened: Opened) -> FileResponse:
    return _download(opened, ".eyespot", _classifier(opened).save)


@router.get("/classifier.onnx")
def onnx(opened: Opened) -> FileResponse:
    from eyespot.export.write import export_file

    taught = _classifier(opened)
    return _download(opened, ".onnx", lambda path: export_file(taught, path))


@router.get("/photos.zip")
def photos(opened: Opened) -> FileResponse:
    def write(path: Path) -> None:
        with path.open("wb") as file:
            write_archive(opened.project, file)

    return _download(opened, ".zip", write)


@router.get("/report.html")
def report(opened: Opened) -> FileResponse:
    """The report of `eyespot teach` about the project's photos."""
    from eyespot.tasks.classification.teach import teach

    return _download(opened, ".html", teach(opened.project.dataset()).report)


def _classifier(opened: OpenProject) -> Classifier:
    if opened.trained is None or opened.trained.classifier is None:
        raise UsageError("This project has no classifier yet. Add photos of two classes or more.")
    return opened.fine_tuner.classifier() or opened.trained.classifier


def _download(opened: OpenProject, extension: str, write: Callable[[Path], object]) -> FileResponse:
    return download(opened.project.snapshot().name, extension, write)
