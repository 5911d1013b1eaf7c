"""The plan of a training run: all its settings."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from numbers import Integral
from typing import Any, Self, TypeVar

from eyespot.errors import UsageError
from eyespot.shown import shown

PRECISIONS = ("auto", "fp32", "bf16")
LARGEST_SEED = 2**64 - 1
"""The largest seed that torch accepts."""
NORMALISATIONS = ("standardised", "channel-mean", "mean")
COUNTS = ("epochs", "batch_size", "accumulate")
OPTIONAL = ("weight_decay", "l1", "max_norm", "warmup", "mixup", "cutmix", "clip", "patience")
SHARES = ("momentum", "average", "label_smoothing", "dropout")
RANGES: tuple[tuple[tuple[str, ...], Callable[[Any], bool], str], ...] = (
    (COUNTS, lambda value: value >= 1, "1 or more"),
    (OPTIONAL, lambda value: 0 <= value < math.inf, "0 or more"),
    (SHARES, lambda value: 0 <= (value or 0) < 1, "0 or more and less than 1"),
    (("learning_rate",), lambda value: 0 < value < math.inf, "a number above 0"),
    (("precision",), PRECISIONS.__contains__, f"one of {', '.join(PRECISIONS)}"),
    (("normalisation",), NORMALISATIONS.__contains__, f"one of {', '.join(NORMALISATIONS)}"),
)
"""Settings, a test of their values, and the values that they accept."""

Choice = TypeVar("Choice")


@dataclass(frozen=True, slots=True)
class Plan:
    """Settings of a training run. Zero turns an optional number off.

    `learning_rate`: the peak, for batches of `batch_size` images on all processes together.
    `warmup`: epochs. `mixup`, `cutmix`: alpha of the beta distribution. `average`: decay of the
    running average of the weights, which is validated and kept. `clip`: largest norm of a gradient.
    `accumulate`: parts that a batch is computed in. `patience`: epochs without a better validation
    accuracy after which training stops. `normalisation`: "mean" subtracts the mean of the training
    images from pixels of 0..255, "channel-mean" that of each colour, "standardised" also divides by
    each colour's standard deviation. `precision`: "fp32", "bf16", or "auto" for the faster of them
    on the machine where training begins. `compile`: use torch.compile.
    """

    model: str
    epochs: int = 10
    batch_size: int = 128
    optimiser: str = "sgd"
    learning_rate: float = 0.1
    momentum: float = 0.9
    nesterov: bool = True
    weight_decay: float = 5e-4
    l1: float = 0.0
    max_norm: float = 0.0
    schedule: str = "one-cycle"
    warmup: float = 0.0
    loss: str = "cross-entropy"
    label_smoothing: float = 0.0
    dropout: float | None = None
    augmentation: str = "none"
    mixup: float = 0.0
    cutmix: float = 0.0
    average: float = 0.0
    clip: float = 0.0
    accumulate: int = 1
    patience: int = 0
    initialisation: str = "default"
    normalisation: str = "standardised"
    precision: str = "auto"
    compile: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Raise UsageError for a value out of range."""
        seed: object = self.seed
        if not isinstance(seed, Integral) or not 0 <= int(seed) <= LARGEST_SEED:
            raise UsageError(
                f"seed must be a whole number from 0 to {LARGEST_SEED:,}, not {shown(seed)}."
            )
        for names, fits, expected in RANGES:
            for name in names:
                if not fits(getattr(self, name)):
                    raise UsageError(f"{name} must be {expected}, not {getattr(self, name)}.")
        if self.batch_size % self.accumulate:
            raise UsageError("batch_size must be a multiple of accumulate.")
        if self.mixup and self.cutmix:
            raise UsageError("Choose mixup or cutmix, not both.")

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def with_options(self, options: dict[str, Any]) -> Self:
        """The plan with the `options` that are not None."""
        return replace(self, **{k: v for k, v in options.items() if v is not None})


def choose(what: str, name: str, table: Mapping[str, Choice]) -> Choice:
    """The entry called `name`. Raises UsageError with all names for an unknown one."""
    if name not in table:
        raise UsageError(f"There is no {what} '{name}'. Choose one of: {', '.join(table)}.")
    return table[name]
