"""`eyespot teach`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eyespot.cli.at_length import read_and_written
from eyespot.cli.columns import LabelColumn, PathColumn, SplitColumn, open_labelled
from eyespot.cli.outputs import check_ending, check_outputs
from eyespot.cli.show import (
    bar_of,
    command,
    counted,
    print_findings,
    print_json,
    printable,
    progress,
    say,
)

if TYPE_CHECKING:
    from eyespot.tasks.classification.result import TeachResult


def teach(
    photos: Annotated[
        Path,
        typer.Argument(
            help="PHOTOS/<class>/*.jpg, the same in train/, val/ and test/, a CSV, TSV or "
            "JSON table, Parquet, IDX or WebDataset shards (.tar)."
        ),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Where the classifier goes.")
    ] = Path("classifier.eyespot"),
    report: Annotated[
        Path | None, typer.Option(help="Where the report goes. [default: beside the classifier]")
    ] = None,
    method: Annotated[
        str, typer.Option(help="auto, knn, prototypes, logistic, svm or finetune.")
    ] = "auto",
    budget: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="A limit in seconds for model selection; from 60 on auto fine-tunes, too. "
            "[default: none; the numbers of photos and classes decide]",
        ),
    ] = None,
    onto: Annotated[
        Path | None, typer.Option(help="A classifier to teach more; its photos are kept.")
    ] = None,
    backbone: Annotated[
        str, typer.Option(help="A network of the zoo, or a file that train wrote.")
    ] = "efficientnet_lite0",
    forget_photos: Annotated[
        bool, typer.Option("--forget-photos", help="Keep no features of the photos.")
    ] = False,
    path_column: PathColumn = None,
    label_column: LabelColumn = None,
    split_column: SplitColumn = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")] = False,
) -> None:
    """Teach a classifier from photos and report how good it is.

    Example: eyespot teach pets/ -o pets.eyespot
    """
    check_outputs([output])
    page = report or output.with_suffix(".report.html")
    check_ending(output, ".eyespot")
    check_ending(page, ".html", ".htm")
    from eyespot.report import write_report
    from eyespot.tasks.classification.teach import teach
    from eyespot.tasks.task import load

    collection = open_labelled(
        photos, path_column, label_column, split_column, least_classes=1 if onto else 2
    )
    outputs = [output, page]
    check_outputs(outputs, [photos, *read_and_written(collection.photos, outputs)])
    if onto is not None:
        check_outputs([page], [onto])
    with progress() as step:
        lesson = teach(
            collection,
            method=method,
            budget=budget,
            backbone=backbone,
            onto=load(onto) if onto else None,
            forget_photos=forget_photos,
            progress=step,
        )
        lesson.classifier.save(output)
        write_report(lesson, page)
    if as_json:
        print_json({**summary(lesson), "classifier": str(output), "report": str(page)})
    else:
        print_lesson(lesson)
        say(f"\nClassifier  {output}\nReport      {page}")
        say(f"Try it      {command()} predict PHOTO -m {output}")


def summary(lesson: "TeachResult") -> dict[str, Any]:
    """What `--json` prints of a lesson."""

    evaluation = lesson.evaluation
    return {
        "classes": list(lesson.classifier.classes),
        "photos": len(lesson.features),
        "skipped": [{"path": s.path, "reason": s.reason} for s in lesson.skipped],
        "duplicates": [
            [lesson.features.names[index] for index in group]
            for group in (*lesson.duplicates.exact, *lesson.duplicates.near)
        ],
        "findings": [finding.to_dict() for finding in lesson.findings],
        "label_issues": [
            {
                "path": lesson.features.names[s.index],
                "label": lesson.classifier.classes[lesson.labels[s.index]],
                "suggested": lesson.classifier.classes[s.suggested],
                "confidence": s.confidence,
            }
            for s in lesson.label_issues
        ],
        "method": lesson.method,
        "reason": lesson.reason,
        "advice": lesson.advice,
        "evaluated_on": lesson.evaluated_on,
        **evaluation.to_dict(),
        "candidates": [
            {
                "method": trial.method,
                "top1": trial.top1,
                "top1_interval": list(trial.top1_interval),
                "seconds": trial.seconds,
            }
            for trial in lesson.candidates
        ],
        "omitted": [{"what": one.what, "why": one.why} for one in lesson.omitted],
        "learning_curve": lesson.learning_curve.to_dict() if lesson.learning_curve else None,
        "rejection": lesson.rejection.to_dict(),
        "seconds": lesson.seconds,
        "photos_per_second": lesson.photos_per_second,
    }


def print_lesson(lesson: "TeachResult") -> None:
    """What a person wants to know."""
    from eyespot.evaluation import verdict

    say(f"\n{printable(verdict(lesson.evaluation, lesson.evaluated_on))}\n{lesson.reason}\n")
    say("Candidates (cross-validated accuracy of each alone, selection not included):")
    width = max(len(trial.method) for trial in lesson.candidates)
    for trial in sorted(lesson.candidates, key=lambda trial: -trial.top1):
        say(f"  {trial.method:{width}}  {bar_of(trial.top1)}  {trial.seconds:.1f} s")
    say()
    if lesson.learning_curve:
        say(lesson.learning_curve.verdict)
    say(printable(lesson.advice))
    print_findings(lesson.findings)
    if lesson.label_issues:
        say(f"{counted(len(lesson.label_issues), 'label issue')}; the report shows every one.")
    for skipped in lesson.skipped[:5]:
        say(printable(f"Skipped {skipped.path}: {skipped.reason}"))
    if len(lesson.skipped) > 5:
        say(f"and {len(lesson.skipped) - 5:,} more; --json lists every one.")
    seconds = lesson.seconds
    say(
        f"{len(lesson.features)} photos in {seconds['total']:.1f} s "
        f"(features at {lesson.photos_per_second:.0f} photos/s, cached ones included)."
    )
