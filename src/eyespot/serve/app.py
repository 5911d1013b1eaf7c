"""The routes of a server of classifiers."""

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from importlib.resources import files
from typing import Any

from fastapi import FastAPI, Request, Security
from fastapi.security import HTTPBearer
from pydantic_core import to_json
from starlette.concurrency import run_in_threadpool
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.responses import Response

from eyespot import __version__
from eyespot.errors import PhotoError
from eyespot.serve import schema
from eyespot.serve.batcher import BusyError
from eyespot.serve.bodies import Bodies, Room, Sent, pictures_of
from eyespot.serve.explaining import Explainer, explained, only, wants_png
from eyespot.serve.front import Front, Record
from eyespot.serve.memory import give_back
from eyespot.serve.metrics import Metrics
from eyespot.serve.problems import Problem, as_json, bad_picture, busy, late, told
from eyespot.serve.settings import Limits, Settings
from eyespot.serve.shelf import Served, Shelf
from eyespot.serve.threads import background
from eyespot.tasks.classification.classifier import Prediction
from eyespot.web.heads import HeadAsGet
from eyespot.web.pages import add_file, add_shared

logger = logging.getLogger(__name__)

WATCH = 1.0
"""Seconds between two looks at the classifiers' files."""
TIDY = 10
"""Looks between which freed memory goes back to the system."""
MANY = 1_000
"""Guesses in an answer that take so long to write that the others should not wait for it."""


class _NameConvertor(StringConvertor):
    regex = "[^/:]+"  # what follows a colon is a verb


register_url_convertor("classifier", _NameConvertor())


def create_app(settings: Settings) -> Front:
    """The application, behind its door. The pictures that were accepted are answered before it
    ends. Raises what `Shelf` raises."""
    metrics = Metrics()
    shelf = Shelf(settings.files, settings.limits.waiting, metrics)
    rooms = _Rooms(settings.limits, metrics, shelf)

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        watch = asyncio.create_task(_watch(shelf))
        yield
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch
        await run_in_threadpool(shelf.close)

    app = FastAPI(
        title="eyespot serve",
        description="What taught classifiers see on pictures.",
        version=__version__,
        lifespan=life,
        docs_url=None,  # its page would come from another site
        redoc_url=None,
        responses=schema.refusals(),
    )
    app.state.rooms = rooms
    app.add_middleware(HeadAsGet)
    app.add_exception_handler(Problem, told)
    app.add_exception_handler(HTTPException, told)
    app.add_exception_handler(Exception, told)
    # The door asks for the key; this only has the description say so.
    guarded = [Security(HTTPBearer(auto_error=False))] if settings.keys else []
    app.add_api_route(
        "/v1/models/{name:classifier}:predict",
        rooms.predict,
        methods=["POST"],
        response_class=Response,
        responses={
            200: {"model": schema.Answer},
            **schema.refusals(400, 404, 408, 413, 415, 422, 503, 504),
        },
        openapi_extra=schema.asking(settings.limits.pictures, schema.TOP),
        dependencies=guarded,
        summary="Say what is on pictures",
    )
    app.add_api_route(
        "/v1/models/{name:classifier}:explain",
        rooms.explain,
        methods=["POST"],
        response_class=Response,
        responses={
            200: {
                "model": schema.Explanation,
                "content": {"application/json": {}, "image/png": schema.PICTURE},
            },
            **schema.refusals(400, 404, 408, 413, 415, 422, 503, 504),
        },
        openapi_extra=schema.asking(1, schema.LABEL),
        dependencies=guarded,
        summary="Say why, of one picture",
        description="As JSON, or drawn, if the header Accept asks for image/png and not for JSON.",
    )
    app.add_api_route(
        "/v1/models",
        rooms.models,
        responses={200: {"model": schema.Models}},
        dependencies=guarded,
        summary="The classifiers that are served",
    )
    app.add_api_route(
        "/v1/models/{name:classifier}",
        rooms.model,
        responses={200: {"model": schema.Model}, **schema.refusals(404)},
        dependencies=guarded,
        summary="What a classifier tells apart, and how well",
    )
    state: Any = {200: {"model": schema.State}, **schema.refusals(503)}
    app.add_api_route("/healthz", rooms.health, responses=state, summary="The process lives")
    app.add_api_route("/readyz", rooms.readiness, responses=state, summary="It can answer")
    app.add_api_route(
        "/metrics",
        rooms.figures,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
        dependencies=guarded,
        summary="Figures for Prometheus",
    )
    add_shared(app)
    for path, name in (("/", "index.html"), ("/serve.css", "serve.css"), ("/serve.js", "serve.js")):
        add_file(app, path, files("eyespot.serve") / "static" / name)
    return Front(app, settings, metrics)


async def _watch(shelf: Shelf) -> None:
    loop = asyncio.get_running_loop()
    with background(1, "watch") as pool:
        for look in itertools.count(1):
            await asyncio.sleep(WATCH)
            await loop.run_in_executor(pool, shelf.refresh)
            if look % TIDY == 0:
                await loop.run_in_executor(pool, give_back)


