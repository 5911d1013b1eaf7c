"""`eyespot teach`."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from eyespot.cli.figures import print_figures
from eyespot.cli.models import expect_backbone
from eyespot.cli.options import (
    Backbone,
    Columns,
    Json,
    LabelledPhotos,
    Verbose,
    given,
    one_of,
    option,
    tasks,
    with_columns,
)
from eyespot.cli.outputs import check_ending, check_outputs
from eyespot.cli.show import command, print_json, progress, say
from eyespot.errors import UsageError
from eyespot.shown import printable

if TYPE_CHECKING:
    from eyespot.tasks.protocol import Task


METHODS = (
    *("auto", "knn", "prototypes", "logistic", "svm", "finetune"),
    *("dense", "fast-rcnn"),
)


@with_columns
def teach(
    photos: LabelledPhotos,
    output: Annotated[
        Path | None,
        option("The file to write.", "-o", "--output", show_default="classifier.eyespot"),
    ] = None,
    report: Annotated[
        Path | None, option("The report to write.", show_default="NAME.report.html")
    ] = None,
    task: Annotated[
        str | None,
        option("The task.", show_default="by the annotations", autocompletion=tasks),
    ] = None,
    method: Annotated[
        str | None,
        option(
            "auto, knn, prototypes, logistic, svm or finetune; of a detector auto, dense, "
            "fast-rcnn or finetune.",
            show_default="auto; dense",
            autocompletion=one_of(*METHODS),
        ),
    ] = None,
    budget: Annotated[
        float | None,
        option(
            "Seconds for model selection; from 60 on, auto fine-tunes, too.",
            min=0,
            show_default="by the numbers of photos and classes",
        ),
    ] = None,
    onto: Annotated[Path | None, option("A classifier to extend; its photos are kept.")] = None,
    backbone: Backbone = "efficientnet_lite0",
    forget_photos: Annotated[
        bool, option("Store no features of the photos.", "--forget-photos")
    ] = False,
    verbose: Verbose = False,
    as_json: Json = False,
    *,
    columns: Columns,
) -> None:
    """Train a classifier or, from boxes, a detector, and evaluate it.

    Example: eyespot teach pets/ -o pets.eyespot
    """
    with progress() as step:
        expect_backbone(backbone)
        from eyespot.tasks.task import load

        check_outputs([output, report])
        check_ending(output, ".eyespot")
        check_ending(report, ".html", ".htm")
        taught = load(onto) if onto else None
        kind = _kind(task, photos, taught)
        output = output or Path(f"{kind.noun}.eyespot")
        page = report or output.with_suffix(".report.html")
        chosen = given(
            teach,
            kind.teach,
            kind,
            method=method,
            budget=budget,
            backbone=backbone,
            onto=taught,
            forget_photos=forget_photos,
        )
        named = given(teach, kind.open, kind, **asdict(columns))
        collection = kind.open(photos, new=onto is None, **named)
        check_outputs([output, page], [photos], collection.photos)
        check_outputs([page], [onto] if onto else [])
        result = kind.teach(collection, progress=step, **chosen)
        result.save(output)
        result.report(page)
    if as_json:
        print_json({**result.to_dict(), kind.noun: str(output), "report": str(page)})
        return
    print_figures(result.figures(photos, verbose=verbose))
    print_written(output, page)


def _kind(task: str | None, photos: Path, onto: "Task | None") -> "type[Task]":
    """The named task, or that of `onto`, or that of the annotations, which is then said.

    Raises UsageError for an unknown task, or another than that of `onto`.
    """
    from eyespot.tasks.task import find_task, task_called

    kind, words = (task_called(task), "") if task else find_task(photos)
    if onto is not None and task and not isinstance(onto, kind):
        raise UsageError(f"--onto names a {onto.noun}, and --task asks for a {kind.noun}.")
    if onto is not None:
        return type(onto)
    if words:
        text = f"Found {words}: training a {kind.noun}. For another task, name it with --task."
        say(printable(text), file=sys.stderr)
    return kind


def print_written(classifier: Path, page: Path) -> None:
    """Print the files of a taught classifier, and the command to use it."""
    say(f"\nWrote {classifier} ({classifier.stat().st_size / 1e6:.1f} MB) and {page}")
    say(f"Next  {command()} predict PHOTO -m {classifier}")
