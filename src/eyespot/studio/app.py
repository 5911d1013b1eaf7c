"""The studio as a web application: pages, and thin routes over what the library does."""

import json
import logging
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from eyespot.errors import EyespotError, MissingError
from eyespot.studio import blackboard, convolution, look, play, teach, zoo
from eyespot.studio.classroom import Classrooms
from eyespot.studio.guard import TOO_MUCH, Guard
from eyespot.studio.projects import Store
from eyespot.user_folders import user_folder
from eyespot.web.head_requests import HeadAsGet
from eyespot.web.pages import add_shared

logger = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"


OLD = 30 * 24 * 3600.0
"""Seconds after which a deleted project goes for good, from the next start on."""


def projects_folder() -> Path:
    """Where projects are: EYESPOT_PROJECTS, or a folder among the user's data."""
    return user_folder("EYESPOT_PROJECTS", "projects")


def open_classrooms() -> Classrooms:
    """Over the projects of this person. Raises ProjectError if they cannot be read."""
    store = Store(projects_folder())
    store.purge(OLD)
    return Classrooms(store)


def create_app(token: str, port: int, rooms: Classrooms | None = None) -> Guard:
    """The application, behind its guard. Raises ProjectError as `open_classrooms` does."""
    app = FastAPI(title="eyespot studio", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(HeadAsGet)
    app.add_exception_handler(EyespotError, _told)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(ClientDisconnect, _cut_off)
    app.add_exception_handler(Exception, _unexpected)
    app.include_router(blackboard.router)
    app.include_router(convolution.router)
    app.include_router(look.router)
    app.include_router(play.router)
    app.include_router(teach.router(rooms or open_classrooms()))
    app.include_router(zoo.router)
    add_shared(app)
    app.mount("/", StaticFiles(directory=STATIC, html=True))
    return Guard(app, token, port)


def _error(message: str, status: int) -> Response:
    """In ASCII: what a request quotes may be half a character, which UTF-8 does not have."""
    return Response(json.dumps({"error": message}), status, media_type="application/json")


def _told(request: Request, error: Exception) -> Response:
    return _error(str(error), 404 if isinstance(error, MissingError) else 400)


def _unreadable(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    places = ", ".join(".".join(map(str, one["loc"])) for one in error.errors())
    return _error(f"Expected other values for: {places[:300]}. Reload the page.", 400)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = "There is no such page." if error.status_code == 404 else str(error.detail)
    return _error(message, error.status_code)


def _cut_off(request: Request, error: Exception) -> Response:
    return _error(f"{TOO_MUCH} Or the request broke off.", 413)


def _unexpected(request: Request, error: Exception) -> Response:
    logger.error("The studio failed at %s", request.url.path, exc_info=error)
    return _error("Something went wrong in the studio; where it was started, it says what.", 500)
