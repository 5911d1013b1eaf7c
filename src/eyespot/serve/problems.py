"""What is said instead of an answer: always {"error": {"code", "message", "request_id"}}."""

import json
import logging
import secrets
from collections.abc import Mapping
from typing import Any

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from eyespot.shown import sentence

logger = logging.getLogger(__name__)

RETRY = {"Retry-After": "1"}
_OF_ROUTER = {
    404: ("not_found", "There is nothing at this address. What there is: / and /openapi.json"),
    405: ("method_not_allowed", "This address takes other methods; see the header Allow."),
}
"""What is said where no route fits."""


class Problem(Exception):
    """Said instead of an answer: a status, a word for programs, a sentence for people."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.headers = status, code, headers

    def response(self, request_id: str) -> Response:
        return as_json(error_form(self.code, str(self), request_id), self.status, self.headers)


def error_form(code: str, message: str, request_id: str = "") -> dict[str, Any]:
    """The one form of a refusal. Without the id of a request it has a new one."""
    request_id = request_id or secrets.token_hex(8)
    return {"error": {"code": code, "message": message, "request_id": request_id}}


def bad_picture(why: object) -> Problem:
    return Problem(422, "bad_picture", f"The picture cannot be used: {sentence(why)}")


def busy(why: str) -> Problem:
    return Problem(503, "busy", why, RETRY)


def late(seconds: float, then: str, *, reading: bool) -> Problem:
    """`then`: what becomes of a request that was not answered in time."""
    if reading:
        return Problem(408, "too_slow", f"The request did not arrive within {seconds:g} seconds.")
    return Problem(
        504, "too_late", f"There was no answer within {seconds:g} seconds; {then}.", RETRY
    )


def as_json(
    content: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(json.dumps(content), status, dict(headers or {}), media_type="application/json")


def told(request: Request, error: Exception) -> Response:
    """A handler for Problem, for what Starlette refuses, and for what nobody expected."""
    if isinstance(error, HTTPException):
        status = error.status_code
        code, message = _OF_ROUTER.get(status, ("refused", f"Refused: {sentence(error.detail)}"))
        headers = dict(error.headers or {})
        if headers.get("Allow") == "GET":
            headers["Allow"] = "GET, HEAD"
        error = Problem(status, code, message, headers)
    elif not isinstance(error, Problem):
        message = "Something went wrong here. The server's log says what, under this request_id."
        error = Problem(500, "internal", message)
    return error.response(request.state.record.id)
