"""Check values of untrusted JSON: return a value of the expected type, or raise ValueError."""

import math
import re
from collections import Counter
from typing import Any

from eyespot.limits import MAX_MANIFEST_DEPTH
from eyespot.shown import shown

_DIGEST = re.compile(r"[0-9a-f]{64}")


def mapping(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _unexpected(what, "an object", value)
    return value


def text(value: object, what: str, most: float = math.inf) -> str:
    """A string of 1 to `most` characters without lone surrogates."""
    if not isinstance(value, str) or not 0 < len(value) <= most:
        raise _unexpected(what, "a text", value)
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{what} {shown(value)} is not Unicode") from error
    return value


def names(value: object, what: str) -> tuple[str, ...]:
    """One or more different strings."""
    if not isinstance(value, list) or not value:
        raise _unexpected(what, "a list of names", value)
    found = tuple(text(name, f"one of {what}") for name in value)
    (name, times), *_ = Counter(found).most_common(1)
    if times > 1:
        raise ValueError(f"{what} have {shown(name)} twice")
    return found


def number(value: object, what: str, least: float = -math.inf, most: float = math.inf) -> float:
    """A finite number from `least` to `most`."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            found = float(value)
        except OverflowError:
            found = math.inf
        if math.isfinite(found) and least <= found <= most:
            return found
    raise _unexpected(what, "a number" if least == -math.inf else f"a number >= {least:g}", value)


def whole(value: object, what: str, least: int, most: int) -> int:
    """An integer from `least` to `most`."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise _unexpected(what, f"a whole number from {least:,} to {most:,}", value)
    return value


def truth(value: object, what: str) -> bool:
    if not isinstance(value, bool):
        raise _unexpected(what, "true or false", value)
    return value


def digest(value: object, what: str) -> str:
    """A sha256 as 64 hex digits, which is safe in a file name."""
    if not isinstance(value, str) or not _DIGEST.fullmatch(value):
        raise _unexpected(what, "64 hex digits", value)
    return value


def plain(value: object, what: str, depth: int = MAX_MANIFEST_DEPTH) -> Any:
    """Any JSON that is nested at most `depth` levels deep."""
    if depth == 0:
        raise ValueError(f"{what} are nested too deeply")
    if isinstance(value, dict):
        return {key: plain(item, what, depth - 1) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item, what, depth - 1) for item in value]
    return value


def _unexpected(what: str, expected: str, value: object) -> ValueError:
    return ValueError(f"{what}: expected {expected}, got {shown(value)}")
