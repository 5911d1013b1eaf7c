"""The record of a run: what every epoch came to, kept as it goes."""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

LOG = "log.jsonl"


@dataclass(frozen=True, slots=True)
class Epoch:
    """What one epoch came to. `loss`, `accuracy`: of the training batches as they were seen,
    augmented. `val_loss`, `val_accuracy`: of the validation pictures, None without any."""

    epoch: int
    step: int
    learning_rate: float
    loss: float
    accuracy: float
    val_loss: float | None
    val_accuracy: float | None
    seconds: float


class Record:
    """The epochs of the run in `folder` that were over at `step`, and those that follow; a line
    each in `log.jsonl`. Raises OSError as writing does."""

    def __init__(self, folder: Path, step: int) -> None:
        path = folder / LOG
        self.epochs = [epoch for epoch in read_log(path) if epoch.step <= step]
        path.write_text("".join(map(_line, self.epochs)), "utf-8")
        self._log = path.open("a", encoding="utf-8")

    def add(self, epoch: Epoch) -> None:
        self.epochs.append(epoch)
        self._log.write(_line(epoch))
        self._log.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._log.close()


def read_log(path: Path) -> list[Epoch]:
    """The epochs in a log; lines that are not whole are passed over."""
    epochs = []
    lines = path.read_text("utf-8", "replace").splitlines() if path.exists() else []
    for line in lines:
        with suppress(ValueError, TypeError):  # the last may be half written
            epochs.append(Epoch(**json.loads(line)))
    return epochs


def _line(epoch: Epoch) -> str:
    return json.dumps(asdict(epoch)) + "\n"
