"""`eyespot tune`."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eyespot.cli.columns import LabelColumn, PathColumn, SplitColumn, open_labelled
from eyespot.cli.outputs import check_folder
from eyespot.cli.show import counted, print_findings, print_json, printable, progress, say
from eyespot.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from eyespot.tasks.classification.tune import Search, Trial
    from eyespot.training.plan import Plan


def tune(
    photos: Annotated[Path, typer.Argument(help="Labelled photos, as for teach.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The folder of the search.")],
    model: Annotated[str, typer.Option(help="A network of the zoo.")] = "resnet20",
    trials: Annotated[int, typer.Option(help="Settings to try.")] = 20,
    budget: Annotated[float, typer.Option(help="Seconds after which it stops; 0 for none.")] = 0.0,
    epochs: Annotated[int, typer.Option(help="Passes over the pictures, in a trial.")] = 10,
    batch_size: Annotated[int, typer.Option(help="Pictures in a step.")] = 128,
    optimiser: Annotated[str, typer.Option(help="sgd, adam or adamw.")] = "sgd",
    precision: Annotated[str, typer.Option(help="auto, fp32 or bf16.")] = "auto",
    held_out: Annotated[
        float, typer.Option(help="Part that validates, where the photos do not say which.")
    ] = 0.1,
    mirror: Annotated[
        bool,
        typer.Option(
            "--mirror",
            help="Also try mirrored photos: not for digits, letters, hands or sides.",
        ),
    ] = False,
    seed: Annotated[int, typer.Option(help="Random seed, up to 2**64 - 1.")] = 0,
    path_column: PathColumn = None,
    label_column: LabelColumn = None,
    split_column: SplitColumn = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")] = False,
) -> None:
    """Search for settings to train with. The same command goes on with a search that was stopped.

    Example: eyespot tune mnist/ --model lenet5 --epochs 3 --trials 20 -o search
    """
    from dataclasses import asdict

    from eyespot.tasks.classification.tune import tune
    from eyespot.training.plan import Plan

    if not 0 < held_out < 1:
        raise UsageError("--held-out is a part of the photos: above 0 and less than 1.")
    if budget < 0:
        raise UsageError("--budget is a time in seconds: 0 (no limit) or more.")
    check_folder(output, "study.db")
    plan = Plan(
        model=model,
        epochs=epochs,
        batch_size=batch_size,
        optimiser=optimiser,
        precision=precision,
        seed=seed,
    )
    collection = open_labelled(photos, path_column, label_column, split_column)
    print_findings(collection.findings, sys.stderr)
    with progress() as step:
        found = tune(
            collection,
            plan,
            output,
            trials=trials,
            budget=budget,
            held_out=held_out,
            mirrors=mirror,
            progress=step,
            watch=(lambda trials: None) if as_json else Lines().watch,
        )
    columns = {
        "path-column": path_column,
        "label-column": label_column,
        "split-column": split_column,
    }
    command = _command(photos, found.plan, held_out, columns) if found.plan else None
    if as_json:
        print_json(
            {
                "model": model,
                "trials": [asdict(trial) for trial in found.trials],
                "best": found.best and found.best.number,
                "baseline": found.baseline,
                "command": command,
            }
        )
        return
    if found.best is None or command is None:
        say(f"\n{_nothing(found)}")
    else:
        say(f"\nTrain with the best, trial {found.best.number + 1}:\n{printable(command)}")


def _nothing(found: "Search") -> str:
    """Why no trial is the best, and what to try."""
    from eyespot.evaluation import percent

    if any(trial.state == "complete" for trial in found.trials):
        return (
            f"No trial beat the majority-class baseline, accuracy {percent(found.baseline)} on "
            f"{counted(found.count, 'validation photo')}, so no settings are recommended. Check "
            "photos and labels with: eyespot train PHOTOS --check -o checked. Then search in "
            "another folder with more --epochs, a smaller --batch-size, --optimiser adam or "
            "another --model."
        )
    if found.trials and all(trial.state == "failed" for trial in found.trials):
        return (
            "The loss became NaN or Inf in every trial, so no settings are recommended. Search in "
            "another folder with --optimiser adam, whose learning rates are lower."
        )
    return "No trial was completed. The same command, with more of --budget, goes on."


class Lines:
    """A line a trial, each as soon as the trial is over."""

    def __init__(self) -> None:
        self.printed = 0

    def watch(self, trials: "Sequence[Trial]") -> None:
        from eyespot.tasks.classification.tune import best_trial

        for count in range(self.printed + 1, len(trials) + 1):
            if count == 1:
                say("Trial     Rate    Decay  Smoothing  Epochs   Unseen  Augmentation")
            trial = trials[count - 1]
            best = best_trial(trials[:count]) is trial
            say(_line(trial) + ("  best so far" if best else ""), flush=True)
        self.printed = len(trials)


def _line(trial: "Trial") -> str:
    from eyespot.evaluation import percent

    chosen = trial.settings
    unseen = percent(trial.accuracy, 2) if trial.accuracy is not None else "no loss"
    given_up = "  given up" if trial.state == "pruned" else ""
    return (
        f"{trial.number + 1:5}  {chosen['learning_rate']:7.2g}  {chosen['weight_decay']:7.2g}  "
        f"{chosen['label_smoothing']:9.2f}  {trial.epochs:6}  {unseen:>7}  "
        f"{chosen['augmentation']}{given_up}"
    )


def _command(
    photos: Path, plan: "Plan", held_out: float, columns: "Mapping[str, str | None]"
) -> str:
    """A line for the shell that trains with the same settings on the same photos."""
    options = {
        "model": plan.model,
        "epochs": plan.epochs,
        "batch-size": plan.batch_size,
        "optimiser": plan.optimiser,
        "lr": f"{plan.learning_rate:.3g}",
        "weight-decay": f"{plan.weight_decay:.3g}",
        "augmentation": plan.augmentation,
        "label-smoothing": f"{plan.label_smoothing:.3g}",
        "precision": plan.precision,
        "held-out": held_out,
        "seed": plan.seed,
        **{name: column for name, column in columns.items() if column is not None},
    }
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    return shlex.join(["eyespot", "train", str(photos), *words, "-o", "network"])
