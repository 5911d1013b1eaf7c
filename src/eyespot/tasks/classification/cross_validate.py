"""Cross-validate candidate heads on the training photos."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eyespot.evaluation import wilson_interval
from eyespot.evaluation.crossval import CrossValidated, cross_validate
from eyespot.features.extract import block_widths
from eyespot.heads import make_method
from eyespot.heads.eigenbasis import Eigenbasis
from eyespot.heads.linear import Linear
from eyespot.heads.method import Prepared
from eyespot.progress import Progress
from eyespot.tasks.classification.policy import MOST_DIMENSIONS, Candidate, affordable
from eyespot.tasks.classification.split import TrainingSet

SELECTING = "Selecting a method"
"""The stage of progress."""
TOO_MUCH = "needs more computation than the plan allows without a budget in seconds"


@dataclass(frozen=True)
class CandidateResult:
    """One candidate: its cross-validated accuracy with a 95% CI, and its seconds.

    Model selection is not included in `top1`: the best of several looks better than it is. The
    nested accuracy is that of the result's evaluation.
    """

    method: str
    top1: float
    top1_interval: tuple[float, float]
    seconds: float


@dataclass(frozen=True)
class ValidatedCandidate:
    """A candidate with its out-of-fold predictions, and the seconds they took."""

    candidate: Candidate
    found: CrossValidated
    seconds: float

    def result(self, train: TrainingSet, groups: NDArray[np.int64]) -> CandidateResult:
        """`groups`: int64 [n], equal for duplicates among the training photos."""
        held_out = ~np.isnan(self.found.probabilities[:, 0])
        guesses = self.found.probabilities[held_out].argmax(axis=1)
        top1 = float((guesses == train.labels[held_out]).mean())
        independent = len(np.unique(groups[held_out]))
        interval = wilson_interval(top1 * independent, independent)
        return CandidateResult(self.candidate.name, top1, interval, self.seconds)


@dataclass(frozen=True)
class ValidatedHead(ValidatedCandidate):
    """A head, ready to be fitted on all photos. `blocks`: its input features."""

    blocks: tuple[str, ...]
    prepared: Prepared


@dataclass(frozen=True, slots=True)
class Omitted:
    """A candidate, or part of one, that was not evaluated, and the reason."""

    what: str
    why: str


def spent(budget: float) -> str:
    """The reason when the time is over."""
    return f"the budget of {budget:g} s was spent"


def cross_validate_heads(
    candidates: Sequence[Candidate], train: TrainingSet, budget: float | None, progress: Progress
) -> tuple[list[ValidatedHead], list[Omitted]]:
    """Cross-validate the candidates in order; return the omitted ones, too.

    Without a budget, counts of multiply-adds decide (`affordable`), whatever the machine's speed.
    `budget`: seconds after which no other candidate starts. The first candidate always runs.
    """
    start = time.perf_counter()
    planned = list(candidates)
    if budget is None:
        folds = sum(len(repeat) for repeat in train.split.repeats)
        planned = affordable(candidates, train.width_of, len(train.labels), train.classes, folds)
    omitted = [Omitted(one.name, TOO_MUCH) for one in candidates if one not in planned]
    done: list[ValidatedHead] = []
    bases: dict[str, Eigenbasis] = {}
    for candidate in planned:
        before = time.perf_counter()
        slowest = max((head.seconds for head in done), default=0.0)
        if budget is not None and done and before - start + slowest > budget:
            omitted += [Omitted(one.name, spent(budget)) for one in planned[len(done) :]]
            break
        progress(SELECTING, len(done), len(planned))
        blocks = train.blocks_of(candidate.view)
        prepared, hyperparameters = _prepare(candidate, train, blocks, bases)
        found = cross_validate(
            prepared,
            train.labels,
            train.classes,
            train.split.repeats,
            train.split.parts,
            hyperparameters,
        )
        seconds = time.perf_counter() - before
        done.append(ValidatedHead(candidate, found, seconds, blocks, prepared))
    progress(SELECTING, len(planned), len(planned))
    return done, omitted


def _prepare(
    candidate: Candidate, train: TrainingSet, blocks: tuple[str, ...], bases: dict[str, Eigenbasis]
) -> tuple[Prepared, Sequence[float]]:
    """The head over its features, and its hyperparameters. Linear heads on one view share a basis,
    kept in `bases`."""
    head, widths = make_method(candidate.method), block_widths(train.features.layout, blocks)
    if not isinstance(head, Linear):
        return head.prepare(train.features.inputs(blocks), widths), head.hyperparameters
    if candidate.view not in bases:
        inputs = train.features.inputs(blocks)
        bases[candidate.view] = Eigenbasis(inputs, widths, MOST_DIMENSIONS)
    return head.over(bases[candidate.view]), head.hyperparameters
