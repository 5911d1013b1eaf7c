"""Train a network in a folder, epoch by epoch, or resume an interrupted run."""

import time
from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from eyespot.data.transforms import Preprocessing
from eyespot.errors import TrainingError
from eyespot.models.convnet import ConvNet
from eyespot.progress import Progress
from eyespot.training import processes
from eyespot.training.checkpoint import BEST, LAST, load_weights, read_checkpoint
from eyespot.training.images import ImageSet
from eyespot.training.log import LOG, Epoch, TrainingLog
from eyespot.training.plan import Plan
from eyespot.training.trainer import Running, Trainer


@dataclass(frozen=True)
class Trained:
    """`network`: with the weights of the best epoch (the last without validation), in eval mode."""

    network: ConvNet
    plan: Plan
    preprocessing: Preprocessing
    classes: tuple[str, ...]
    epochs: tuple[Epoch, ...]


def train(
    plan: Plan,
    train_set: ImageSet,
    val_set: ImageSet | None,
    folder: Path,
    *,
    every: int = 0,
    photos: str = "",
    progress: Progress = lambda stage, done, total: None,
    watch: Callable[[Sequence[Epoch]], None] = lambda epochs: None,
) -> Trained:
    """Train by `plan`, or resume the run in `folder`.

    `val_set` selects the best weights and decides early stopping. `folder` gets `last.safetensors`
    after every epoch (and every `every` steps), `best.safetensors` and the log. `photos`: the
    `fingerprint` of the photos; a run with another one is not resumed. `progress` is called at the
    start with the steps done so far, `watch` with all epochs so far at the start and after every
    epoch. Raises UsageError, TrainingError.
    """
    last, best = folder / LAST, folder / BEST
    trainer = _open_trainer(plan, train_set, photos, folder)
    first = processes.rank() == 0
    with closing(TrainingLog(folder, trainer.step)) if first else nullcontext() as log:
        progress("Training", trainer.step, trainer.step if trainer.finished else trainer.steps)
        if log:
            if trainer.finished and not log.epochs:
                raise TrainingError(
                    f"The run in {folder} is finished, but its log, {LOG}, is missing. Delete "
                    f"{last} to start again."
                )
            watch(log.epochs)
        while not trainer.finished:
            epoch = _train_epoch(trainer, val_set, last, every, progress)
            value = epoch.val_accuracy
            better = value is None or trainer.best is None or value > trainer.best
            trainer.stale = 0 if better else trainer.stale + 1
            if log:
                log.add(replace(epoch, stopped_early=trainer.stopped_early))
            if better:
                trainer.best = value
                trainer.save(best, resumable=False)
            trainer.save(last, resumable=True)
            if log:
                watch(log.epochs)
    load_weights(processes.from_first(lambda: read_checkpoint(best)), best, trainer.network)
    epochs = processes.from_first(lambda: tuple(log.epochs) if log else ())
    return Trained(
        trainer.network.eval(), trainer.plan, trainer.preprocessing, train_set.classes, epochs
    )


def _open_trainer(plan: Plan, train_set: ImageSet, photos: str, folder: Path) -> Trainer:
    """A trainer at the state in `folder`, or at step 0; makes the folder."""
    last, first = folder / LAST, processes.rank() == 0
    checkpoint = processes.from_first(lambda: read_checkpoint(last) if last.exists() else None)
    if checkpoint and plan.precision == "auto":  # the run may come from another machine
        plan = replace(plan, precision=checkpoint.facts["plan"]["precision"])
    trainer = Trainer(plan, train_set, photos=photos)
    if checkpoint:
        trainer.resume(checkpoint, last)
        if first and trainer.step >= trainer.steps_per_epoch:
            read_checkpoint(folder / BEST)  # fail now rather than after hours
    if first:
        folder.mkdir(parents=True, exist_ok=True)
    return trainer


def _train_epoch(
    trainer: Trainer, val_set: ImageSet | None, last: Path, every: int, progress: Progress
) -> Epoch:
    """Train to the end of the epoch and validate; a checkpoint in `last` every `every` steps."""
    start, number = time.perf_counter(), trainer.step // trainer.steps_per_epoch
    end = (number + 1) * trainer.steps_per_epoch
    while trainer.step < end:
        if trainer.to_compile:
            progress("Compiling", 0, 1)
        trainer.train_step()
        if trainer.to_compile:
            progress("Compiling", 1, 1)
            trainer.to_compile = False
        progress("Training", trainer.step, trainer.steps)
        if every and trainer.step % every == 0:
            trainer.save(last, resumable=True)
    val_loss, val_accuracy = trainer.validate(val_set) if val_set is not None else (None, None)
    running, trainer.running = trainer.running, Running()
    return Epoch(
        epoch=number + 1,
        step=trainer.step,
        learning_rate=trainer.optimiser.param_groups[0]["lr"],
        loss=running.loss / running.images,
        accuracy=running.correct / running.images,
        val_loss=val_loss,
        val_accuracy=val_accuracy,
        images=running.images,
        val_images=len(val_set) if val_set is not None else 0,
        seconds=time.perf_counter() - start,
    )
