"""What the checks have in common: a verdict in words, and a fresh network to look at."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from eyespot.training.judged import standardised
from eyespot.training.losses import as_targets
from eyespot.training.pictures import Pictures
from eyespot.training.plan import Plan
from eyespot.training.trainer import Trainer
from eyespot.weights import zoo


class Verdict(ABC):
    """What a check found. A dataclass of the figures, and what they mean."""

    __slots__ = ()
    title: ClassVar[str]

    @property
    @abstractmethod
    def passed(self) -> bool: ...

    @property
    @abstractmethod
    def summary(self) -> str:
        """The figures in one line."""

    @property
    @abstractmethod
    def advice(self) -> str:
        """What to do if it did not pass."""

    def to_dict(self) -> dict[str, Any]:
        said = {"check": self.title, "passed": self.passed, "summary": self.summary}
        advice = None if self.passed else self.advice
        return {**said, "advice": advice, **asdict(self)}  # type: ignore[call-overload]


@contextmanager
def chance_untouched() -> Iterator[None]:
    """torch's generators are afterwards as they were before."""
    with torch.random.fork_rng(range(torch.cuda.device_count())):
        yield


def fresh(plan: Plan, pictures: Pictures, **options: Any) -> Trainer:
    """A trainer at its first step, of the plan without all that hinders fitting, with `options`.

    It learns from the centres of the pictures: without crops, those kept too large are no use.
    """
    side = zoo.find(plan.model).preprocessing.size
    edge = (pictures.images.shape[1] - side) // 2
    within = slice(edge, edge + side)
    centres = replace(pictures, images=pictures.images[:, within, within])
    plain: dict[str, Any] = {
        "augmentation": "none",
        "schedule": "constant",
        "accumulate": 1,
        "average": 0.0,
        **dict.fromkeys(("weight_decay", "l1", "max_norm", "dropout", "warmup"), 0.0),
        **dict.fromkeys(("label_smoothing", "mixup", "cutmix"), 0.0),
    }
    trainer = Trainer(replace(plan, **{**plain, **options}), centres)
    # Not eval: a fresh batch norm has no averages to go by yet.
    trainer.network.train()
    return trainer


def first_batch(trainer: Trainer) -> tuple[Tensor, Tensor]:
    """What the first step would take: float32 [n, C, S, S], and targets [n, K]."""
    images, labels = trainer.learn.batch(trainer.batch_of(0))
    x = standardised(images.float().to(trainer.device), trainer.preprocessing)
    return x, as_targets(labels, len(trainer.learn.classes), 0.0).to(trainer.device)
