"""Training of a playground network, step by step."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from eyespot.errors import UsageError
from eyespot.playground.functions import LOSSES, features_of
from eyespot.playground.net import Gradient, Net
from eyespot.playground.points import Points, make_points, own_points
from eyespot.playground.settings import Settings
from eyespot.training.schedules import factor

LARGEST = 1e6
"""Training stops when a loss or weight exceeds this."""
MOST_STEPS = 100_000
"""Most steps of one call, which take seconds."""
MOST_POINTS = 1000
"""Points of a loss curve: about as many as a screen has columns."""
DIVERGED = (
    "Training stopped: the loss or the weights diverged. Lower the learning rate and restart."
)


@dataclass(frozen=True, slots=True)
class Scores:
    """Losses and accuracies in evaluation mode. Losses exclude penalties. Accuracies,
    0..1, are None in regression."""

    train_loss: float
    test_loss: float
    train_accuracy: float | None
    test_accuracy: float | None


@dataclass(slots=True)
class Curves:
    """`train`, `test`: the loss after each of `epochs`. Beyond MOST_POINTS, every second point is
    dropped, and `every` doubles."""

    epochs: list[int] = field(default_factory=list)
    train: list[float] = field(default_factory=list)
    test: list[float] = field(default_factory=list)
    every: int = 1

    def add(self, epoch: int, train: float, test: float) -> None:
        self.epochs.append(epoch)
        self.train.append(train)
        self.test.append(test)
        if len(self.epochs) > MOST_POINTS:
            self.every *= 2
            del self.epochs[1::2], self.train[1::2], self.test[1::2]


class Simulator:
    """Mini-batch gradient descent on the points that `settings` describe.

    `steps`: batches so far. `epochs`: passes over the shuffled training points, without an
    incomplete last batch. `gradients`: of each layer in the last step; empty before the first.
    `stopped`: the reason why training cannot continue, or None. The same settings give the same
    run, bit by bit.
    Raises UsageError for too few own points.
    """

    def __init__(self, settings: Settings) -> None:
        self._use(settings)
        self.reset()

    def _use(self, settings: Settings) -> None:
        self.points = _points_of(settings)
        self.settings = settings
        self._inputs = features_of(self.points.positions, settings.features)
        self._training = np.flatnonzero(self.points.is_train)
        self._batch = min(settings.batch_size, len(self._training))

    def reset(self) -> None:
        """Reset the weights to those of a new simulator."""
        s = self.settings
        weights, self._rng = (np.random.default_rng([s.seed, n]) for n in (1, 2))
        self.net = Net.fresh(
            len(s.features),
            s.hidden,
            s.activation,
            s.problem,
            weights,
            batch_norm=s.batch_norm,
            dropout=s.dropout,
        )
        self.steps = self.epochs = 0
        self.gradients: list[Gradient] = []
        self.curves = Curves()
        self.stopped: str | None = None
        self._waiting: NDArray[np.int64] = self._training[:0]
        self._record()

    def change(self, settings: Settings) -> None:
        """Continue with other settings; reset if they need another network."""
        before = self.settings
        self._use(settings)
        if any(getattr(before, name) != getattr(settings, name) for name in OF_THE_NETWORK):
            self.reset()
        else:
            self._waiting = self._training[:0]
            self.scores = self._measure()

    @property
    def steps_per_epoch(self) -> int:
        """Whole batches of a pass over the points to learn from."""
        return len(self._training) // self._batch

    @property
    def learning_rate(self) -> float:
        """Learning rate of the next step; constant after `settings.epochs`."""
        an_epoch = self.steps_per_epoch
        horizon = self.settings.epochs * an_epoch
        done = min(self.steps, horizon)
        share = factor(self.settings.schedule, done, horizon, an_epoch, 0.0)
        return self.settings.learning_rate * share

    def step(self, count: int = 1) -> None:
        """Train on `count` batches, unless the run has `stopped`. Raises UsageError for a count
        that is not from 1 to MOST_STEPS."""
        if not 1 <= count <= MOST_STEPS:
            raise UsageError(f"Take 1 to {MOST_STEPS} steps at once, not {count}.")
        for _ in range(count):
            if self.stopped:
                break
            self._step()
        self.scores = self._measure()

    def _step(self) -> None:
        if len(self._waiting) < self._batch:
            self._waiting = self._rng.permutation(self._training)
        batch, self._waiting = self._waiting[: self._batch], self._waiting[self._batch :]
        targets = self.points.targets[batch]
        passes = self.net.forward(self._inputs[batch], self._rng)
        gradients = self.net.gradients(passes, targets, self.settings.l1, self.settings.l2)
        net = self.net.descended(gradients, passes, self.learning_rate)
        loss = LOSSES[net.problem].value(passes[-1].outputs[:, 0], targets)
        # The last finite weights stay, so that the page can show them.
        if not (loss <= LARGEST and net.is_within(LARGEST)):
            self.stopped = DIVERGED
            return
        self.net, self.gradients = net, gradients
        self.steps += 1
        if len(self._waiting) < self._batch:
            self.epochs += 1
            if self.epochs % self.curves.every == 0:
                self._record()

    def _record(self) -> None:
        self.scores = self._measure()
        self.curves.add(self.epochs, self.scores.train_loss, self.scores.test_loss)

    def _measure(self) -> Scores:
        output = self.net.outputs(self._inputs)
        target, is_train = self.points.targets, self.points.is_train
        losses = [
            LOSSES[self.net.problem].value(output[some], target[some])
            for some in (is_train, ~is_train)
        ]
        if self.net.problem == "regression":
            return Scores(losses[0], losses[1], None, None)
        correct = (output > 0) == (target > 0)
        return Scores(*losses, *(float(correct[some].mean()) for some in (is_train, ~is_train)))


OF_THE_NETWORK = ("problem", "features", "hidden", "activation", "dropout", "batch_norm", "seed")
"""Settings that need another network."""


def _points_of(s: Settings) -> Points:
    if s.data == "own":
        return own_points(s.own, s.train_share, s.seed)
    return make_points(s.problem, s.data, s.count, s.noise, s.train_share, s.seed)
