"""`eyespot evaluate`."""

from pathlib import Path
from typing import Annotated

import typer

from eyespot.cli.columns import LabelColumn, PathColumn, SplitColumn, open_labelled
from eyespot.cli.show import (
    bar_of,
    counted,
    print_findings,
    print_json,
    printable,
    progress,
    say,
)
from eyespot.errors import UsageError

SHOWN = 10
"""Misclassified photos that are printed."""


def evaluate(
    photos: Annotated[Path | None, typer.Argument(help="Labelled photos, as for teach.")] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "-m", "--model", help="The classifier to measure; with --imagenet, a network's name."
        ),
    ] = None,
    imagenet: Annotated[
        str | None,
        typer.Option(metavar="PICTURES", help="Labelled pictures of ImageNet: a folder, shards."),
    ] = None,
    crops: Annotated[int, typer.Option(help="Of each picture: 1 or 10.")] = 1,
    scales: Annotated[
        list[int] | None,
        typer.Option("--scales", help="Short side in pixels that is cropped from; again for more."),
    ] = None,
    gallery: Annotated[
        Path | None, typer.Option(help="Write a page of what went wrong.", metavar="FILE")
    ] = None,
    path_column: PathColumn = None,
    label_column: LabelColumn = None,
    split_column: SplitColumn = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")] = False,
) -> None:
    """Measure a classifier on photos it has not seen, or a network on ImageNet.

    Example: eyespot evaluate new-photos/ -m pets.eyespot
    """
    if imagenet is not None:
        if photos is not None:
            raise UsageError("--imagenet names the pictures; leave out the other photos.")
        from eyespot.cli.judge import judge_network

        judge_network(imagenet, model, crops, scales or [], gallery, as_json)
        return
    if photos is None or model is None:
        raise UsageError(
            "Name the photos and, with -m, the classifier: eyespot evaluate new-photos/ "
            "-m pets.eyespot. For a network's own classes: eyespot evaluate --imagenet PICTURES"
        )
    if crops != 1 or scales or gallery:
        raise UsageError("--crops, --scales and --gallery are for --imagenet alone.")
    _examine(Path(model), photos, (path_column, label_column, split_column), as_json)


def _examine(
    model: Path, photos: Path, columns: tuple[str | None, str | None, str | None], as_json: bool
) -> None:
    from eyespot.evaluation import percent, percent_interval, verdict
    from eyespot.tasks.classification.evaluate import evaluate
    from eyespot.tasks.task import load

    classifier = load(model)
    collection = open_labelled(photos, *columns, least_classes=1)
    with progress() as step:
        exam = evaluate(classifier, collection, progress=step)
    evaluation = exam.evaluation
    if as_json:
        print_json(
            {
                **evaluation.to_dict(),
                "rejected": exam.rejected,
                "known_photos": list(exam.known),
                "findings": [finding.to_dict() for finding in exam.findings],
                "skipped": [{"path": s.path, "reason": s.reason} for s in exam.skipped],
                "mistakes": [
                    {
                        "path": m.path,
                        "label": m.label,
                        "predicted": m.predicted,
                        "probability": m.probability,
                    }
                    for m in exam.mistakes
                ],
            }
        )
        return
    if exam.known:
        known = counted(len(exam.known), "photo")
        say(f"Warning: the classifier was trained on {known} of these; the accuracy is inflated.")
    unseen = classifier.training_photos is not None and not exam.known
    words = "held-out photos" if unseen else "these photos"
    say(f"\n{printable(verdict(evaluation, words))}\n")
    width = max(len(score.name) for score in evaluation.per_class)
    for score in evaluation.per_class:
        if score.support:
            say(f"  {printable(score.name):{width}}  {bar_of(score.recall)} of {score.support:,}")
    say(f"\nCalibration error (ECE): {evaluation.ece:.3f}.")
    if len(classifier.classes) > 5:
        interval = percent_interval(evaluation.top5_interval)
        say(f"Top-5 accuracy: {percent(evaluation.top5)} (95% CI {interval}).")
    say(printable(exam.advice))
    shown = exam.mistakes[:SHOWN]
    if exam.mistakes:
        rest = "" if len(shown) == len(exam.mistakes) else "; --json lists every one"
        say(f"Misclassified, the surest {len(shown)} of {len(exam.mistakes):,}{rest}:")
    for mistake in shown:
        say(
            printable(
                f"  {mistake.path}: predicted {mistake.predicted} "
                f"({percent(mistake.probability)}), actual {mistake.label}"
            )
        )
    say(f"{percent(exam.rejected)} would have been answered with none of these.")
    print_findings(exam.findings)
    for skipped in exam.skipped:
        say(printable(f"Skipped {skipped.path}: {skipped.reason}"))
