"""`eyespot train`."""

import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from eyespot.cli.epochs import watching
from eyespot.cli.options import (
    Columns,
    HeldOut,
    Json,
    LabelledPhotos,
    choice,
    networks,
    option,
    options_of,
    with_columns,
)
from eyespot.cli.outputs import check_folder
from eyespot.cli.show import (
    command,
    print_findings,
    print_json,
    print_rows,
    print_skipped,
    print_wrote,
    progress,
    say,
)
from eyespot.errors import UsageError
from eyespot.shown import counted, percent, printable
from eyespot.training.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eyespot.data.photos import Dataset, Skipped
    from eyespot.tasks.classification.train import Training
    from eyespot.training.log import Epoch

PAGE = "report.html"
PLAN = {
    "model": option("A network of the zoo.", "-m", "--model", autocompletion=networks),
    "epochs": option("Epochs: passes over the training set."),
    "batch_size": option("Photos in a training step."),
    "learning_rate": option("Peak learning rate of the schedule.", "--learning-rate", "--lr"),
    "optimiser": choice("", "sgd", "adam", "adamw"),
    "momentum": option("Nesterov momentum of sgd."),
    "weight_decay": option("Weight decay; none for norms and biases."),
    "schedule": choice(
        "Learning rate schedule: ",
        *("constant", "step", "epoch", "root", "inverse", "exponential", "cosine", "one-cycle"),
    ),
    "warmup": option("Epochs of linear warmup."),
    "loss": choice("", "cross-entropy", "hinge", "squares"),
    "label_smoothing": option("Share spread over all classes."),
    "augmentation": option(
        "none, shift, small, small-erasing, windows, crops or alexnet; added with a +: light, "
        "colour, randaugment, erasing."
    ),
    "mixup": option("Alpha of mixup; blends photos."),
    "cutmix": option("Alpha of cutmix; pastes photos."),
    "dropout": option("Dropout rate.", show_default="the network's"),
    "l1": option("Weight of the L1 penalty.", "--l1"),
    "max_norm": option("Largest norm of a unit's weights."),
    "average": option("Decay of the weights' moving average."),
    "clip": option("Largest gradient norm."),
    "accumulate": option("Gradient accumulation steps in a batch."),
    "patience": option("Epochs without a better validation accuracy before stopping; 0: never."),
    "initialisation": choice("Weight initialisation: ", "default", "gaussian", "xavier", "he"),
    "normalisation": option(
        "Pixels: standardised (mean 0, deviation 1 in each channel), channel-mean (minus each "
        "channel's mean) or mean (minus the mean of all)."
    ),
    "precision": choice("Number format: ", "auto", "fp32", "bf16"),
    "compile": option("Compile the network: minutes, then faster steps.", "--compile"),
    "seed": option("Random seed, up to 2**64 - 1."),
}
"""Options of `train` by field of Plan; `tune` takes some of them."""


@with_columns
@options_of("plan", Plan("resnet20"), PLAN)
def train(
    photos: LabelledPhotos,
    output: Annotated[Path, option("The folder of the training run.", "-o", "--output")],
    *,
    plan: Plan,
    held_out: HeldOut = 0.1,
    every: Annotated[int, option("Steps between checkpoints, besides one after each epoch.")] = 0,
    check: Annotated[bool, option("Check the plan; do not train.", "--check")] = False,
    as_json: Json = False,
    columns: Columns,
) -> None:
    """Train a network from scratch, or resume a training run.

    The same command resumes an interrupted run from its last checkpoint.

    Example: eyespot train mnist/ --model lenet5 --epochs 3 --lr 0.03 -o digits
    """
    if not 0 <= held_out < 1:
        raise UsageError("--held-out is a share of the photos: 0 or more and less than 1.")
    if every < 0:
        raise UsageError("--every is a number of steps: 0 (only after epochs) or more.")
    check_folder(output, "network.safetensors")
    speaks = os.environ.get("RANK", "0") == "0"  # only the first of torchrun's processes prints
    if speaks:
        _warn_of_warmup(plan)
    collection = columns.open(photos)
    if speaks:
        print_findings(collection.findings, sys.stderr)
        _warn_of_no_effect(plan, validated=held_out > 0)
    if not check:
        _train(collection, plan, output, held_out, every, as_json)
    elif speaks:
        check_plan(collection, plan, output, held_out, as_json)


def _warn_of_warmup(plan: Plan) -> None:
    if plan.warmup >= plan.epochs:
        say(
            f"--warmup {plan.warmup:g} takes all of the run ({counted(plan.epochs, 'epoch')}): the "
            f"learning rate never reaches {plan.learning_rate:g}. One epoch is usual, or a few "
            "of many.",
            file=sys.stderr,
        )


