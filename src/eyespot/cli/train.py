"""`eyespot train`."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eyespot.cli.check import check_plan
from eyespot.cli.columns import LabelColumn, PathColumn, SplitColumn, open_labelled
from eyespot.cli.epochs import watching
from eyespot.cli.outputs import check_folder
from eyespot.cli.show import command, counted, print_findings, print_json, printable, say
from eyespot.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from eyespot.training.log import Epoch

PAGE = "report.html"


def train(
    photos: Annotated[
        Path,
        typer.Argument(
            help="Labelled photos, as for teach: PHOTOS/<class>/*.jpg, the same in train/, val/ "
            "and test/, a CSV, TSV or JSON table, Parquet, IDX or WebDataset shards (.tar)."
        ),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="The folder for the network and its state.")
    ],
    model: Annotated[str, typer.Option(help="A network of the zoo.")] = "resnet20",
    epochs: Annotated[int, typer.Option(help="Passes over the pictures.")] = 10,
    batch_size: Annotated[int, typer.Option(help="Pictures in a step.")] = 128,
    learning_rate: Annotated[
        float,
        typer.Option(
            "--learning-rate", "--lr", help="The rate at its highest, which the schedule goes by."
        ),
    ] = 0.1,
    optimiser: Annotated[str, typer.Option(help="sgd, adam or adamw.")] = "sgd",
    momentum: Annotated[float, typer.Option(help="Of sgd; with Nesterov's look ahead.")] = 0.9,
    weight_decay: Annotated[float, typer.Option(help="Not on norms and biases.")] = 5e-4,
    schedule: Annotated[
        str,
        typer.Option(
            help="constant, step, epoch, root, inverse, exponential, cosine or one-cycle."
        ),
    ] = "one-cycle",
    warmup: Annotated[float, typer.Option(help="Epochs over which the rate first rises.")] = 0.0,
    loss: Annotated[str, typer.Option(help="cross-entropy, hinge or squares.")] = "cross-entropy",
    label_smoothing: Annotated[float, typer.Option(help="The share that all classes get.")] = 0.0,
    augmentation: Annotated[
        str,
        typer.Option(
            help="none, shift, small, small-erasing, windows, crops or alexnet; and added with a "
            "+: light, colour, randaugment, erasing."
        ),
    ] = "none",
    mixup: Annotated[float, typer.Option(help="Alpha; blends pictures.")] = 0.0,
    cutmix: Annotated[float, typer.Option(help="Alpha; pastes pictures.")] = 0.0,
    dropout: Annotated[float | None, typer.Option(help="Instead of the network's own.")] = None,
    l1: Annotated[float, typer.Option("--l1", help="Weight of the sum of all weights.")] = 0.0,
    max_norm: Annotated[float, typer.Option(help="Largest norm of the weights of a unit.")] = 0.0,
    average: Annotated[float, typer.Option(help="Decay of the average of weights.")] = 0.0,
    clip: Annotated[float, typer.Option(help="Largest norm of a gradient.")] = 0.0,
    accumulate: Annotated[int, typer.Option(help="Parts that a batch is computed in.")] = 1,
    patience: Annotated[
        int,
        typer.Option(
            help="Stop after this many epochs in a row without a better validation accuracy; 0: "
            "never."
        ),
    ] = 0,
    initialisation: Annotated[
        str, typer.Option(help="default, gaussian, xavier or he.")
    ] = "default",
    normalisation: Annotated[
        str,
        typer.Option(
            help="Of the pixels: standardised (mean 0, deviation 1 in each colour), channel-mean "
            "(less each colour's mean) or mean (less that of all)."
        ),
    ] = "standardised",
    precision: Annotated[str, typer.Option(help="auto, fp32 or bf16.")] = "auto",
    compile: Annotated[
        bool, typer.Option("--compile", help="Compile the network: minutes, then faster steps.")
    ] = False,
    held_out: Annotated[
        float, typer.Option(help="Part that validates, where the photos do not say which.")
    ] = 0.1,
    every: Annotated[
        int, typer.Option(help="Steps after which the state is kept, besides after each epoch.")
    ] = 0,
    seed: Annotated[int, typer.Option(help="Random seed, up to 2**64 - 1.")] = 0,
    check: Annotated[bool, typer.Option("--check", help="Check the plan, do not train.")] = False,
    path_column: PathColumn = None,
    label_column: LabelColumn = None,
    split_column: SplitColumn = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")] = False,
) -> None:
    """Train a network from scratch. The same command goes on with a run that was stopped.

    Example: eyespot train mnist/ --model lenet5 --epochs 3 --lr 0.03 -o digits
    """
    from dataclasses import asdict

    from eyespot.data.photos import Skipped
    from eyespot.evaluation import percent
    from eyespot.report.training import write_training
    from eyespot.tasks.classification.train import CLASSIFIER, train_on
    from eyespot.training.log import best_epoch, describe_ending
    from eyespot.training.plan import Plan
    from eyespot.training.processes import process_group, rank
    from eyespot.training.settings import unused_settings

    if not 0 <= held_out < 1:
        raise UsageError("--held-out is a part of the photos: 0 or more and less than 1.")
    check_folder(output, "network.safetensors")
    if every < 0:
        raise UsageError("--every is a number of steps: 0 (only after epochs) or more.")
    plan = Plan(
        model=model,
        epochs=epochs,
        batch_size=batch_size,
        optimiser=optimiser,
        learning_rate=learning_rate,
        momentum=momentum,
        weight_decay=weight_decay,
        l1=l1,
        max_norm=max_norm,
        schedule=schedule,
        warmup=warmup,
        loss=loss,
        label_smoothing=label_smoothing,
        dropout=dropout,
        augmentation=augmentation,
        mixup=mixup,
        cutmix=cutmix,
        average=average,
        clip=clip,
        accumulate=accumulate,
        patience=patience,
        initialisation=initialisation,
        normalisation=normalisation,
        precision=precision,
        compile=compile,
        seed=seed,
    )
    first = os.environ.get("RANK", "0") == "0"  # one of torchrun's processes speaks
    if warmup >= epochs and first:
        say(
            f"--warmup {warmup:g} takes all of the run ({counted(epochs, 'epoch')}): the rate only "
            f"rises, and never gets to {learning_rate:g}. Usual is one epoch, or a few of many.",
            file=sys.stderr,
        )
    collection = open_labelled(photos, path_column, label_column, split_column)
    if first:
        print_findings(collection.findings, sys.stderr)
    for name, why in unused_settings(plan, validated=held_out > 0).items():
        if why and getattr(plan, name) != getattr(Plan(model), name) and first:
            option = f"--{name.replace('_', '-')} {getattr(plan, name):g}"
            say(f"{option} has no effect: {why}.", file=sys.stderr)
    if check:
        if first:
            check_plan(collection, plan, output, held_out, as_json)
        return
    page = output / PAGE
    more = {"every": every}

    def watch(epochs: "Sequence[Epoch]") -> None:
        show(epochs)
        if epochs:
            write_training(page, plan, epochs, more=more)

    told: set[Skipped] = set()

    def missed(skipped: "Iterable[Skipped]") -> None:
        for one in skipped:
            if one not in told:
                told.add(one)
                say(printable(f"Skipped {one.path}: {one.reason}"), file=sys.stderr, flush=True)

    try:
        with process_group(), watching(plan, quiet=as_json or rank() > 0) as (step, show):
            done = train_on(
                collection,
                plan,
                output,
                held_out=held_out,
                every=every,
                progress=step,
                watch=watch,
                missed=missed,
            )
            speaks = rank() == 0
    except KeyboardInterrupt:
        if page.exists():
            say(f"Report   {printable(str(page))}", file=sys.stderr)
        raise
    if not speaks:
        return
    trained = done.trained
    write_training(page, trained.plan, trained.epochs, done, more)
    missed(done.skipped)
    best = best_epoch(trained.epochs)
    if as_json:
        print_json(
            {
                "model": model,
                "classes": list(done.trained.classes),
                "learnt": done.learnt,
                "validated": done.validated,
                "held_out": done.held_out,
                "settings": done.settings,
                "stopped_early": trained.epochs[-1].stopped_early,
                "kept_epoch": (best or trained.epochs[-1]).epoch,
                "tested": done.tested,
                "test_loss": done.test and done.test[0],
                "test_accuracy": done.test and done.test[1],
                "epochs": [asdict(epoch) for epoch in done.trained.epochs],
                "findings": [finding.to_dict() for finding in collection.findings],
                "skipped": [{"path": s.path, "reason": s.reason} for s in done.skipped],
                "network": str(done.path),
                "classifier": str(output / CLASSIFIER),
                "report": str(page),
            }
        )
        return
    say(f"\n{describe_ending(trained.epochs, trained.plan.epochs)}")
    validation = "no photos to validate with"
    if done.validated:
        of = (
            "the split val"
            if done.held_out is None
            else f"{percent(done.held_out, 0)} of each class"
        )
        validation = f"validated on {counted(done.validated, 'photo')}, {of}"
        validation += "" if done.held_out is None else ", held out"
    say(f"Trained on {counted(done.learnt, 'photo')}; {validation}.")
    if done.test is not None:
        say(f"Accuracy {percent(done.test[1], 2)} on the test set (n = {done.tested:,}).")
    classifier = printable(str(output / CLASSIFIER))
    say(f"Network     {printable(str(done.path))}")
    say(f"Classifier  {classifier}")
    say(f"Report      {printable(str(page))}")
    say(f"Try it      {command()} predict PHOTO -m {classifier}")
