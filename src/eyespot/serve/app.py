"""The HTTP application: routes, their descriptions, and a watch over the classifiers' files."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from typing import Any

from fastapi import FastAPI, Security
from fastapi.security import HTTPBearer
from starlette.concurrency import run_in_threadpool
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.responses import Response

from eyespot import __version__
from eyespot.serve import schema
from eyespot.serve.decoders import Decoders
from eyespot.serve.front import Front
from eyespot.serve.memory import trim_memory
from eyespot.serve.metrics import Metrics
from eyespot.serve.problems import Problem, answer_error
from eyespot.serve.routes import Routes
from eyespot.serve.settings import Settings
from eyespot.serve.shelf import Shelf
from eyespot.serve.threads import background
from eyespot.web.head_requests import HeadAsGet
from eyespot.web.pages import add_file, add_shared

WATCH = 1.0
"""Seconds between two checks of the classifiers' files."""
TRIM = 10
"""Checks between which freed memory goes back to the system."""
MODEL = "/v1/models/{name:classifier}"


class _NameConvertor(StringConvertor):
    regex = "[^/:]+"  # a verb follows the colon


register_url_convertor("classifier", _NameConvertor())


def create_app(settings: Settings) -> Front:
    """The application behind its access checks. At shutdown it answers the accepted photos first.
    Raises what `Shelf` raises."""
    metrics = Metrics()
    decoders = Decoders(settings.decoders)
    shelf = Shelf(settings.files, decoders, settings.limits.waiting, metrics)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        watch = asyncio.create_task(_watch(shelf))
        yield
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch
        await run_in_threadpool(decoders.close)
        await run_in_threadpool(shelf.close)

    app = FastAPI(
        title="eyespot serve",
        description="Image classification over HTTP.",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,  # its page loads scripts of another site
        redoc_url=None,
        responses=schema.refusals(),
    )
    app.state.routes = Routes(settings.limits, metrics, shelf, decoders)
    app.add_middleware(HeadAsGet)
    for kind in (Problem, HTTPException, Exception):
        app.add_exception_handler(kind, answer_error)
    _add_routes(app, app.state.routes, settings)
    add_shared(app)
    for path, name in (("/", "index.html"), ("/serve.css", "serve.css"), ("/serve.js", "serve.js")):
        add_file(app, path, files("eyespot.serve") / "static" / name)
    return Front(app, settings, metrics)


def _add_routes(app: FastAPI, routes: Routes, settings: Settings) -> None:
    # `Front` checks the key; this only documents it.
    guarded = [Security(HTTPBearer(auto_error=False))] if settings.keys else []
    of_photos = schema.refusals(400, 404, 408, 413, 415, 422, 503, 504)
    drawing = {"application/json": {}, "image/png": schema.IMAGE}
    figures: Any = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}
    app.add_api_route(
        f"{MODEL}:predict",
        routes.predict,
        methods=["POST"],
        response_class=Response,
        responses={200: {"model": schema.Answer}, **of_photos},
        openapi_extra=schema.photo_request(settings.limits.photos, schema.TOP),
        dependencies=guarded,
        summary="Classify photos, or find objects in them",
    )
    app.add_api_route(
        f"{MODEL}:explain",
        routes.explain,
        methods=["POST"],
        response_class=Response,
        responses={200: {"model": schema.Explanation, "content": drawing}, **of_photos},
        openapi_extra=schema.photo_request(1, schema.LABEL),
        dependencies=guarded,
        summary="Explain the prediction for a photo",
        description="JSON, or a PNG if the Accept header names image/png and not JSON.",
    )
    state: Any = {200: {"model": schema.State}, **schema.refusals(503)}
    model: Any = {200: {"model": schema.Model}, **schema.refusals(404)}
    models: Any = {200: {"model": schema.Models}}
    for path, handler, responses, dependencies, summary in (
        ("/v1/models", routes.models, models, guarded, "List the models"),
        (MODEL, routes.model, model, guarded, "Classes and metrics of a model"),
        ("/healthz", routes.health, state, [], "Whether the process is alive"),
        ("/readyz", routes.readiness, state, [], "Whether the server can predict"),
        ("/metrics", routes.figures, figures, guarded, "Metrics for Prometheus"),
    ):
        app.add_api_route(
            path, handler, responses=responses, dependencies=dependencies, summary=summary
        )


async def _watch(shelf: Shelf) -> None:
    loop = asyncio.get_running_loop()
    with background(1, "watch") as pool:
        for check in itertools.count(1):
            await asyncio.sleep(WATCH)
            await loop.run_in_executor(pool, shelf.refresh)
            if check % TRIM == 0:
                await loop.run_in_executor(pool, trim_memory)
