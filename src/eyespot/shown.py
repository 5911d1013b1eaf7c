"""Format values and texts for messages, terminals and notebooks."""

import math
import re
import reprlib
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

_CONTROLS = re.compile(r"[\x7f-\x9f\ud800-\udfff]")


def printable(text: object) -> str:
    """A name or path that is safe on a terminal: unprintable characters are escaped."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text))


def harmless(text: str) -> str:
    """As `printable`, for a text of several lines."""
    return "\n".join(map(printable, text.split("\n")))


def harmless_json(text: str) -> str:
    """JSON that is safe on a terminal: remaining control characters are escaped."""
    return _CONTROLS.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


class _Short(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 80
        self.maxtuple = self.maxlist = self.maxdict = 3

    def repr_bytes(self, value: bytes, level: int) -> str:
        return f"{len(value):,} bytes"

    def repr_ndarray(self, value: Any, level: int) -> str:
        return f"{value.dtype} {list(value.shape)}"


_short = _Short()


def shown(value: object) -> str:
    """The repr of a value, shortened; bytes and arrays show only their size."""
    return _short.repr(value)


def sentence(why: object) -> str:
    """A reason as the end of a sentence, with exactly one full stop."""
    text = str(why).rstrip()
    return text if text.endswith(("!", "?")) else f"{text.rstrip('.')}."


def reason_of(error: BaseException) -> str:
    """What an error says: for an OSError, the operating system's text without number and path."""
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)


def counted(number: int, word: str = "photo", plural: str = "") -> str:
    """As in "1 photo", "1,387 photos", "6 classes"; `plural` where it is not `word` with an s."""
    return f"{number:,} {word if number == 1 else plural or word + 's'}"


def shortened(names: Sequence[str], most: int = 20) -> str:
    """Names for a message: the first `most`, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def listed(names: Iterable[str], most: int = 8) -> str:
    """As in "a, b and c"; "a, b and 7 more" for more than `most` names."""
    shown = list(names)
    if len(shown) > most + 1:
        shown = [*shown[:most], f"{len(shown) - most:,} more"]
    return " and ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:])))


def percent(share: float, digits: int = 1) -> str:
    """97.3% for 0.973, as `web/static/percent.js` does, too. 100% and 0% stand for exactly 1 and 0
    alone: 0.9999 is >99.9%, and 0.0001 is <0.1%.
    """
    if share in (0, 1):
        return f"{share:.0%}"
    least = 10.0 ** -(digits + 2)
    if 0 < share < least / 2:
        return f"<{least:.{digits}%}"
    if 1 - least / 2 <= share < 1:
        return f">{1 - least:.{digits}%}"
    return f"{share:.{digits}%}"


def percent_interval(interval: tuple[float, float]) -> str:
    """90.8–93.6%, with an en dash."""
    low, high = map(percent, interval)
    return f"{low.removesuffix('%')}–{high}"


def bar(share: float, width: int = 24) -> str:
    """A bar of blocks for a share of 0..1."""
    eighths = round(share * width * 8)
    return ("█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8]).rstrip().ljust(width)


def bar_of(share: float) -> str:
    """A bar with its share in percent."""
    return f"{bar(share)} {percent(share):>6}"


def si(number: float, unit: str = "") -> str:
    """Three digits with an SI prefix: 61.1 M, 7.85 k, 714 MB."""
    power = min(3, int(math.log10(max(number, 1)) // 3))
    scaled = number / 1000**power
    if power < 3 and round(scaled) >= 1000:
        power, scaled = power + 1, scaled / 1000
    digits = 0 if scaled >= 99.95 or power == 0 else 1 if scaled >= 9.995 else 2
    return f"{scaled:.{digits}f} {' kMG'[power].strip()}{unit}".rstrip()


class Brief:
    """A mixin for dataclasses (with repr=False): a short repr."""

    __slots__ = ()

    def __repr__(self) -> str:
        facts: Any = fields(self)  # type: ignore[arg-type]
        parts = (f"{fact.name}={shown(getattr(self, fact.name))}" for fact in facts)
        return f"{type(self).__name__}({', '.join(parts)})"
