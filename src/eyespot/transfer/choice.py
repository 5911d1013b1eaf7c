"""Try what the decision table suggests, let cross-validation decide, and say what won."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eyespot.evaluation import percent, wilson_interval
from eyespot.evaluation.crossval import CrossValidated, cross_validate
from eyespot.features.extract import Features, block_widths
from eyespot.heads import make_method
from eyespot.heads.eigenbasis import Eigenbasis
from eyespot.heads.linear import Linear
from eyespot.heads.method import Prepared
from eyespot.progress import Progress
from eyespot.transfer.division import Division
from eyespot.transfer.policy import LIKE_IMAGENET, Candidate, blocks_of

MOST_DIMENSIONS = 2048
"""Of the space in which linear heads are learnt: see `Eigenbasis`. Its cost grows with the cube."""


@dataclass(frozen=True)
class Trial:
    """One candidate that was tried: out-of-fold top-1 with its 95 % interval, and its cost."""

    method: str
    top1: float
    top1_interval: tuple[float, float]
    seconds: float


@dataclass(frozen=True)
class Tried:
    """A candidate, and what cross-validation found out about it in so many seconds."""

    candidate: Candidate
    found: CrossValidated
    seconds: float

    def trial(self, labels: NDArray[np.int64], groups: NDArray[np.int64]) -> Trial:
        """In figures. `labels`, `groups`: int64 [n], of the photos learnt from."""
        asked = ~np.isnan(self.found.probabilities[:, 0])
        hits = self.found.probabilities[asked].argmax(axis=1) == labels[asked]
        top1, independent = float(hits.mean()), len(np.unique(groups[asked]))
        interval = wilson_interval(top1 * independent, independent)
        return Trial(self.candidate.name, top1, interval, self.seconds)


@dataclass(frozen=True)
class TriedHead(Tried):
    """A head, ready to be fitted on all photos. `blocks`: the features it sees."""

    blocks: tuple[str, ...]
    prepared: Prepared


def try_heads(
    order: Sequence[Candidate],
    features: Features,
    labels: NDArray[np.int64],
    classes: int,
    division: Division,
    budget: float,
    progress: Progress,
) -> list[TriedHead]:
    """Cross-validate one candidate after the other until the budget of seconds is spent.

    `features`, `labels`: of the photos to learn from. The first candidate is always tried.
    """
    start = time.perf_counter()
    tried: list[TriedHead] = []
    bases: dict[str, Eigenbasis] = {}
    for candidate in order:
        before = time.perf_counter()
        slowest = max((t.seconds for t in tried), default=0.0)
        if tried and before - start + slowest > budget:
            break
        progress("Choosing a method", len(tried), len(order))
        view, blocks = candidate.view, blocks_of(candidate.view, features.layout)
        widths = block_widths(features.layout, blocks)
        head = make_method(candidate.method)
        prepared: Prepared
        if isinstance(head, Linear):
            if view not in bases:
                bases[view] = Eigenbasis(features.inputs(blocks), widths, MOST_DIMENSIONS)
            prepared = head.over(bases[view])
        else:
            prepared = head.prepare(features.inputs(blocks), widths)
        found = cross_validate(
            prepared, labels, classes, division.repeats, division.parts, head.knobs
        )
        seconds = time.perf_counter() - before
        tried.append(TriedHead(candidate, found, seconds, blocks, prepared))
    progress("Choosing a method", len(order), len(order))
    return tried


def explain_choice(
    chosen: Candidate,
    trials: Sequence[Trial],
    best: int,
    like_imagenet: float,
    labels: NDArray[np.int64],
    classes: int,
    *,
    own_network: bool,
) -> str:
    """Two sentences: what the photos are like, and what won against what. `own_network`: it was
    trained on other photos than ImageNet's."""
    per_class = round(float(np.median(np.bincount(labels, minlength=classes))))
    kind = "like" if like_imagenet >= LIKE_IMAGENET else "unlike"
    known = "that the network was trained on" if own_network else "of ImageNet"
    first = (
        f"There are about {per_class} photos per class, and they look {kind} the photos {known} "
        f"(similarity {like_imagenet:.2f})."
    )
    words = chosen.words[0].upper() + chosen.words[1:]
    others = [trial for index, trial in enumerate(trials) if index != best]
    if not others:
        return f"{first} {words} was right for {percent(trials[best].top1)} of unseen photos."
    rival = max(others, key=lambda trial: trial.top1)
    return (
        f"{first} {words} was chosen of {len(trials)} that were tried, as its probabilities can be "
        f"relied on most: right for {percent(trials[best].top1)} of unseen photos, against "
        f"{percent(rival.top1)} for the best of the others ({rival.method})."
    )
