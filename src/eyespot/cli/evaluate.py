"""`eyespot evaluate`."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from eyespot.cli.figures import print_figures
from eyespot.cli.imagenet import OnImagenet, evaluate_network, with_imagenet
from eyespot.cli.models import model_file, open_model
from eyespot.cli.options import (
    MODEL_HELP,
    Columns,
    Json,
    Verbose,
    argument,
    given,
    models,
    option,
    with_columns,
)
from eyespot.cli.outputs import check_ending, check_outputs
from eyespot.cli.show import print_json, print_wrote, progress
from eyespot.errors import DatasetError, UsageError
from eyespot.shown import printable


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
        opened = open_model(model)
        named = given(evaluate, opened.open, opened, **asdict(columns))
        try:
            collection = opened.open(photos, new=False, **named)
            check_outputs([report], [photos], collection.photos)
            result = opened.evaluate(collection, progress=step)
        except DatasetError:
            _expect_own_annotations(opened, photos)
            raise
        if report:
            result.report(report)
    if as_json:
        print_json(result.to_dict() | ({"report": str(report)} if report else {}))
        return
    print_figures(result.figures(photos, verbose=verbose))
    if report:
        print_wrote(report)


def _expect_own_annotations(model: Any, photos: Path) -> None:
    """Raises UsageError if the annotations are of another task than the model."""
    from eyespot.tasks.task import find_task

    kind, words = find_task(photos)
    if words and not isinstance(model, kind):
        raise UsageError(
            f"{printable(photos)} has {words}, and the model is a {model.noun}. Name a {kind.noun} "
            "with -m."
        )
