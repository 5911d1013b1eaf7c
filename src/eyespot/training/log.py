"""The log of a training run: metrics of every epoch, as JSON lines and event files."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, astuple, dataclass
from math import isfinite
from pathlib import Path

from eyespot.evaluation import percent
from eyespot.files import is_file, open_file
from eyespot.training.events import Events

LOG = "log.jsonl"
BAD_LINE = (ValueError, TypeError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class Epoch:
    """Metrics of one epoch.

    `loss`, `accuracy`: of the training batches as augmented, `images` in all. `val_loss`,
    `val_accuracy`: of `val_images` validation images; None without validation. `stopped_early`:
    the run ended here because `patience` was used up.
    """

    epoch: int
    step: int
    learning_rate: float
    loss: float
    accuracy: float
    val_loss: float | None
    val_accuracy: float | None
    images: int
    val_images: int
    seconds: float
    stopped_early: bool = False

    @property
    def scalars(self) -> dict[str, float]:
        """The metrics that are drawn over steps."""
        names = ("learning_rate", "loss", "accuracy", "val_loss", "val_accuracy")
        values = {name: getattr(self, name) for name in names}
        return {name: value for name, value in values.items() if value is not None}


class TrainingLog:
    """Epochs of the run in `folder` up to `step`, and those added: a line each in `log.jsonl`, and
    scalars in TensorBoard's event files. Raises OSError if they cannot be written."""

    def __init__(self, folder: Path, step: int) -> None:
        path = folder / LOG
        self._folder, self._step = folder, step
        self._events: Events | None = None
        self.epochs = [epoch for epoch in read_log(path) if epoch.step <= step]
        path.write_text("".join(map(_line, self.epochs)), "utf-8")
        self._log = path.open("a", encoding="utf-8")

    def add(self, epoch: Epoch) -> None:
        self.epochs.append(epoch)
        self._log.write(_line(epoch))
        self._log.flush()
        self._events = self._events or Events(self._folder, self._step)
        self._events.add(epoch.step, epoch.scalars)

    def close(self) -> None:
        self._log.close()
        if self._events:
            self._events.close()


def best_epoch(epochs: Sequence[Epoch]) -> Epoch | None:
    """The first epoch with the best validation accuracy; None without validation."""
    validated = [epoch for epoch in epochs if epoch.val_accuracy is not None]
    return max(validated, key=lambda epoch: epoch.val_accuracy or 0.0, default=None)


def describe_ending(epochs: Sequence[Epoch], planned: int) -> str:
    """How a run of up to `planned` epochs ended and which weights are kept, in sentences."""
    last, best = epochs[-1], best_epoch(epochs)
    if best is None:
        return f"The weights of the last epoch, {last.epoch}, are kept."
    accuracy = percent(best.val_accuracy or 0.0, 2)
    kept = f"The weights of epoch {best.epoch} are kept: best validation accuracy"
    if not last.stopped_early:
        return f"{kept}, {accuracy}."
    stale = last.epoch - best.epoch
    without = f"{stale} epochs" if stale > 1 else "1 epoch"
    return (
        f"Training stopped early, after epoch {last.epoch} of {planned}: no better validation "
        f"accuracy in {without}. {kept}, {accuracy}."
    )


def read_log(path: Path) -> list[Epoch]:
    """The epochs in a log, without incomplete lines."""
    if not is_file(path):
        return []
    with open_file(path) as file:
        lines = file.read().decode("utf-8", "replace").splitlines()
    epochs = []
    for line in lines:
        with suppress(*BAD_LINE):  # the last may be half written
            epoch = Epoch(**json.loads(line))
            if all(map(_is_sound, astuple(epoch))) and epoch.epoch > 0 <= epoch.step:
                epochs.append(epoch)
    return epochs


def _is_sound(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and isfinite(value))


def _line(epoch: Epoch) -> str:
    return json.dumps(asdict(epoch)) + "\n"
