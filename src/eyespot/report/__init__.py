"""Reports: self-contained HTML pages. No page loads anything over the network."""

from importlib import import_module
from pathlib import Path
from typing import Any


def write_report(result: Any, path: Path) -> None:
    """Write the report of a result of `eyespot teach` or `eyespot evaluate` to `path`, atomically.

    The module that the result's `page` names renders it. Raises OSError as writing does.
    """
    from eyespot.report.html import write_page

    write_page(path, import_module(result.page).render(result))
