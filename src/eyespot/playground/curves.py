"""The loss over the epochs of a run without an end."""

from dataclasses import dataclass, field

MOST = 1000
"""Points of a curve: about as many as a screen has columns."""


@dataclass(slots=True)
class Curves:
    """`train`, `test`: the loss after each of `epochs`. Beyond MOST points, every second one is
    dropped, and `every` doubles."""

    epochs: list[int] = field(default_factory=list)
    train: list[float] = field(default_factory=list)
    test: list[float] = field(default_factory=list)
    every: int = 1

    def is_due(self, epoch: int) -> bool:
        return epoch % self.every == 0

    def add(self, epoch: int, train: float, test: float) -> None:
        lists: tuple[list[int] | list[float], ...] = (self.epochs, self.train, self.test)
        for values, value in zip(lists, (epoch, train, test), strict=True):
            values.append(value)  # type: ignore[arg-type]
        if len(self.epochs) > MOST:
            self.every *= 2
            for values in lists:
                del values[1::2]
