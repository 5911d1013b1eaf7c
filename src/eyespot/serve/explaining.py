"""Explanations, one at a time: each runs the network some hundred times."""

import asyncio
import ctypes
import os
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from inspect import signature
from io import BytesIO
from pathlib import Path

from starlette.responses import Response

from eyespot.data.decode import DecodedImage
from eyespot.errors import UsageError
from eyespot.serve.bodies import Sent
from eyespot.serve.problems import as_json, bad_photo, bad_request, busy
from eyespot.serve.shelf import Served
from eyespot.serve.threads import background


class Explainer:
    """Runs one explanation at a time, in a thread."""

    def __init__(self) -> None:
        self._work: asyncio.Future[Response] | None = None
        self._pool = background(1, "explain")

    def check(self) -> None:
        """Raises Problem while an explanation is in progress."""
        if self._work is not None and not self._work.done():
            raise busy("Another explanation is in progress. Try again soon.")

    async def do(self, work: Callable[[], Response]) -> Response:
        """The result of `work`, which continues if this is cancelled, since a thread cannot be
        stopped. Raises Problem while another one is in progress."""
        self.check()
        self._work = asyncio.get_running_loop().run_in_executor(self._pool, work)
        # After a timeout nobody awaits the error: mark it as retrieved.
        self._work.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(self._work)


def only(sent: Sequence[Sent]) -> Sent:
    """The only photo. Raises Problem if there are more, or if it cannot be used."""
    if len(sent) != 1:
        raise bad_request(f"Expected 1 photo, got {len(sent)}.")
    if sent[0].error:
        raise bad_photo(sent[0].error)
    return sent[0]


def wants_png(accept: str) -> bool:
    """Whether an Accept header names PNG and not JSON, which has priority."""
    kinds = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    return "image/png" in kinds and "application/json" not in kinds


def explained(
    served: Served, name: str, decoded: DecodedImage, label: str | None, *, drawn: bool
) -> Response:
    """The explanation of a prediction, as PNG if `drawn`, else as JSON. Raises Problem if the label
    cannot be used."""
    _load_torch()
    options = {} if label is None else {"label": label}
    if unknown := options.keys() - signature(served.model.explain_decoded).parameters:
        raise bad_request(f"A {served.model.noun} has no option {min(unknown)}.")
    try:
        found = served.model.explain_decoded(name, decoded, **options)
    except UsageError as error:
        raise bad_request(str(error)) from error
    if drawn:
        file = BytesIO()
        found.draw().save(file, "PNG")
        return Response(file.getvalue(), media_type="image/png")
    return as_json({"model": served.name, **found.to_answer()})


def _load_torch() -> None:
    """Load torch's libraries through the system, which takes up to a second: while Python loads
    them, it holds the interpreter's lock, and the server would not answer."""
    found = find_spec("torch")
    if "torch" in sys.modules or found is None or not hasattr(os, "RTLD_NOW"):
        return
    for folder in found.submodule_search_locations or ():
        for library in Path(folder, "lib").glob("libtorch_python.*"):
            ctypes.CDLL(None).dlopen(os.fsencode(library), os.RTLD_NOW)
