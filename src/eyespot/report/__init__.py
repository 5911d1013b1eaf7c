"""One self-contained HTML page about a lesson: no network, good on a phone and in the dark."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eyespot.tasks.classification.result import EvaluateResult


def write_report(lesson: "EvaluateResult", path: Path) -> None:
    """Write the page about `lesson` to `path`, atomically. Raises OSError as writing does."""
    from eyespot.atomic import write_atomically
    from eyespot.report.page import render

    # A file name in an old encoding has characters that UTF-8 cannot hold; they become "?".
    write_atomically(Path(path), render(lesson).encode("utf-8", "replace"))
