"""The training loop.

Everything that is left to chance in a step is drawn from a generator that is set to the plan's
seed and the number of the step. So a run that was killed and goes on from its checkpoint is, bit by
bit, the run that was never stopped.
"""

import math
import time
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from eyespot.data.transforms import Preprocessing
from eyespot.errors import TrainingError, UsageError
from eyespot.models import registry
from eyespot.models.convnet import ConvNet
from eyespot.progress import Progress
from eyespot.training.augment import cut_and_mixed, find_augmentation, mixed
from eyespot.training.checkpoint import read_checkpoint, restore, write_checkpoint
from eyespot.training.initialise import initialise
from eyespot.training.judged import judged, standardised
from eyespot.training.losses import LOSSES, as_targets
from eyespot.training.optimisers import make_optimiser, penalty, renorm
from eyespot.training.pictures import Pictures
from eyespot.training.plan import Plan
from eyespot.training.precision import fastest, precise
from eyespot.training.records import Epoch, Record
from eyespot.training.schedules import factor

LAST, BEST = "last.safetensors", "best.safetensors"
AUXILIARY_WEIGHT = 0.3
"""Of the losses of classifiers half way (Szegedy et al. 2015, section 5)."""


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


class Trainer:
    """A network, its optimiser, and where the run stands."""

    def __init__(self, plan: Plan, learn: Pictures, device: torch.device | None = None) -> None:
        about = registry.find(plan.model)
        if about.dataset == "faces":
            raise UsageError(
                f"{plan.model} finds faces; it does not tell classes apart. Choose another "
                "network, such as resnet20; all are listed by: eyespot zoo"
            )
        self.learn = learn
        self.device = device or best_device()
        if plan.precision == "auto":
            plan = replace(plan, precision=fastest(self.device))
        self.plan = plan
        self.augmentation = find_augmentation(plan.augmentation)
        if plan.loss not in LOSSES:
            raise UsageError(f"There is no loss '{plan.loss}'. Choose one of: {', '.join(LOSSES)}.")
        self.loss = LOSSES[plan.loss]
        torch.manual_seed(plan.seed)
        channels = learn.images.shape[3]
        network = registry.create(plan.model, num_classes=len(learn.classes), in_channels=channels)
        initialise(network, plan.initialisation)
        if plan.dropout is not None:
            for module in network.modules():
                if isinstance(module, nn.Dropout):
                    module.p = plan.dropout
        self.network = network.to(self.device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.preprocessing = standardising(about.preprocessing.size, learn)
        self.optimiser = make_optimiser(network, plan)
        self.averaged = deepcopy(self.network) if plan.average else None
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

    def batch_of(self, step: int) -> NDArray[np.int64]:
        """Which pictures the step takes: every epoch has its own order, each picture once.

        Batches of one epoch differ by one picture at most; a single one left over at the end would
        have no statistics for batch norm.
        """
        count, steps = len(self.learn), self.steps_per_epoch
        epoch, within = divmod(step, steps)
        order = _order(self.plan.seed, epoch, count)
        return order[within * count // steps : (within + 1) * count // steps]

    def train_step(self) -> float:
        """One step: the mean loss over the batch.

        Raises TrainingError if the loss is no finite number; the weights are then as before.
        """
        plan = self.plan
        torch.manual_seed(plan.seed * 1_000_003 + self.step)
        rate = plan.learning_rate * factor(
            plan.schedule, self.step, self.steps, self.steps_per_epoch, plan.warmup
        )
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.network.train()
        self.optimiser.zero_grad(set_to_none=True)
        index = self.batch_of(self.step)
        total, right = 0.0, 0
        for part in np.array_split(index, min(plan.accumulate, len(index))):
            loss, hits = self._loss_of(part)
            share = len(part) / len(index)
            (loss * share).backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach()) * share
            right += hits
        if not math.isfinite(total):
            raise TrainingError(
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
        self.running = self.running.plus(total, right, len(index))
        return total

    def _loss_of(self, index: NDArray[np.int64]) -> tuple[Tensor, int]:
        plan = self.plan
        images, labels = self.learn.batch(index)
        pixels = self.augmentation(images, self.preprocessing.size)
        targets = as_targets(labels, len(self.learn.classes), plan.label_smoothing)
        if plan.mixup:
            pixels, targets = mixed(pixels, targets, plan.mixup)
        if plan.cutmix:
            pixels, targets = cut_and_mixed(pixels, targets, plan.cutmix)
        targets, labels = targets.to(self.device), labels.to(self.device)
        with precise(plan.precision, self.device):
            x = standardised(pixels.to(self.device), self.preprocessing)
            maps = self.network.forward_features(x)
            logits = self.network.forward_head(list(maps.values())[-1])
            loss = self.loss(logits, targets)
            if (auxiliary := getattr(self.network, "auxiliary", None)) is not None:
                for half_way in auxiliary(maps):
                    loss = loss + AUXILIARY_WEIGHT * self.loss(half_way, targets)
        if plan.l1:
            loss = loss + plan.l1 * penalty(self.network)
        return loss, int((logits.detach().argmax(1) == labels).sum())

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
        """Write a checkpoint; `whole` with all that is needed to go on."""
        facts = {
            "plan": self.plan.to_dict(),
            "classes": list(self.learn.classes),
            "preprocessing": self.preprocessing.to_dict(),
            "step": self.step,
            "running": asdict(self.running),
            "best": self.best,
            "stale": self.stale,
        }
        optimiser = self.optimiser if whole else None
        write_checkpoint(path, facts, self.network, self.average, optimiser)

    def go_on(self, path: Path) -> None:
        """Take up the run that wrote `path`. Raises TrainingError if it was another one."""
        checkpoint = read_checkpoint(path)
        facts = checkpoint.facts
        if facts["plan"] != self.plan.to_dict() or facts["classes"] != list(self.learn.classes):
            raise TrainingError(
                f"{path} is of a run with other settings or classes. Train into another folder, "
                "or delete it to begin anew."
            )
        restore(checkpoint, path, self.network, self.average, self.optimiser)
        self.step, self.running = facts["step"], Running(**facts["running"])
        self.best, self.stale = facts["best"], facts["stale"]


def train(
    plan: Plan,
    learn: Pictures,
    val: Pictures | None,
    folder: Path,
    *,
    every: int = 0,
    progress: Progress = lambda stage, done, total: None,
    watch: Callable[[Sequence[Epoch]], None] = lambda epochs: None,
) -> Trained:
    """Train as `plan` says, or go on where a run in `folder` was stopped.

    `val` decides which weights are best and when to stop, and is never trained on. `folder` gets
    `last.safetensors` after every epoch (and every `every` steps), `best.safetensors`, and
    the run's record. `watch` gets all epochs so far at the start and after every epoch. Raises
    UsageError, TrainingError.
    """
    if plan.precision == "auto" and (folder / LAST).exists():  # it may be of another machine
        plan = replace(plan, precision=read_checkpoint(folder / LAST).facts["plan"]["precision"])
    trainer = Trainer(plan, learn)
    folder.mkdir(parents=True, exist_ok=True)
    last, best = folder / LAST, folder / BEST
    if last.exists():
        trainer.go_on(last)
    with Record(folder, trainer.step) as record:
        watch(record.epochs)
        while trainer.step < trainer.steps and not (
            plan.patience and trainer.stale > plan.patience
        ):
            epoch = _one_epoch(trainer, val, last, every, progress)
            record.add(epoch)
            value = epoch.val_accuracy
            better = value is None or trainer.best is None or value > trainer.best
            trainer.stale = 0 if better else trainer.stale + 1
            if better:
                trainer.best = value
                trainer.keep(best, whole=False)
            trainer.keep(last, whole=True)
            watch(record.epochs)
    kept = read_checkpoint(best)
    trainer.network.load_state_dict(kept.part("average") or kept.part("model"))
    return Trained(
        trainer.network.eval(), trainer.plan, trainer.preprocessing, learn.classes, tuple(record.epochs)
    )


def _one_epoch(
    trainer: Trainer, val: Pictures | None, last: Path, every: int, progress: Progress
) -> Epoch:
    start, number = time.perf_counter(), trainer.step // trainer.steps_per_epoch
    end = (number + 1) * trainer.steps_per_epoch
    while trainer.step < end:
        trainer.train_step()
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


def standardising(side: int, pictures: Pictures) -> Preprocessing:
    """What brings the pictures to mean 0 and deviation 1 in each channel (of a sample of them)."""
    sample = pictures.images[:: max(1, len(pictures) // 5000)].reshape(-1, pictures.images.shape[3])
    mean = np.broadcast_to(sample.mean(0, dtype=np.float64), 3).tolist()
    std = np.broadcast_to(sample.std(0, dtype=np.float64).clip(min=1), 3).tolist()
    return Preprocessing(
        side, (mean[0], mean[1], mean[2]), (std[0], std[1], std[2]), crop_fraction=1.0
    )


def best_device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
