"""Reports: self-contained HTML pages. No page loads anything over the network."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eyespot.tasks.classification.result import EvaluateResult


def write_report(result: "EvaluateResult", path: Path) -> None:
    """Write the report of `eyespot teach` or `eyespot evaluate` to `path`, atomically.

    Raises OSError as writing does.
    """
    from eyespot.report.html import write_page
    from eyespot.report.page import render

    write_page(path, render(result))
