"""The training loop.

Everything that is left to chance in a step is drawn from a generator that is set to the plan's
seed and the number of the step. So a run that was killed and goes on from its checkpoint is, bit by
bit, the run that was never stopped.

Several processes take the same steps together. Each computes its share of every batch, as it would
look in one process, and their gradients are averaged.
"""

import math
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from eyespot.data.transforms import Preprocessing
from eyespot.errors import NonFiniteError, TrainingError, UsageError
from eyespot.models.convnet import ConvNet
from eyespot.progress import Progress
from eyespot.training import processes
from eyespot.training.augment import cut_and_mixed, find_augmentation, mixed
from eyespot.training.batch_norm import share_batch_norms
from eyespot.training.checkpoint import (
    BEST,
    LAST,
    Checkpoint,
    load_weights,
    read_checkpoint,
    restore,
    write_checkpoint,
)
from eyespot.training.compiling import compile_module
from eyespot.training.initialise import initialise
from eyespot.training.judged import judged, standardised
from eyespot.training.losses import LOSSES, as_targets
from eyespot.training.optimisers import make_optimiser, penalty, renorm
from eyespot.training.pictures import Pictures
from eyespot.training.plan import Plan
from eyespot.training.precision import fastest, keep_depthwise_exact, precise
from eyespot.training.records import LOG, Epoch, Record
from eyespot.training.schedules import factor
from eyespot.weights import zoo

PHOTOS = "photos or --held-out"
"""What differs where a fingerprint does."""
AUXILIARY_WEIGHT = 0.3
"""Of the losses of classifiers half way (Szegedy et al. 2015, section 5)."""
SAMPLE = 2**28
"""Bytes of the pictures from which mean and deviation are taken, at most."""
PIECE = 128
"""Pictures that are augmented at once. A process that has a share of a piece augments all of it, to
draw what the others draw."""


@dataclass(frozen=True, slots=True)
class Running:
    """Sums over the pictures of an epoch so far."""

    loss: float = 0.0
    right: int = 0
    seen: int = 0

    def plus(self, loss: float, right: int, count: int) -> "Running":
        return Running(self.loss + loss * count, self.right + right, self.seen + count)


@dataclass(frozen=True)
class Trained:
    """`network`: the best that validation found (the last without validation), ready to answer."""

    network: ConvNet
    plan: Plan
    preprocessing: Preprocessing
    classes: tuple[str, ...]
    epochs: tuple[Epoch, ...]


