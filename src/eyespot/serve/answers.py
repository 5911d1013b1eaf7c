"""Predictions as JSON."""

from typing import Any

from pydantic_core import to_json
from starlette.responses import Response

from eyespot.serve.problems import bad_request
from eyespot.tasks.protocol import Prediction

LARGE = 1_000
"""Probabilities in an answer beyond which the event loop leaves its encoding to a thread."""


def encode(model: str, names: list[str], answers: list[Prediction]) -> Response:
    """The body of `:predict`."""
    # One photo at a time: `to_json` holds the interpreter's lock until it returns.
    pairs = zip(names, answers, strict=True)
    predictions = b", ".join(to_json(_prediction(*pair)) for pair in pairs)
    body = b'{"model": %b, "predictions": [%b]}' % (to_json(model), predictions)
    return Response(body, media_type="application/json")


def _prediction(name: str, answer: Prediction) -> dict[str, Any]:
    error = {"code": "bad_photo", "message": answer.error} if answer.error else None
    return {"name": name, **answer.to_answer(), "error": error}


def parse_top(text: str) -> int:
    """The number of classes that a request asks for. Raises Problem unless it is 1 or more."""
    if not (text.isascii() and text.isdigit() and int(text[:9]) > 0):
        raise bad_request("Expected top, the number of classes, as 1 or more.")
    return int(text[:9])
