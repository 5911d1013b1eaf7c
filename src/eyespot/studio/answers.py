"""Answers to a page that asks while a person still types."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

from eyespot.errors import EyespotError

Answer = dict[str, Any]
P = ParamSpec("P")


def or_error(route: Callable[P, Answer]) -> Callable[P, Answer]:
    """The route's answer, or {"error": sentence} for what the library refuses: half an expression
    is nothing that failed, so it shall not stand in the browser's console as that."""

    @wraps(route)
    def answer(*args: P.args, **kwargs: P.kwargs) -> Answer:
        try:
            return route(*args, **kwargs)
        except EyespotError as error:
            return {"error": str(error)}

    return answer
