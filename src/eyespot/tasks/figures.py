"""Predictions and results as a terminal shows them: plain data that every task fills alike."""

from collections.abc import Sequence
from dataclasses import dataclass

from eyespot.data.finding import Finding


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, lines, and bars: label, share 0..1 and the text behind the bar."""

    heading: str
    lines: Sequence[str] = ()
    bars: Sequence[tuple[str, float, str]] = ()


@dataclass(frozen=True, slots=True)
class Figures:
    """A result of `teach` or `evaluate`.

    `rows`: labels and texts; a row without a text is not shown. `warning`: why the figures mislead,
    or empty.
    """

    rows: Sequence[tuple[str, str]]
    sections: Sequence[Section] = ()
    findings: Sequence[Finding] = ()
    warning: str = ""
