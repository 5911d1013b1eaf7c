"""Values for people: in messages, and in what a notebook shows. Short, whatever they hold."""

import reprlib
from dataclasses import fields
from typing import Any


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
