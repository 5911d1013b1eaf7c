"""Settings of a playground run, and their form in a shared link."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from eyespot.errors import UsageError
from eyespot.playground.functions import ACTIVATIONS, FEATURES, LOSSES
from eyespot.playground.points import CLASSIFICATION, EDGE, REGRESSION
from eyespot.training.schedules import SCHEDULES

RANGES: dict[str, tuple[float, float]] = {
    "count": (10, 2000),
    "noise": (0, 0.5),
    "train_share": (0.1, 0.9),
    "learning_rate": (1e-5, 10),
    "epochs": (1, 100_000),
    "batch_size": (1, 2000),
    "l1": (0, 10),
    "l2": (0, 10),
    "dropout": (0, 0.9),
    "seed": (0, 999_999),
}
"""Range of each number."""
MOST_LAYERS = 6
MOST_UNITS = 8
MOST_OWN = 500
"""Most own points, so that they fit into a link."""
LONGEST = 40_000
"""Characters of a setting that are read."""

CHOICES: dict[str, Collection[str]] = {
    "problem": LOSSES,
    "activation": ACTIVATIONS,
    "schedule": SCHEDULES,
}

Own = tuple[tuple[float, float, float], ...]


@dataclass(frozen=True, slots=True)
class Settings:
    """`data`: of CLASSIFICATION or REGRESSION, as `problem` says, or "own" for the points of `own`:
    x, y and target of each. `noise`: 0.1 is 10%. `hidden`: units of each hidden layer. `epochs`:
    over which the schedule changes the learning rate; afterwards it stays as it is. `dropout`: the
    probability that a hidden unit is left out.

    Raises UsageError for what is out of its limits.
    """

    problem: str = "classification"
    data: str = "circle"
    count: int = 500
    noise: float = 0.0
    train_share: float = 0.5
    features: tuple[str, ...] = ("x", "y")
    hidden: tuple[int, ...] = (4, 2)
    activation: str = "tanh"
    learning_rate: float = 0.03
    schedule: str = "constant"
    epochs: int = 1000
    batch_size: int = 10
    l1: float = 0.0
    l2: float = 0.0
    dropout: float = 0.0
    batch_norm: bool = False
    seed: int = 0
    own: Own = ()

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            _check_choice(name, getattr(self, name), choices)
        sets = CLASSIFICATION if self.problem == "classification" else REGRESSION
        _check_choice("data", self.data, (*sets, "own"))
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise UsageError(f"{name} must be from {low:g} to {high:g}, not {_short(value)}.")
        for name in self.features:
            _check_choice("features", name, FEATURES)
        if not self.features or len(set(self.features)) < len(self.features):
            raise UsageError("Choose at least one feature, and each only once.")
        if len(self.hidden) > MOST_LAYERS:
            raise UsageError(
                f"There can be at most {MOST_LAYERS} hidden layers, not {len(self.hidden)}."
            )
        for units in self.hidden:
            if not 1 <= units <= MOST_UNITS:
                raise UsageError(
                    f"A hidden layer has 1 to {MOST_UNITS} units, not {_short(units)}."
                )
        if self.batch_norm and self.batch_size < 2:
            raise UsageError("Batch norm needs batches of 2 points or more: raise batch_size.")
        if len(self.own) > MOST_OWN:
            raise UsageError(
                f"There can be at most {MOST_OWN} own points, not {len(self.own)}. Remove some."
            )
        for x, y, target in self.own:
            if not (abs(x) <= EDGE and abs(y) <= EDGE and abs(target) <= 1):
                raise UsageError(
                    f"An own point lies between {-EDGE:g} and {EDGE:g} both ways, and its target "
                    f"between -1 and 1; {x:g},{y:g},{target:g} does not."
                )
            if self.problem == "classification" and abs(target) != 1:
                raise UsageError(f"The target of a class is -1 or 1, not {target:g}.")

    def texts(self) -> dict[str, str]:
        """All settings, as short texts."""
        return {field.name: _text(getattr(self, field.name)) for field in fields(self)}

    def to_dict(self) -> dict[str, str]:
        """The settings that differ from the defaults, as short texts: the parameters of a link."""
        defaults = Settings().texts()
        return {name: text for name, text in self.texts().items() if text != defaults[name]}

    @classmethod
    def from_dict(cls, texts: Mapping[str, object]) -> Self:
        """Settings from the texts of `to_dict`; missing ones keep their defaults. Raises UsageError
        for other names and values."""
        known = {field.name: field.default for field in fields(cls)}
        values: dict[str, Any] = {}
        for name, text in texts.items():
            if name not in known:
                raise UsageError(
                    f"There is no setting {_short(name)}. Choose among: {', '.join(known)}."
                )
            read = READERS.get(name, type(known[name]))
            try:
                if not isinstance(text, str) or len(text) > LONGEST:
                    raise ValueError
                values[name] = read(text)
            except ValueError as error:
                example = EXAMPLES.get(name, known[name])
                raise UsageError(
                    f"{name} cannot be {_short(text)}. An example: {example}."
                ) from error
        return cls(**values)


def _text(value: object) -> str:
    match value:
        case bool():
            return str(int(value))
        case float():
            return repr(value).removesuffix(".0")
        case (tuple(), *_):
            return ";".join(map(_text, value))
        case tuple():
            return ",".join(map(_text, value))
    return str(value)


def _parts(text: str, separator: str = ",") -> list[str]:
    return text.split(separator) if text else []


def _read_own(text: str) -> Own:
    points = (map(float, point.split(",")) for point in _parts(text, ";"))
    return tuple((x, y, target) for x, y, target in points)


READERS: dict[str, Callable[[str], object]] = {
    "features": lambda text: tuple(_parts(text)),
    "hidden": lambda text: tuple(map(int, _parts(text))),
    "batch_norm": lambda text: bool(("0", "1").index(text)),
    "own": _read_own,
}
"""Parse the text of a setting; they raise ValueError. Other settings are read by their type."""
EXAMPLES = {"hidden": "4,2", "batch_norm": "1", "own": "-1.5,2,1;3,0.5,-1"}
"""Texts of settings, for messages."""


def _check_choice(name: str, value: str, choices: Collection[str]) -> None:
    if value not in choices:
        raise UsageError(f"{name} cannot be {_short(value)}. Choose among: {', '.join(choices)}.")


def _short(value: object) -> str:
    """A user's value, quoted for a message, at most 40 characters of it."""
    text = str(value)
    return repr(text[:40] + "…" if len(text) > 40 else value)
