"""Print the figures of a result, as `teach`, `evaluate` and `demo` do."""

from typing import TYPE_CHECKING

from eyespot.cli.show import print_bars, print_findings, print_rows, say
from eyespot.shown import printable

if TYPE_CHECKING:
    from eyespot.tasks.figures import Figures


def print_figures(figures: "Figures") -> None:
    """Print rows, sections and findings."""
    if figures.warning:
        say(f"Warning: {figures.warning}")
    say()
    print_rows(figures.rows)
    for section in figures.sections:
        say(f"\n{section.heading}")
        for line in section.lines:
            say(printable(line))
        print_bars(section.bars)
    if figures.findings:
        say()
        print_findings(figures.findings)