def _warn_of_no_effect(plan: Plan, *, validated: bool) -> None:
    """Name the options that were given and change nothing in this plan."""
    from eyespot.training.settings import unused_settings

    default = Plan(plan.model)
    for name, why in unused_settings(plan, validated=validated).items():
        if why and getattr(plan, name) != getattr(default, name):
            option = f"--{name.replace('_', '-')} {getattr(plan, name):g}"
            say(f"{option} has no effect: {why}.", file=sys.stderr)


def check_plan(photos: "Dataset", plan: Plan, folder: Path, held_out: float, as_json: bool) -> None:
    """Check `plan` without training; write the page into `folder`."""
    from eyespot.report.checks import render
    from eyespot.report.html import write_page
    from eyespot.training.checks.run import check_photos

    page = folder / "check.html"
    with progress() as step:
        verdicts = check_photos(photos, plan, held_out=held_out, progress=step)
    write_page(page, render(verdicts, plan))
    if as_json:
        checks = [verdict.to_dict() for verdict in verdicts]
        print_json({"model": plan.model, "checks": checks, "page": str(page)})
        return
    for verdict in verdicts:
        say(f"{'passed ' if verdict.passed else 'warning'}  {verdict.title}: {verdict.summary}.")
        if not verdict.passed:
            say(f"         {verdict.advice}")
    print_wrote(page)


def _train(
    photos: "Dataset", plan: Plan, folder: Path, held_out: float, every: int, as_json: bool
) -> None:
    """Train, write the page after each epoch, and print the result."""
    from eyespot.report.html import write_page
    from eyespot.report.training import render
    from eyespot.tasks.classification.train import train_on
    from eyespot.training.processes import process_group, rank

    page, more = folder / PAGE, {"every": every}
    reported: set[Skipped] = set()

    def watch(epochs: "Sequence[Epoch]") -> None:
        show(epochs)
        if epochs:
            write_page(page, render(plan, epochs, more=more))

    def missed(skipped: "Sequence[Skipped]") -> None:
        print_skipped(dict.fromkeys(one for one in skipped if one not in reported))
        reported.update(skipped)

    try:
        with process_group(), watching(plan, quiet=as_json or rank() > 0) as (step, show):
            done = train_on(
                photos,
                plan,
                folder,
                held_out=held_out,
                every=every,
                progress=step,
                watch=watch,
                missed=missed,
            )
            speaks = rank() == 0
    except KeyboardInterrupt:
        if page.exists():
            say(f"Report  {printable(page)}", file=sys.stderr)
        raise
    if speaks:
        write_page(page, render(done.trained.plan, done.trained.epochs, done, more))
        missed(done.skipped)
        if as_json:
            findings = [finding.to_dict() for finding in photos.findings]
            print_json(summary(done) | {"findings": findings, "report": str(page)})
        else:
            print_trained(done, page)


def summary(done: "Training") -> dict[str, Any]:
    """The JSON of a finished run."""
    from eyespot.tasks.classification.train import CLASSIFIER
    from eyespot.training.log import best_epoch

    epochs = done.trained.epochs
    return {
        "model": done.trained.plan.model,
        "classes": list(done.trained.classes),
        "train_photos": done.train_photos,
        "validated": done.validated,
        "held_out": done.held_out,
        "settings": done.settings,
        "stopped_early": epochs[-1].stopped_early,
        "kept_epoch": (best_epoch(epochs) or epochs[-1]).epoch,
        "tested": done.tested,
        "test_loss": done.test and done.test[0],
        "test_accuracy": done.test and done.test[1],
        "epochs": [asdict(epoch) for epoch in epochs],
        "skipped": [asdict(one) for one in done.skipped],
        "network": str(done.path),
        "classifier": str(done.path.with_name(CLASSIFIER)),
    }


def print_trained(done: "Training", page: Path) -> None:
    """Print the result of a finished run."""
    from eyespot.tasks.classification.train import CLASSIFIER
    from eyespot.training.log import describe_ending

    validation, test = "no photos to validate on", ""
    if done.validated:
        of = "the split val"
        if done.held_out is not None:
            of = f"{percent(done.held_out, 0)} of each class, held out"
        validation = f"{counted(done.validated, 'photo')} to validate on, {of}"
    if done.test:
        test = f"{percent(done.test[1], 2)} on the test set (n = {done.tested:,})"
    say()
    print_rows(
        [
            ("Epochs", describe_ending(done.trained.epochs, done.trained.plan.epochs)),
            ("Photos", f"{counted(done.train_photos, 'photo')} to train on; {validation}"),
            ("Accuracy", test),
        ]
    )
    classifier = done.path.with_name(CLASSIFIER)
    print_wrote(done.path, classifier, page)
    say(f"Next  {command()} predict PHOTO -m {printable(classifier)}")