class _Objective(nn.Module):
    """From pixels and targets to the loss and the logits: one module, as the gradients of one
    module are averaged over processes while they are computed."""

    def __init__(self, network: ConvNet, plan: Plan, preprocessing: Preprocessing) -> None:
        super().__init__()
        self.network = network
        self.plan = plan
        self.preprocessing = preprocessing

    def forward(self, pixels: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        loss_of = LOSSES[self.plan.loss]
        with precise(self.plan.precision, pixels.device):
            maps = self.network.forward_features(standardised(pixels, self.preprocessing))
            logits = self.network.forward_head(list(maps.values())[-1])
            loss = loss_of(logits, targets)
            if (auxiliary := getattr(self.network, "auxiliary", None)) is not None:
                for half_way in auxiliary(maps):
                    loss = loss + AUXILIARY_WEIGHT * loss_of(half_way, targets)
        if self.plan.l1:
            loss = loss + self.plan.l1 * penalty(self.network)
        return loss, logits


class Trainer:
    """A network, its optimiser, and where the run stands. `photos`: a fingerprint of those that
    the pictures are of; a run only goes on with the same."""

    def __init__(
        self, plan: Plan, learn: Pictures, device: torch.device | None = None, photos: str = ""
    ) -> None:
        about = zoo.find(plan.model)
        if about.dataset == "faces":
            raise UsageError(
                f"{plan.model} finds faces; it does not tell classes apart. Choose another "
                "network, such as resnet20; all are listed by: eyespot zoo"
            )
        self.learn = learn
        self.photos = [photos, len(learn)]  # unreadable ones are not among the pictures
        self.device = device or best_device()
        if plan.precision == "auto":
            plan = replace(plan, precision=processes.from_first(lambda: fastest(self.device)))
        self.plan = plan
        self.augmentation = find_augmentation(plan.augmentation)
        if plan.loss not in LOSSES:
            raise UsageError(f"There is no loss '{plan.loss}'. Choose one of: {', '.join(LOSSES)}.")
        self.loss = LOSSES[plan.loss]
        torch.manual_seed(plan.seed)
        channels = learn.images.shape[3]
        network = zoo.create(plan.model, num_classes=len(learn.classes), in_channels=channels)
        initialise(network, plan.initialisation)
        if plan.dropout is not None:
            for module in network.modules():
                if isinstance(module, nn.Dropout):
                    module.p = plan.dropout
        self.network = network.to(self.device)
        if self.device.type == "cpu":
            keep_depthwise_exact(self.network)
        if processes.count() > 1:
            share_batch_norms(self.network, self.device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.preprocessing = processes.from_first(
            lambda: preprocessing_for(about.preprocessing.size, learn, plan.normalisation)
        )
        self.optimiser = make_optimiser(network, plan)
        self.averaged = deepcopy(self.network) if plan.average else None
        self.objective: nn.Module = _Objective(network, plan, self.preprocessing)
        self.to_compile = plan.compile and compile_module(self.objective, self.device)
        if processes.count() > 1:
            self._check_shares()
            # Of kernels with one channel, which have two right orders in memory.
            warnings.filterwarnings("ignore", "Grad strides do not match")
            self.objective = DistributedDataParallel(self.objective)
        self.step = 0
        self.running = Running()
        self.best: float | None = None
        self.stale = 0

    @property
    def average(self) -> dict[str, Tensor]:
        """The averaged weights themselves, by name; none if the plan does not average."""
        return self.averaged.state_dict() if self.averaged is not None else {}

    @property
    def steps_per_epoch(self) -> int:
        return math.ceil(len(self.learn) / self.plan.batch_size)

    @property
    def steps(self) -> int:
        return self.steps_per_epoch * self.plan.epochs

    @property
    def over(self) -> bool:
        """Whether there is nothing left to do."""
        return self.stopped_early or self.step >= self.steps

    @property
    def stopped_early(self) -> bool:
        """Whether `patience` epochs in a row, and no more, validated no better than the best."""
        return 0 < self.plan.patience <= self.stale and self.step < self.steps

    def batch_of(self, step: int) -> NDArray[np.int64]:
        """Which pictures the step takes: every epoch has its own order, each picture once.

        Batches of one epoch differ by one picture at most; a single one left over at the end would
        have no statistics for batch norm.
        """
        count, steps = len(self.learn), self.steps_per_epoch
        epoch, within = divmod(step, steps)
        order = _order(self.plan.seed, epoch, count)
        return order[within * count // steps : (within + 1) * count // steps]

    def _check_shares(self) -> None:
        smallest = len(self.learn) // self.steps_per_epoch // self.plan.accumulate
        if smallest < 2 * processes.count():
            raise UsageError(
                f"Expected two pictures or more of each part of a batch for each of "
                f"{processes.count()} processes, and some parts have {smallest}. Start fewer "
                "processes, or choose a larger --batch-size or a smaller --accumulate."
            )

    def train_step(self) -> float:
        """One step: the mean loss over the batch.

        Raises NonFiniteError if the loss is no finite number; the weights are then as before.
        """
        plan = self.plan
        rate = plan.learning_rate * factor(
            plan.schedule, self.step, self.steps, self.steps_per_epoch, plan.warmup
        )
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.network.train()
        self.optimiser.zero_grad(set_to_none=True)
        sums = [0.0, 0.0]
        self._read_ahead()
        parts = self._parts(self.step)
        batch = sum(map(len, parts))
        for number, part in enumerate(parts):
            with self._gradients_apart(number < len(parts) - 1):
                loss, hits, count = self._loss_of(part, number)
                share = count / batch
                # Gradients are averaged over processes, and are to be those of the batch's mean.
                (loss * share * processes.count()).backward()  # type: ignore[no-untyped-call]
            sums = [sums[0] + float(loss.detach()) * share, sums[1] + hits]
        total, right = processes.total(sums)
        if not math.isfinite(total):
            raise NonFiniteError(
                f"The loss is {total} at step {self.step}, with a learning rate of {rate:.3g}. "
                "Train with a smaller --learning-rate, with --warmup or with --clip 1."
            )
        if plan.clip:
            nn.utils.clip_grad_norm_(self.network.parameters(), plan.clip)
        self.optimiser.step()
        if plan.max_norm:
            renorm(self.network, plan.max_norm)
        if plan.average:
            self._average_weights()
        self.step += 1
        self.running = self.running.plus(total, int(right), batch)
        return total

    def _parts(self, step: int) -> list[NDArray[np.int64]]:
        """The pictures of a step, in the parts that they are computed in."""
        index = self.batch_of(step)
        return np.array_split(index, min(self.plan.accumulate, len(index)))

    def _read(self, count: int) -> slice:
        """Of the `count` pictures of a part those that this process reads: its share, or all if
        others' pictures are mixed into its own."""
        mixing = self.plan.mixup or self.plan.cutmix
        return slice(0, count) if mixing else processes.share(count)

    def _read_ahead(self) -> None:
        """Announce the pictures of this step and the next, which are read meanwhile."""
        for step in range(self.step, min(self.step + 2, self.steps)):
            for part in self._parts(step):
                self.learn.order(part[self._read(len(part))])

    def _gradients_apart(self, apart: bool) -> AbstractContextManager[object]:
        """Where processes do not average their gradients yet, if these are to be `apart`."""
        if apart and isinstance(self.objective, DistributedDataParallel):
            return self.objective.no_sync()
        return nullcontext()

    def _loss_of(self, part: NDArray[np.int64], number: int) -> tuple[Tensor, int, int]:
        """Of this process's share of a part of the batch: the mean loss, how many are right, and
        how many there are."""
        plan, mine, read = self.plan, processes.share(len(part)), self._read(len(part))
        pixels, labels = self._seen(part, number, read)
        targets = as_targets(labels, len(self.learn.classes), plan.label_smoothing)
        self._leave_to_chance(number, 1)
        if plan.mixup:
            pixels, targets = mixed(pixels, targets, plan.mixup)
        if plan.cutmix:
            pixels, targets = cut_and_mixed(pixels, targets, plan.cutmix)
        if read != mine:
            pixels, targets, labels = pixels[mine], targets[mine], labels[mine]
        self._leave_to_chance(number, 2, processes.rank())
        loss, logits = self.objective(pixels.to(self.device), targets.to(self.device))
        hits = int((logits.detach().argmax(1) == labels.to(self.device)).sum())
        return loss, hits, len(labels)

    def _seen(self, part: NDArray[np.int64], number: int, wanted: slice) -> tuple[Tensor, Tensor]:
        """The `wanted` pictures of a part as they are trained on, float32 [n, C, S, S], and their
        labels, int64 [n]. They do not depend on which others are wanted."""
        pixels, labels = [], []
        for start in range(0, len(part), PIECE):
            piece = part[start : start + PIECE]
            first, end = max(wanted.start - start, 0), min(wanted.stop - start, len(piece))
            if first >= end:
                continue
            # One that is wanted stands for each that is not: it need not be read.
            read = piece[np.arange(len(piece)).clip(first, end - 1)]
            self._leave_to_chance(number, 0, start)
            images, truth = self.learn.batch(read)
            pixels.append(self.augmentation(images, self.preprocessing.size)[first:end])
            labels.append(truth[first:end])
        return torch.cat(pixels), torch.cat(labels)

    def _leave_to_chance(self, *what: int) -> None:
        """Draw what follows by the plan's seed, the step, and `what` it is."""
        seeds = np.random.SeedSequence((self.plan.seed, self.step, *what))
        torch.manual_seed(int(seeds.generate_state(1, np.uint64)[0]))

    @torch.no_grad()
    def _average_weights(self) -> None:
        """A running average that forgets the beginning faster while there is little of it."""
        decay = min(self.plan.average, (1 + self.step) / (10 + self.step))
        average = self.average
        for name, value in self.network.state_dict().items():
            if value.dtype.is_floating_point:
                average[name].lerp_(value, 1 - decay)
            else:
                average[name].copy_(value)

    def validate(self, pictures: Pictures) -> tuple[float, float]:
        """Mean loss and accuracy of what would be kept (the averaged weights, if there are any)."""
        return judged(self.averaged or self.network, pictures, self.preprocessing, self.plan)

    # --- the state, kept and found again ---------------------------------------------------

    def keep(self, path: Path, *, whole: bool) -> None:
        """Write a checkpoint; `whole` with all that is needed to go on. The first process does.

        Raises NonFiniteError if a weight is no finite number, TrainingError if it cannot be
        written; an older file is then as it was.
        """
        values = self.network.state_dict().values()
        if not all(bool(value.isfinite().all()) for value in values):
            raise NonFiniteError(
                f"Weights are no finite numbers after step {self.step}; what was last kept is as "
                "it was. Train with a smaller --learning-rate, with --warmup or with --clip 1."
            )
        if processes.rank():
            return
        facts = {
            "plan": self.plan.to_dict(),
            "classes": list(self.learn.classes),
            "photos": self.photos,
            "preprocessing": self.preprocessing.to_dict(),
            "step": self.step,
            "running": asdict(self.running),
            "best": self.best,
            "stale": self.stale,
        }
        optimiser = self.optimiser if whole else None
        write_checkpoint(path, facts, self.network, self.average, optimiser)

    def go_on(self, checkpoint: Checkpoint, path: Path) -> None:
        """Take up the run that wrote this to `path`. Raises TrainingError if it was another one."""
        facts = checkpoint.facts
        now = {**self.plan.to_dict(), "classes": list(self.learn.classes), PHOTOS: self.photos}
        # What states of an older version do not tell yet was as it is by default.
        plan = {**Plan(self.plan.model).to_dict(), **facts["plan"]}
        before = {**plan, "classes": facts["classes"], PHOTOS: facts.get("photos")}
        if other := [name for name in now if now[name] != before.get(name)]:
            raise TrainingError(
                f"{path} is of a run with other settings, classes or photos ({', '.join(other)}). "
                "Train into another folder, or delete it to begin anew."
            )
        restore(checkpoint, path, self.network, self.average, self.optimiser)
        self.step, self.running = facts["step"], Running(**facts["running"])
        self.best, self.stale = facts["best"], facts["stale"]
        # Within an epoch, its figures so far are needed.
        if self.step > self.steps or (self.step % self.steps_per_epoch and not self.running.seen):
            raise TrainingError(
                f"{path} is at a step that its run does not have. Delete it to begin anew."
            )


def train(
    plan: Plan,
    learn: Pictures,
    val: Pictures | None,
    folder: Path,
    *,
    every: int = 0,
    photos: str = "",
    progress: Progress = lambda stage, done, total: None,
    watch: Callable[[Sequence[Epoch]], None] = lambda epochs: None,
) -> Trained:
    """Train as `plan` says, or go on where a run in `folder` was stopped.

    `val` decides which weights are best and when to stop, and is never trained on. `photos`: the
    `fingerprint` of what the pictures are of; a run with another is refused. `folder` gets
    `last.safetensors` after every epoch (and every `every` steps), `best.safetensors`, and
    the run's record. `progress` is told at the start where the run stands, done of as many if
    nothing is left to do. `watch` gets all epochs so far at the start and after every epoch. Raises
    UsageError, TrainingError.
    """
    first = processes.rank() == 0
    last, best = folder / LAST, folder / BEST
    kept = processes.from_first(lambda: read_checkpoint(last) if last.exists() else None)
    if kept and plan.precision == "auto":  # it may be of another machine
        plan = replace(plan, precision=kept.facts["plan"]["precision"])
    trainer = Trainer(plan, learn, photos=photos)
    if kept:
        trainer.go_on(kept, last)
        if first and trainer.step >= trainer.steps_per_epoch:
            read_checkpoint(best)  # to fail now, not after hours
    if first:
        folder.mkdir(parents=True, exist_ok=True)
    with Record(folder, trainer.step) if first else nullcontext() as record:
        progress("Training", trainer.step, trainer.step if trainer.over else trainer.steps)
        if record:
            if trainer.over and not record.epochs:
                raise TrainingError(
                    f"The run in {folder} is over, but its record, {LOG}, is not there. Delete "
                    f"{last} to begin anew."
                )
            watch(record.epochs)
        while not trainer.over:
            epoch = _one_epoch(trainer, val, last, every, progress)
            value = epoch.val_accuracy
            better = value is None or trainer.best is None or value > trainer.best
            trainer.stale = 0 if better else trainer.stale + 1
            if record:
                record.add(replace(epoch, stopped_early=trainer.stopped_early))
            if better:
                trainer.best = value
                trainer.keep(best, whole=False)
            trainer.keep(last, whole=True)
            if record:
                watch(record.epochs)
    load_weights(processes.from_first(lambda: read_checkpoint(best)), best, trainer.network)
    epochs = processes.from_first(lambda: tuple(record.epochs) if record else ())
    return Trained(
        trainer.network.eval(), trainer.plan, trainer.preprocessing, learn.classes, epochs
    )


def _one_epoch(
    trainer: Trainer, val: Pictures | None, last: Path, every: int, progress: Progress
) -> Epoch:
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
            trainer.keep(last, whole=True)
    val_loss, val_accuracy = trainer.validate(val) if val is not None else (None, None)
    running, trainer.running = trainer.running, Running()
    return Epoch(
        epoch=number + 1,
        step=trainer.step,
        learning_rate=trainer.optimiser.param_groups[0]["lr"],
        loss=running.loss / running.seen,
        accuracy=running.right / running.seen,
        val_loss=val_loss,
        val_accuracy=val_accuracy,
        pictures=running.seen,
        val_pictures=len(val) if val is not None else 0,
        seconds=time.perf_counter() - start,
    )


@lru_cache(maxsize=2)
def _order(seed: int, epoch: int, count: int) -> NDArray[np.int64]:
    return np.random.default_rng((seed, epoch)).permutation(count)


def preprocessing_for(side: int, pictures: Pictures, normalisation: str) -> Preprocessing:
    """What brings the pixels to mean 0 (each channel's own, or all of them together), and to
    deviation 1 if they are to be "standardised"; by a sample of the pictures."""
    count = min(5000, SAMPLE // math.prod(pictures.images.shape[1:]))
    every = np.arange(0, len(pictures), max(1, len(pictures) // count))
    sample = pictures.take(every).images.reshape(-1, pictures.images.shape[3])
    means, deviations = sample.mean(0, dtype=np.float64), np.ones(1)
    if normalisation == "mean":
        means = means.mean(keepdims=True)
    if normalisation == "standardised":
        deviations = sample.std(0, dtype=np.float64).clip(min=1)
    mean, std = (np.broadcast_to(values, 3).tolist() for values in (means, deviations))
    return Preprocessing(
        side, (mean[0], mean[1], mean[2]), (std[0], std[1], std[2]), crop_fraction=1.0
    )


def best_device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
