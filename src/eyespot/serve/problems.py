"""Error responses: always {"error": {"code", "message", "request_id"}}."""

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
    404: ("not_found", "No route at this address. The routes are listed at / and /openapi.json"),
    405: ("method_not_allowed", "This address takes other methods; see the Allow header."),
}
"""Code and message of the router's own errors."""


class Problem(Exception):
    """An error response: a status, a code for programs, a message for people."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.headers = status, code, headers

    def response(self, request_id: str) -> Response:
        return as_json(error_form(self.code, str(self), request_id), self.status, self.headers)


def error_form(code: str, message: str, request_id: str = "") -> dict[str, Any]:
    """The JSON of an error. Without the id of a request, a new one is made."""
    request_id = request_id or secrets.token_hex(8)
    return {"error": {"code": code, "message": message, "request_id": request_id}}


def bad_request(message: str) -> Problem:
    return Problem(400, "bad_request", message)


def bad_photo(why: object) -> Problem:
    return Problem(422, "bad_photo", f"The photo cannot be used: {sentence(why)}")


def busy(why: str) -> Problem:
    return Problem(503, "busy", why, RETRY)


def late(seconds: float, then: str, *, reading: bool) -> Problem:
    """A timeout. `then`: the consequence for the request."""
    if reading:
        return Problem(408, "too_slow", f"The request did not arrive within {seconds:g} s.")
    return Problem(504, "too_late", f"No answer within {seconds:g} s; {then}.", RETRY)


def as_json(
    content: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(json.dumps(content), status, dict(headers or {}), media_type="application/json")


def answer_error(request: Request, error: Exception) -> Response:
    """Exception handler for Problem, Starlette's HTTPException and unexpected errors."""
    if isinstance(error, HTTPException):
        status = error.status_code
        code, message = _OF_ROUTER.get(
            status, ("refused", f"Request refused: {sentence(error.detail)}")
        )
        headers = dict(error.headers or {})
        if headers.get("Allow") == "GET":
            headers["Allow"] = "GET, HEAD"
        error = Problem(status, code, message, headers)
    elif not isinstance(error, Problem):
        message = "Internal error. The server's log has the details under this request_id."
        error = Problem(500, "internal", message)
    return error.response(request.state.record.id)
