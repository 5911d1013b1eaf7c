"""Values and texts for people: in messages, on terminals, and in what a notebook shows."""

import re
import reprlib
from dataclasses import fields
from typing import Any

_CONTROLS = re.compile(r"[\x7f-\x9f\ud800-\udfff]")


def printable(text: str) -> str:
    """A name as it may go to a terminal: control characters, which could drive it, are escaped."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def harmless(text: str) -> str:
    """As `printable`, of a text of several lines."""
    return "\n".join(map(printable, text.split("\n")))


def harmless_json(text: str) -> str:
    """JSON that does nothing to a terminal: what it does not escape itself is escaped."""
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
    """A value as Python writes it, but never at length, nor more than the size of photos."""
    return _short.repr(value)


def sentence(why: object) -> str:
    """A reason as the end of a sentence: with one full stop, whether or not it came with one, as
    the reasons of libraries and files may."""
    text = str(why).rstrip()
    return text if text.endswith(("!", "?")) else f"{text.rstrip('.')}."


class Brief:
    """A dataclass (with repr=False) whose repr stays short."""

    __slots__ = ()

    def __repr__(self) -> str:
        facts: Any = fields(self)  # type: ignore[arg-type]
        told = (f"{fact.name}={shown(getattr(self, fact.name))}" for fact in facts)
        return f"{type(self).__name__}({', '.join(told)})"
