"""`eyespot teach`."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from eyespot.cli.figures import print_taught
from eyespot.cli.models import expect_backbone
from eyespot.cli.options import (
    Backbone,
    Columns,
    Json,
    LabelledPhotos,
    Verbose,
    choice,
    option,
    with_columns,
)
from eyespot.cli.outputs import check_ending, check_outputs
from eyespot.cli.show import command, print_json, progress, say

if TYPE_CHECKING:
    from eyespot.tasks.classification.result import TeachResult


@with_columns
def teach(
    photos: LabelledPhotos,
    output: Annotated[Path, option("The classifier file to write.", "-o", "--output")] = Path(
        "classifier.eyespot"
    ),
    report: Annotated[
        Path | None, option("The report to write.", show_default="NAME.report.html")
    ] = None,
    method: Annotated[
        str, choice("", "auto", "knn", "prototypes", "logistic", "svm", "finetune")
    ] = "auto",
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
    """Train a classifier on labelled photos and report its accuracy.

    Example: eyespot teach pets/ -o pets.eyespot
    """
    check_outputs([output])
    page = report or output.with_suffix(".report.html")
    check_ending(output, ".eyespot")
    check_ending(page, ".html", ".htm")
    with progress() as step:
        expect_backbone(backbone)
        from eyespot.tasks.classification.teach import teach
        from eyespot.tasks.task import load

        collection = columns.open(photos, least_classes=1 if onto else 2)
        check_outputs([output, page], [photos], collection.photos)
        check_outputs([page], [onto] if onto else [])
        taught = teach(
            collection,
            method=method,
            budget=budget,
            backbone=backbone,
            onto=load(onto) if onto else None,
            forget_photos=forget_photos,
            progress=step,
        )
        taught.save(output)
        taught.report(page)
    if as_json:
        print_json({**summary(taught), "classifier": str(output), "report": str(page)})
        return
    print_taught(taught, photos, verbose=verbose)
    print_written(output, page)


def print_written(classifier: Path, page: Path) -> None:
    """Print the files of a taught classifier, and the command to use it."""
    say(f"\nWrote {classifier} ({classifier.stat().st_size / 1e6:.1f} MB) and {page}")
    say(f"Next  {command()} predict PHOTO -m {classifier}")


def summary(taught: "TeachResult") -> dict[str, Any]:
    """The JSON of a taught classifier."""
    return {
        "classes": list(taught.classifier.classes),
        "photos": len(taught.features),
        "skipped": [asdict(one) for one in taught.skipped],
        "duplicates": [
            [taught.features.names[index] for index in group]
            for group in (*taught.duplicates.exact, *taught.duplicates.near)
        ],
        "findings": [finding.to_dict() for finding in taught.findings],
        "label_issues": [
            {
                "path": taught.features.names[s.index],
                "label": taught.classifier.classes[taught.labels[s.index]],
                "suggested": taught.classifier.classes[s.suggested],
                "confidence": s.confidence,
            }
            for s in taught.label_issues
        ],
        "method": taught.method,
        "reason": taught.reason,
        "advice": taught.advice,
        "evaluated_on": taught.evaluated_on,
        **taught.evaluation.to_dict(),
        "candidates": [asdict(one) for one in taught.candidates],
        "omitted": [asdict(one) for one in taught.omitted],
        "learning_curve": taught.learning_curve.to_dict() if taught.learning_curve else None,
        "rejection": taught.rejection.to_dict(),
        "seconds": taught.seconds,
        "photos_per_second": taught.photos_per_second,
    }
