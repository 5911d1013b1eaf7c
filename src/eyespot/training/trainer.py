"""Take the steps of a training run, and save and resume its state."""

import math
import warnings
from contextlib import nullcontext
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from eyespot.errors import NonFiniteError, TrainingError, UsageError
from eyespot.training import processes
from eyespot.training.batches import Batches
from eyespot.training.checkpoint import Checkpoint, restore, write_checkpoint
from eyespot.training.evaluate import evaluate_network
from eyespot.training.images import ImageSet
from eyespot.training.losses import LOSSES
from eyespot.training.network import (
    Objective,
    best_device,
    build_network,
    compile_module,
    preprocessing_for,
)
from eyespot.training.optimisers import make_optimiser, renorm
from eyespot.training.plan import Plan, choose
from eyespot.training.precision import fastest
from eyespot.training.schedules import factor
from eyespot.weights import zoo

PHOTOS = "photos or --held-out"
"""What differs between runs with other fingerprints, in error messages."""
STABILITY = "Train with a smaller --learning-rate, with --warmup or with --clip 1."


@dataclass(frozen=True, slots=True)
class Running:
    """Sums over the images of an epoch so far."""

    loss: float = 0.0
    correct: int = 0
    images: int = 0

    def plus(self, loss: float, correct: int, count: int) -> "Running":
        return Running(self.loss + loss * count, self.correct + correct, self.images + count)


