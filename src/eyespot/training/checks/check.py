"""What the checks share: a result in words, and a trainer without regularisation."""

from dataclasses import asdict, replace
from typing import Any, ClassVar

from torch import Tensor

from eyespot.training.evaluate import standardised
from eyespot.training.images import ImageSet
from eyespot.training.losses import as_targets
from eyespot.training.plan import Plan
from eyespot.training.trainer import Trainer
from eyespot.weights import zoo


class CheckResult:
    """Result of a check: a dataclass of its measurements, and their meaning."""

    __slots__ = ()
    title: ClassVar[str]

    @property
    def passed(self) -> bool:
        return True

    @property
    def summary(self) -> str:
        """The measurements in one line."""
        raise NotImplementedError

    @property
    def advice(self) -> str:
        """What to do after a failed check."""
        return ""

    def to_dict(self) -> dict[str, Any]:
        found = {"check": self.title, "passed": self.passed, "summary": self.summary}
        advice = None if self.passed else self.advice
        return {**found, "advice": advice, **asdict(self)}  # type: ignore[call-overload]


def plain_trainer(plan: Plan, data: ImageSet, **options: Any) -> Trainer:
    """A trainer at step 0 of the plan without augmentation and regularisation, with `options`.

    It trains on the centres of the images, which may be stored larger for crops.
    """
    side = zoo.find(plan.model).preprocessing.size
    edge = (data.images.shape[1] - side) // 2
    within = slice(edge, edge + side)
    centres = replace(data, images=data.images[:, within, within])
    plain: dict[str, Any] = {
        "augmentation": "none",
        "schedule": "constant",
        "accumulate": 1,
        "average": 0.0,
        **dict.fromkeys(("weight_decay", "l1", "max_norm", "dropout", "warmup"), 0.0),
        **dict.fromkeys(("label_smoothing", "mixup", "cutmix"), 0.0),
    }
    trainer = Trainer(replace(plan, **{**plain, **options}), centres)
    trainer.network.train()  # eval mode needs averages that a new batch norm does not have
    return trainer


def first_batch(trainer: Trainer) -> tuple[Tensor, Tensor]:
    """The batch of the first step: float32 [n, C, S, S], and targets [n, K]."""
    images, labels = trainer.train_set.batch(trainer.batches.indices(0))
    x = standardised(images.float().to(trainer.device), trainer.preprocessing)
    return x, as_targets(labels, len(trainer.train_set.classes), 0.0).to(trainer.device)
