"""`eyespot tune`."""

import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from eyespot.cli.options import (
    Columns,
    HeldOut,
    Json,
    LabelledPhotos,
    option,
    options_of,
    with_columns,
)
from eyespot.cli.outputs import check_folder
from eyespot.cli.show import Lines, print_findings, print_json, progress, say
from eyespot.cli.train import PLAN as TRAIN_PLAN
from eyespot.errors import UsageError
from eyespot.shown import counted, percent, printable
from eyespot.training.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eyespot.tasks.classification.tune import Search, Trial


PLAN = ("model", "epochs", "batch_size", "optimiser", "precision", "seed")
"""Settings of all trials."""
SEARCHED = ("learning_rate", "weight_decay", "augmentation", "label_smoothing")


@with_columns
@options_of("plan", Plan("resnet20"), {name: TRAIN_PLAN[name] for name in PLAN})
def tune(
    photos: LabelledPhotos,
    output: Annotated[Path, option("The folder of the search.", "-o", "--output")],
    *,
    plan: Plan,
    trials: Annotated[int, option("Trials to run.")] = 20,
    budget: Annotated[float, option("Seconds for the search; 0: no limit.")] = 0.0,
    held_out: HeldOut = 0.1,
    mirror: Annotated[
        bool,
        option("Also try mirrored photos: not for digits, letters, hands or sides.", "--mirror"),
    ] = False,
    as_json: Json = False,
    columns: Columns,
) -> None:
    """Search for hyperparameters to train a network with.

    The same command resumes an interrupted search.

    Example: eyespot tune mnist/ --model lenet5 --epochs 3 --trials 20 -o search
    """
    if not 0 < held_out < 1:
        raise UsageError("--held-out is a share of the photos: above 0 and less than 1.")
    if budget < 0:
        raise UsageError("--budget is a time in seconds: 0 (no limit) or more.")
    check_folder(output, "study.db")
    with progress() as step:
        from eyespot.tasks.classification.tune import tune

        collection = columns.open(photos)
        print_findings(collection.findings, sys.stderr)
        found = tune(
            collection,
            plan,
            output,
            trials=trials,
            budget=budget,
            held_out=held_out,
            mirrors=mirror,
            progress=step,
            watch=(lambda trials: None) if as_json else trial_lines().watch,
        )
    command = _command(photos, found.plan, held_out, columns) if found.plan else None
    if as_json:
        print_json(
            {
                "model": plan.model,
                "trials": [asdict(trial) for trial in found.trials],
                "best": found.best and found.best.number,
                "baseline": found.baseline,
                "command": command,
            }
        )
    elif found.best is None or command is None:
        say(f"\n{_nothing(found)}")
    else:
        say(f"\nNext  train with the hyperparameters of trial {found.best.number + 1}:")
        say(printable(command))


def _nothing(found: "Search") -> str:
    """Why no trial is the best, and what to try."""
    if any(trial.state == "complete" for trial in found.trials):
        return (
            f"No trial beat the majority-class baseline, accuracy {percent(found.baseline)} on "
            f"{counted(found.count, 'validation photo')}, so no hyperparameters are recommended. "
            "Check photos and labels with: eyespot train PHOTOS --check -o checked. Then search in "
            "another folder with more --epochs, a smaller --batch-size, --optimiser adam or "
            "another --model."
        )
    if found.trials and all(trial.state == "failed" for trial in found.trials):
        return (
            "The loss became NaN or Inf in every trial, so no hyperparameters are recommended. "
            "Search in another folder with --optimiser adam, whose learning rates are lower."
        )
    return "No trial was completed. The same command with a larger --budget resumes the search."


def trial_lines() -> Lines:
    """A line for each trial, as soon as the trial is over."""
    return Lines("Trial       LR    Decay  Smoothing  Epochs  Val acc  Augmentation", _line)


def _line(trials: "Sequence[Trial]") -> str:
    from eyespot.tasks.classification.tune import best_trial

    trial = trials[-1]
    chosen = trial.settings
    accuracy = percent(trial.accuracy, 2) if trial.accuracy is not None else "no loss"
    pruned = "  pruned" if trial.state == "pruned" else ""
    best = "  best so far" if best_trial(trials) is trial else ""
    return (
        f"{trial.number + 1:5}  {chosen['learning_rate']:7.2g}  {chosen['weight_decay']:7.2g}  "
        f"{chosen['label_smoothing']:9.2f}  {trial.epochs:6}  {accuracy:>7}  "
        f"{chosen['augmentation']}{pruned}{best}"
    )


def _command(photos: Path, plan: Plan, held_out: float, columns: Columns) -> str:
    """The shell command that trains with the hyperparameters found, on the same photos."""
    values = {name: getattr(plan, name) for name in (*PLAN, *SEARCHED)} | {"held_out": held_out}
    values |= {name: value for name, value in asdict(columns).items() if value is not None}
    words = ["eyespot", "train", str(photos)]
    for name, value in values.items():
        text = f"{value:.3g}" if isinstance(value, float) else str(value)
        words += [f"--{name.replace('_', '-')}", text]
    return shlex.join([*words, "-o", "network"])