class _Rooms:
    """What the routes have in common."""

    def __init__(self, limits: Limits, metrics: Metrics, shelf: Shelf) -> None:
        self.limits, self.metrics, self.shelf = limits, metrics, shelf
        self.explainer = Explainer()
        self.bodies = Bodies(limits.all_bytes)

    def _served(self, name: str) -> Served:
        served = self.shelf.get(name)
        if served is None:
            names = ", ".join(one.name for one in self.shelf)
            raise Problem(404, "not_found", f"There is no such classifier here. There are: {names}")
        return served

    @contextmanager
    def _accepted(self, served: Served) -> Iterator[Room]:
        """Room for a request. Raises Problem, before any of it is read, if there is none."""
        waiting = max(served.requests, served.batcher.waiting)
        if waiting >= self.limits.waiting:
            raise busy(f"{waiting} requests are under way already.")
        served.requests += 1
        try:
            with self.bodies.room() as room:
                yield room
        finally:
            served.requests -= 1

    async def predict(self, request: Request) -> Response:
        served = self._served(request.path_params["name"])
        record: Record = request.state.record
        record.model = served.name
        top = _top(request.query_params.get("top", "5"))
        sent: list[Sent] = []
        try:
            with self._accepted(served) as room:
                async with asyncio.timeout(self.limits.seconds):
                    sent = await pictures_of(request, self.limits, self.bodies, room)
                    record.pictures = len(sent)
                    answers = await self._ask(served, sent, top)
        except TimeoutError as error:
            self._count(served, "dropped", len(sent))
            then = "the pictures were dropped"
            raise late(self.limits.seconds, then, reading=not sent) from error
        except BusyError as error:
            self._count(served, "dropped", len(sent))
            raise busy(str(error)) from error
        bad = sum(isinstance(answer, PhotoError) for answer in answers)
        self._count(served, "bad", bad)
        self._count(served, "answered", len(sent) - bad)
        if bad and len(sent) == 1:
            raise bad_picture(answers[0])
        names = [one.name for one in sent]
        if len(sent) * min(top, len(served.classifier.classes)) <= MANY:
            return _answered(served.name, names, answers)
        return await self.bodies.at_desk(_answered, served.name, names, answers)

    async def explain(self, request: Request) -> Response:
        served = self._served(request.path_params["name"])
        record: Record = request.state.record
        record.model = served.name
        label, drawn = (
            request.query_params.get("label"),
            wants_png(request.headers.get("accept", "")),
        )
        self.explainer.check()
        sent: list[Sent] = []
        try:
            with self._accepted(served) as room:
                async with asyncio.timeout(self.limits.seconds):
                    sent = await pictures_of(request, self.limits, self.bodies, room)
                    record.pictures = len(sent)
                    work = partial(explained, served, only(sent), label, drawn=drawn)
                    return await self.explainer.do(work)
        except TimeoutError as error:
            then = "no other explanation begins before this one has ended"
            raise late(self.limits.seconds, then, reading=not sent) from error

    async def _ask(
        self, served: Served, sent: list[Sent], top: int
    ) -> list[Prediction | PhotoError]:
        """An answer for each. What is cancelled here is dropped there."""
        good = [(one.name, one.data) for one in sent if not one.error]
        coming = served.batcher.submit(good, top)
        came = iter(await _all(coming))
        return [PhotoError(one.error) if one.error else next(came) for one in sent]

    def _count(self, served: Served, outcome: str, pictures: int) -> None:
        if pictures:
            self.metrics.pictures.labels(served.name, outcome).inc(pictures)

    async def models(self) -> Response:
        texts = b", ".join(served.about for served in self.shelf)
        return Response(b'{"models": [%b]}' % texts, media_type="application/json")

    async def model(self, request: Request) -> Response:
        text = self._served(request.path_params["name"]).about
        return Response(text, media_type="application/json")

    async def health(self) -> Response:
        return as_json({"status": "alive"})

    async def readiness(self) -> Response:
        if not self.shelf.works:
            raise Problem(503, "not_ready", "What answers has ended. Start the server again.")
        return as_json({"status": "ready"})

    async def figures(self) -> Response:
        for served in self.shelf:
            self.metrics.waiting.labels(served.name).set(served.batcher.waiting)
        text = await self.bodies.at_desk(self.metrics.text)
        return Response(text, media_type="text/plain")


async def _all(coming: "list[Future[Prediction]]") -> list[Prediction | PhotoError]:
    """All results; those of pictures that cannot be read are their errors, others are raised."""
    found = await asyncio.gather(*map(asyncio.wrap_future, coming), return_exceptions=True)
    for result in found:
        if isinstance(result, BaseException) and not isinstance(result, PhotoError):
            raise result
    return [result for result in found if isinstance(result, Prediction | PhotoError)]


def _top(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:9]) > 0):
        raise Problem(400, "bad_request", "top is the number of classes to tell, 1 or more.")
    return int(text[:9])


def _answered(model: str, names: list[str], answers: list[Prediction | PhotoError]) -> Response:
    # One by one: `to_json` lets nobody else have the interpreter before it has done.
    pairs = zip(names, answers, strict=True)
    told_of = b", ".join(to_json(_told_of(*pair)) for pair in pairs)
    text = b'{"model": %b, "predictions": [%b]}' % (to_json(model), told_of)
    return Response(text, media_type="application/json")


def _told_of(name: str, answer: Prediction | PhotoError) -> dict[str, Any]:
    if isinstance(answer, PhotoError):
        error = {"code": "bad_picture", "message": str(answer)}
        return {"name": name, "label": None, "unknown": False, "top": [], "error": error}
    top = [{"label": label, "probability": probability} for label, probability in answer.top]
    return {
        "name": name,
        "label": answer.label,
        "unknown": answer.unknown,
        "top": top,
        "error": None,
    }
