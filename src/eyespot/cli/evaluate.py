"""`eyespot evaluate`."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from eyespot.cli.figures import accuracy_rows, print_mistakes, print_recalls, skipped_words
from eyespot.cli.imagenet import OnImagenet, evaluate_network, with_imagenet
from eyespot.cli.models import model_file, open_model
from eyespot.cli.options import (
    MODEL_HELP,
    Columns,
    Json,
    Verbose,
    argument,
    models,
    option,
    with_columns,
)
from eyespot.cli.outputs import check_ending, check_outputs
from eyespot.cli.show import print_findings, print_json, print_rows, print_wrote, progress, say
from eyespot.errors import UsageError
from eyespot.shown import counted, percent, percent_interval

if TYPE_CHECKING:
    from eyespot.tasks.classification.classifier import Classifier
    from eyespot.tasks.classification.result import EvaluateResult

MISTAKES = 10
"""Misclassified photos that are printed."""
CLASSES = 20
"""Classes whose recalls are printed without --verbose."""


@with_columns
@with_imagenet
def evaluate(
    photos: Annotated[Path | None, argument("Labelled photos, as for teach.")] = None,
    model: Annotated[str | None, option(MODEL_HELP, "-m", "--model", autocompletion=models)] = None,
    report: Annotated[Path | None, option("The report page to write.")] = None,
    verbose: Verbose = False,
    as_json: Json = False,
    *,
    on: OnImagenet,
    columns: Columns,
) -> None:
    """Measure accuracy on labelled photos, with a 95% CI.

    Example: eyespot evaluate new-photos/ -m pets.eyespot --report pets.html
    """
    if on.imagenet is not None:
        if photos is not None or report is not None:
            raise UsageError("--imagenet names the images: leave out other photos and --report.")
        evaluate_network(on, model, as_json)
        return
    if photos is None or model is None:
        raise UsageError(
            "Name the photos and, with -m, the model: eyespot evaluate new-photos/ -m "
            "pets.eyespot. For a network on ImageNet: eyespot evaluate --imagenet IMAGES"
        )
    if on != OnImagenet():
        raise UsageError("--crops, --scales and --gallery need --imagenet.")
    check_ending(report, ".html", ".htm")
    check_outputs([report], model_file(model))
    with progress() as step:
        from eyespot.tasks.classification.evaluate import evaluate

        classifier = open_model(model)
        collection = columns.open(photos, least_classes=1)
        check_outputs([report], [photos], collection.photos)
        result = evaluate(classifier, collection, progress=step)
        if report:
            result.report(report)
    if as_json:
        print_json(summary(result) | ({"report": str(report)} if report else {}))
        return
    print_evaluated(result, classifier, verbose=verbose)
    if report:
        print_wrote(report)


def summary(result: "EvaluateResult") -> dict[str, Any]:
    """The JSON of an evaluation."""
    return {
        **result.evaluation.to_dict(),
        "rejected": result.rejected,
        "known_photos": list(result.known),
        "findings": [finding.to_dict() for finding in result.findings],
        "skipped": [asdict(one) for one in result.skipped],
        "mistakes": [asdict(one) for one in result.mistakes],
    }


def print_evaluated(
    result: "EvaluateResult", classifier: "Classifier", *, verbose: bool = False
) -> None:
    """Print the figures of an evaluation, and its most confident mistakes."""
    evaluation = result.evaluation
    if result.known:
        known = counted(len(result.known), "photo")
        say(f"Warning: the classifier was trained on {known} of these; the accuracy is inflated.")
    held_out = classifier.training_photos is not None and not result.known
    top5 = ""
    if len(classifier.classes) > 5:
        interval = percent_interval(evaluation.top5_interval)
        top5 = f"{percent(evaluation.top5)}  95% CI {interval}"
    skipped = skipped_words(result.skipped)
    say()
    print_rows(
        [
            ("Photos", f"{evaluation.count:,}" + (f" ({skipped})" if skipped else "")),
            *accuracy_rows(evaluation, "held-out photos" if held_out else "these photos"),
            ("Top-5", top5),
            ("Calibration", f"expected calibration error (ECE) {evaluation.ece:.3f}"),
            ("Unknown", f"{percent(result.rejected)} rejected as none of these"),
            ("Advice", result.advice),
        ]
    )
    if verbose or len(classifier.classes) <= CLASSES:
        print_recalls(evaluation)
    print_mistakes(result, len(result.mistakes) if verbose else MISTAKES)
    if result.findings:
        say()
        print_findings(result.findings)