class Trainer:
    """A network, its optimiser and the state of the run.

    `photos`: fingerprint of the photos of `train_set`; only a run with the same one is resumed.
    Raises UsageError for a network, loss or batch that cannot be trained.
    """

    def __init__(
        self, plan: Plan, train_set: ImageSet, device: torch.device | None = None, photos: str = ""
    ) -> None:
        network = zoo.find(plan.model)
        if network.dataset == "faces":
            raise UsageError(
                f"{plan.model} detects faces and has no classes. Choose another network, such as "
                "resnet20; list all networks with: eyespot zoo"
            )
        self.loss = choose("loss", plan.loss, LOSSES)
        self.device = device or best_device()
        if plan.precision == "auto":
            plan = replace(plan, precision=processes.from_first(lambda: fastest(self.device)))
        side = network.preprocessing.size
        self.plan = plan
        self.train_set = train_set
        self.photos = [photos, len(train_set)]  # without unreadable photos
        self.batches = Batches(plan, train_set, side)
        self.network = build_network(plan, train_set, self.device)
        self.preprocessing = processes.from_first(
            lambda: preprocessing_for(side, train_set, plan.normalisation)
        )
        self.optimiser = make_optimiser(self.network, plan)
        self.averaged = deepcopy(self.network) if plan.average else None
        self.objective: nn.Module = Objective(self.network, plan, self.preprocessing)
        self.to_compile = plan.compile and compile_module(self.objective, self.device)
        if processes.count() > 1:
            # Of kernels with one channel, which have two right orders in memory.
            warnings.filterwarnings("ignore", "Grad strides do not match")
            self.objective = DistributedDataParallel(self.objective)
        self.step = 0
        self.running = Running()
        self.best: float | None = None
        self.stale = 0

    @property
    def average(self) -> dict[str, Tensor]:
        """The averaged weights, by name; empty if the plan does not average."""
        return self.averaged.state_dict() if self.averaged is not None else {}

    @property
    def steps_per_epoch(self) -> int:
        return self.batches.per_epoch

    @property
    def steps(self) -> int:
        return self.steps_per_epoch * self.plan.epochs

    @property
    def finished(self) -> bool:
        return self.stopped_early or self.step >= self.steps

    @property
    def stopped_early(self) -> bool:
        """Whether `patience` epochs in a row validated no better than the best."""
        return 0 < self.plan.patience <= self.stale and self.step < self.steps

    def train_step(self) -> float:
        """Take one step; the mean loss over its batch.

        Raises NonFiniteError if the loss is NaN or Inf; the weights then stay as they were.
        """
        plan = self.plan
        share = factor(plan.schedule, self.step, self.steps, self.steps_per_epoch, plan.warmup)
        rate = plan.learning_rate * share
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.network.train()
        self.optimiser.zero_grad(set_to_none=True)
        loss, correct, count = self._backward()
        if not math.isfinite(loss):
            raise NonFiniteError(
                f"The loss is {loss} at step {self.step}, with a learning rate of {rate:.3g}. "
                + STABILITY
            )
        if plan.clip:
            nn.utils.clip_grad_norm_(self.network.parameters(), plan.clip)
        self.optimiser.step()
        if plan.max_norm:
            renorm(self.network, plan.max_norm)
        if plan.average:
            self._average_weights()
        self.step += 1
        self.running = self.running.plus(loss, correct, count)
        return loss

    def _backward(self) -> tuple[float, int, int]:
        """Add up the gradients of a batch; its mean loss, correct predictions, and size."""
        sums = [0.0, 0.0]
        self.batches.prefetch(range(self.step, min(self.step + 2, self.steps)))
        parts = self.batches.parts(self.step)
        batch = sum(map(len, parts))
        for number, part in enumerate(parts):
            pixels, targets, labels = self.batches.load(part, self.step, number)
            objective, more = self.objective, number < len(parts) - 1
            with (
                objective.no_sync()  # processes average their gradients with the last part alone
                if more and isinstance(objective, DistributedDataParallel)
                else nullcontext()
            ):
                loss, logits = objective(pixels.to(self.device), targets.to(self.device))
                share = len(labels) / batch
                # Processes average their gradients; the result must be the batch's mean.
                (loss * share * processes.count()).backward()
            correct = int((logits.detach().argmax(1) == labels.to(self.device)).sum())
            sums = [sums[0] + float(loss.detach()) * share, sums[1] + correct]
        total, all_correct = processes.total(sums)
        return total, int(all_correct), batch

    @torch.no_grad()
    def _average_weights(self) -> None:
        """Update the running average, with a smaller decay in the first steps."""
        decay = min(self.plan.average, (1 + self.step) / (10 + self.step))
        average = self.average
        for name, value in self.network.state_dict().items():
            if value.dtype.is_floating_point:
                average[name].lerp_(value, 1 - decay)
            else:
                average[name].copy_(value)

    def validate(self, data: ImageSet) -> tuple[float, float]:
        """Mean loss and accuracy of the averaged weights, or else of the network."""
        return evaluate_network(self.averaged or self.network, data, self.preprocessing, self.plan)

    def save(self, path: Path, *, resumable: bool) -> None:
        """Write a checkpoint from the first process; a `resumable` one has the optimiser's state.

        Raises NonFiniteError if weights are NaN or Inf, TrainingError if the file cannot be
        written; an older file then stays as it was.
        """
        values = self.network.state_dict().values()
        if not all(bool(value.isfinite().all()) for value in values):
            raise NonFiniteError(
                f"Weights became NaN or Inf after step {self.step}; the last checkpoint is "
                f"unchanged. {STABILITY}"
            )
        if processes.rank():
            return
        facts = {
            "plan": self.plan.to_dict(),
            "classes": list(self.train_set.classes),
            "photos": self.photos,
            "preprocessing": self.preprocessing.to_dict(),
            "step": self.step,
            "running": asdict(self.running),
            "best": self.best,
            "stale": self.stale,
        }
        optimiser = self.optimiser if resumable else None
        write_checkpoint(path, facts, self.network, self.average, optimiser)

    def resume(self, checkpoint: Checkpoint, path: Path) -> None:
        """Continue the run of the checkpoint in `path`. Raises TrainingError for another run's."""
        facts = checkpoint.facts
        classes = list(self.train_set.classes)
        now = {**self.plan.to_dict(), "classes": classes, PHOTOS: self.photos}
        # Settings that an older version did not write had their defaults.
        plan = {**Plan(self.plan.model).to_dict(), **facts["plan"]}
        before = {**plan, "classes": facts["classes"], PHOTOS: facts.get("photos")}
        if other := [name for name in now if now[name] != before.get(name)]:
            raise TrainingError(
                f"{path} belongs to a run with other settings, classes or photos "
                f"({', '.join(other)}). Train into another folder, or delete it to start again."
            )
        restore(checkpoint, path, self.network, self.average, self.optimiser)
        self.step, self.running = facts["step"], Running(**facts["running"])
        self.best, self.stale = facts["best"], facts["stale"]
        # Within an epoch, the sums so far are needed.
        if self.step > self.steps or (self.step % self.steps_per_epoch and not self.running.images):
            raise TrainingError(
                f"{path} is at a step that its run does not have. Delete it to start again."
            )
