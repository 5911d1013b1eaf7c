"""Explanations, one at a time: each asks the network some hundred times."""

import asyncio
import ctypes
import os
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

from starlette.responses import Response

from eyespot.data.photos import MemorySource, Photo
from eyespot.errors import PhotoError, UsageError
from eyespot.serve.bodies import Sent
from eyespot.serve.problems import Problem, as_json, bad_picture, busy
from eyespot.serve.shelf import Served
from eyespot.serve.threads import background


class Explainer:
    """Does one work at a time, in a thread."""

    def __init__(self) -> None:
        self._work: asyncio.Future[Response] | None = None
        self._pool = background(1, "explain")

    def check(self) -> None:
        """Raises Problem as long as a work is under way."""
        if self._work is not None and not self._work.done():
            raise busy("An explanation is being made already.")

    async def do(self, work: Callable[[], Response]) -> Response:
        """What `work` returns. If this is cancelled, the work is done nevertheless, since a thread
        cannot be stopped. Raises Problem as long as another work is under way."""
        self.check()
        self._work = asyncio.get_running_loop().run_in_executor(self._pool, work)
        # Nobody may be left to whom it could be told that the work failed.
        self._work.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(self._work)


def only(sent: Sequence[Sent]) -> Sent:
    """The one picture. Raises Problem if there are more, or if it cannot be used."""
    if len(sent) != 1:
        raise Problem(400, "bad_request", "One picture is explained at a time.")
    if sent[0].error:
        raise bad_picture(sent[0].error)
    return sent[0]


def wants_png(accept: str) -> bool:
    """Whether a header Accept asks for a PNG file and not for JSON as well, which goes first."""
    kinds = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    return "image/png" in kinds and "application/json" not in kinds


def explained(served: Served, picture: Sent, label: str | None, *, drawn: bool) -> Response:
    """Why a classifier says what it says, as a PNG file if `drawn`, else as JSON. Raises Problem if
    it cannot be told."""
    _load_torch()
    from eyespot.explain.photo import explain_photo
    from eyespot.explain.photo_page import draw_explanation

    photo = Photo(picture.name, MemorySource(picture.data))
    try:
        found = explain_photo(served.classifier, photo, label)
    except PhotoError as error:
        raise bad_picture(error) from error
    except UsageError as error:
        raise Problem(400, "bad_request", str(error)) from error
    if drawn:
        file = BytesIO()
        draw_explanation(found).save(file, "PNG")
        return Response(file.getvalue(), media_type="image/png")
    said = found.to_dict()
    for hidden in [said, *(said["near"] or [])]:  # what taught photos are called stays here
        del hidden["path"]
    del said["error"]
    return as_json({"model": served.name, **said})


def _load_torch() -> None:
    """Have the system load torch's libraries, which takes it up to a second: while Python loads
    them, it lets no other thread go on, and nobody would be answered."""
    found = find_spec("torch")
    if "torch" in sys.modules or found is None or not hasattr(os, "RTLD_NOW"):
        return
    for folder in found.submodule_search_locations or ():
        for library in Path(folder, "lib").glob("libtorch_python.*"):
            ctypes.CDLL(None).dlopen(os.fsencode(library), os.RTLD_NOW)
