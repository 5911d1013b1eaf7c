"""The studio as a web application: its pages, and thin routes over the library."""

import json
import logging
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, PackageLoader
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from eyespot.errors import EyespotError, MissingError
from eyespot.studio import (
    blackboard,
    classifier_routes,
    convolution,
    look,
    play,
    project_routes,
    search,
    zoo,
)
from eyespot.studio.boxes import routes as box_routes
from eyespot.studio.boxes.open_boxes import OpenBoxes
from eyespot.studio.boxes.store import BoxStore
from eyespot.studio.guard import TOO_LARGE, Guard
from eyespot.studio.open_projects import OpenProjects
from eyespot.studio.projects import Store
from eyespot.user_folders import user_folder
from eyespot.web.head_requests import HeadAsGet
from eyespot.web.pages import add_shared, add_text

logger = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"

TRASH_TIME = 30 * 24 * 3600.0
"""Seconds in the trash after which a start of the studio deletes a project."""
ROOMS = ("teach", "boxes", "look", "play", "blackboard", "convolution", "zoo", "search")
"""Pages with a template in `pages/`, and a style and a script in `static/`."""


def projects_folder() -> Path:
    """The folder of all projects: EYESPOT_PROJECTS, or one in the user's data folder."""
    return user_folder("EYESPOT_PROJECTS", "projects")


def open_projects() -> OpenProjects:
    """Open the user's projects. Raises ProjectError if they cannot be read."""
    store = Store(projects_folder())
    store.purge(TRASH_TIME)
    return OpenProjects(store)


def open_boxes() -> OpenBoxes:
    """Open the user's projects of Boxes. Raises ProjectError if they cannot be read."""
    store = BoxStore(projects_folder() / "boxes")
    store.purge(TRASH_TIME)
    return OpenBoxes(store)


def create_app(
    token: str,
    port: int,
    projects: OpenProjects | None = None,
    boxes: OpenBoxes | None = None,
) -> Guard:
    """Create the application behind its guard. Raises ProjectError as `open_projects` does."""
    app = FastAPI(title="eyespot studio", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.projects = projects or open_projects()
    app.state.boxes = boxes or open_boxes()
    app.add_middleware(HeadAsGet)
    app.add_exception_handler(EyespotError, _library_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(ClientDisconnect, _cut_off)
    app.add_exception_handler(Exception, _unexpected)
    rooms = (blackboard, convolution, look, play, project_routes, classifier_routes, search, zoo)
    for room in (*rooms, box_routes):
        app.include_router(room.router)
    add_shared(app)
    templates = Environment(loader=PackageLoader("eyespot.studio", "pages"), autoescape=True)
    for name in (*ROOMS, "index"):
        page = templates.get_template(f"{name}.html").render(room=name, rooms=ROOMS)
        add_text(app, "/" if name == "index" else f"/{name}.html", page)
    app.mount("/", StaticFiles(directory=STATIC))
    return Guard(app, token, port)


def _error(message: str, status: int) -> Response:
    """JSON in ASCII: a request may quote a surrogate, which UTF-8 cannot encode."""
    return Response(json.dumps({"error": message}), status, media_type="application/json")


def _library_error(request: Request, error: Exception) -> Response:
    return _error(str(error), 404 if isinstance(error, MissingError) else 400)


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    places = ", ".join(".".join(map(str, one["loc"])) for one in error.errors())
    return _error(f"These values are missing or invalid: {places[:300]}. Reload the page.", 400)


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = "This page does not exist." if error.status_code == 404 else str(error.detail)
    return _error(message, error.status_code)


def _cut_off(request: Request, error: Exception) -> Response:
    return _error(f"{TOO_LARGE} Or the connection was lost.", 413)


def _unexpected(request: Request, error: Exception) -> Response:
    logger.error("The studio failed at %s", request.url.path, exc_info=error)
    return _error("The studio failed. Its terminal shows why.", 500)
