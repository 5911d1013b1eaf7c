"""`eyespot train --check`: a line for each check, and the page."""

from pathlib import Path
from typing import TYPE_CHECKING

from eyespot.cli.show import print_json, print_wrote, progress, say

if TYPE_CHECKING:
    from eyespot.data.photos import Dataset
    from eyespot.training.plan import Plan

PAGE = "check.html"


def check_plan(
    photos: "Dataset", plan: "Plan", folder: Path, held_out: float, as_json: bool
) -> None:
    """Check `plan` without training; write the page into `folder`."""
    from eyespot.report.checks import render
    from eyespot.report.html import write_page
    from eyespot.training.checks.run import check_photos

    with progress() as step:
        verdicts = check_photos(photos, plan, held_out=held_out, progress=step)
    folder.mkdir(parents=True, exist_ok=True)
    write_page(folder / PAGE, render(verdicts, plan))
    if as_json:
        checks = [verdict.to_dict() for verdict in verdicts]
        print_json({"model": plan.model, "checks": checks, "page": str(folder / PAGE)})
        return
    for verdict in verdicts:
        say(f"{'passed ' if verdict.passed else 'warning'}  {verdict.title}: {verdict.summary}.")
        if not verdict.passed:
            say(f"         {verdict.advice}")
    print_wrote(folder / PAGE)
