"""The handlers of the server's routes."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from fastapi import Request
from starlette.responses import Response

from eyespot.data.decode import DecodedImage, decode
from eyespot.errors import PhotoError
from eyespot.serve.answers import LARGE, encode, parse_top
from eyespot.serve.batcher import BusyError
from eyespot.serve.bodies import Bodies, Room, Sent, photos_of
from eyespot.serve.decoders import Decoders
from eyespot.serve.explaining import Explainer, explained, only, wants_png
from eyespot.serve.front import Record
from eyespot.serve.metrics import Metrics
from eyespot.serve.problems import Problem, as_json, bad_photo, busy, late
from eyespot.serve.settings import Limits
from eyespot.serve.shelf import Served, Shelf
from eyespot.tasks.protocol import Prediction


class Routes:
    """Handlers that share the classifiers, the limits and the metrics."""

    def __init__(self, limits: Limits, metrics: Metrics, shelf: Shelf, decoders: Decoders) -> None:
        self.limits, self.metrics, self.shelf, self.decoders = limits, metrics, shelf, decoders
        self.explainer = Explainer()
        self.bodies = Bodies(limits.all_bytes)

    async def predict(self, request: Request) -> Response:
        served, record = self._requested(request)
        top = parse_top(request.query_params.get("top", "5"))
        sent: list[Sent] = []
        try:
            with self._accepted(served) as room:
                async with asyncio.timeout(self.limits.seconds):
                    sent = await self._photos(request, room, record)
                    answers = await _predictions(served, sent, top)
        except TimeoutError as error:
            self._count(served, "dropped", len(sent))
            then = "the server dropped the photos"
            raise late(self.limits.seconds, then, reading=not sent) from error
        except BusyError as error:
            self._count(served, "dropped", len(sent))
            raise busy(str(error)) from error
        bad = sum(bool(answer.error) for answer in answers)
        self._count(served, "bad", bad)
        self._count(served, "answered", len(sent) - bad)
        if bad and len(sent) == 1:
            raise bad_photo(answers[0].error)
        names = [photo.name for photo in sent]
        if len(sent) * top <= LARGE:
            return encode(served.name, names, answers)
        return await self.bodies.at_desk(encode, served.name, names, answers)

    async def explain(self, request: Request) -> Response:
        served, record = self._requested(request)
        label = request.query_params.get("label")
        drawn = wants_png(request.headers.get("accept", ""))
        self.explainer.check()
        sent: list[Sent] = []
        try:
            with self._accepted(served) as room:
                async with asyncio.timeout(self.limits.seconds):
                    sent = await self._photos(request, room, record)
                    photo = only(sent)
                    decoded = await self._decoded(served, photo)
                    work = partial(explained, served, photo.name, decoded, label, drawn=drawn)
                    return await self.explainer.do(work)
        except TimeoutError as error:
            then = "no other explanation starts before this one has ended"
            raise late(self.limits.seconds, then, reading=not sent) from error

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
            message = "A thread that classifies photos has ended. Restart the server."
            raise Problem(503, "not_ready", message)
        return as_json({"status": "ready"})

    async def figures(self) -> Response:
        for served in self.shelf:
            self.metrics.waiting.labels(served.name).set(served.batcher.waiting)
        text = await self.bodies.at_desk(self.metrics.text)
        return Response(text, media_type="text/plain")

    # --- what they share -------------------------------------------------------------------

    def _served(self, name: str) -> Served:
        served = self.shelf.get(name)
        if served is None:
            names = ", ".join(one.name for one in self.shelf)
            raise Problem(404, "not_found", f"No such model. This server has: {names}")
        return served

    def _requested(self, request: Request) -> tuple[Served, Record]:
        served = self._served(request.path_params["name"])
        record: Record = request.state.record
        record.model = served.name
        return served, record

    @contextmanager
    def _accepted(self, served: Served) -> Iterator[Room]:
        """Room for a request. Raises Problem, before any of it is read, if there is none."""
        waiting = max(served.requests, served.batcher.waiting)
        if waiting >= self.limits.waiting:
            raise busy(f"{waiting} requests are in progress. Try again soon.")
        served.requests += 1
        try:
            with self.bodies.room() as room:
                yield room
        finally:
            served.requests -= 1

    async def _photos(self, request: Request, room: Room, record: Record) -> list[Sent]:
        sent = await photos_of(request, self.limits, self.bodies, room)
        record.photos = len(sent)
        return sent

    async def _decoded(self, served: Served, photo: Sent) -> DecodedImage:
        decoding = self.decoders.submit(
            partial(decode, short_side=served.model.short_side), photo.data
        )
        try:
            return await asyncio.wrap_future(decoding)
        except PhotoError as error:
            raise bad_photo(error) from error

    def _count(self, served: Served, outcome: str, photos: int) -> None:
        if photos:
            self.metrics.photos.labels(served.name, outcome).inc(photos)


async def _predictions(served: Served, sent: list[Sent], top: int) -> list[Prediction]:
    """One for each photo, in order. Cancelling this cancels those that have not begun."""
    good = [(photo.name, photo.data) for photo in sent if not photo.error]
    answers = map(asyncio.wrap_future, served.batcher.submit(good, top))
    found = iter(await asyncio.gather(*answers, return_exceptions=True))
    kind = served.model.prediction
    return [_prediction(kind, photo.name, photo.error or next(found)) for photo in sent]


def _prediction(
    kind: type[Prediction], name: str, found: Prediction | BaseException | str
) -> Prediction:
    """The prediction of a photo, perhaps with an error. Raises `found`, unless a PhotoError."""
    if isinstance(found, str | PhotoError):
        return kind(name, error=str(found))
    if isinstance(found, BaseException):
        raise found
    return found
