"""Answers to a page that asks while the user types."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

from eyespot.errors import EyespotError

Answer = dict[str, Any]
P = ParamSpec("P")


def or_error(route: Callable[P, Answer]) -> Callable[P, Answer]:
    """Return the route's answer, or {"error": message} for an EyespotError.

    An incomplete expression is no HTTP error, which the browser would log in its console.
    """

    @wraps(route)
    def answer(*args: P.args, **kwargs: P.kwargs) -> Answer:
        try:
            return route(*args, **kwargs)
        except EyespotError as error:
            return {"error": str(error)}

    return answer
