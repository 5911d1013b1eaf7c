"""Model selection: cross-validate what the decision table suggests, and say what was selected."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eyespot.evaluation import wilson_interval
from eyespot.evaluation.crossval import CrossValidated, cross_validate
from eyespot.features.extract import Features, block_widths
from eyespot.heads import make_method
from eyespot.heads.eigenbasis import Eigenbasis
from eyespot.heads.linear import Linear
from eyespot.heads.method import Prepared
from eyespot.progress import Progress
from eyespot.tasks.classification.policy import LIKE_IMAGENET, Candidate, blocks_of
from eyespot.tasks.classification.split import Division
from eyespot.tasks.classification.work import MOST_DIMENSIONS, affordable

TOO_MUCH = "more work than is done unless a budget in seconds allows for it"


@dataclass(frozen=True)
class Trial:
    """One candidate: its cross-validated accuracy with a 95% CI, and its seconds.

    Model selection is not included in `top1`: the best of several looks better than it is. The
    nested figure is that of the lesson's evaluation.
    """

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


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What model selection left out, and why: two phrases."""

    what: str
    why: str


def spent(budget: float) -> str:
    """Why something was left out."""
    return f"the budget of {budget:g} s was spent"


def try_heads(
    order: Sequence[Candidate],
    features: Features,
    labels: NDArray[np.int64],
    classes: int,
    division: Division,
    budget: float | None,
    progress: Progress,
) -> tuple[list[TriedHead], list[LeftOut]]:
    """Cross-validate the candidates, in order, and say which were left out.

    Without a budget they are those that the counts allow for (`affordable`), however fast the
    machine is. `budget`: seconds after which no other candidate is begun. `features`, `labels`: of
    the photos to train on. The first candidate is always tried.
    """
    start = time.perf_counter()

    def width_of(view: str) -> int:
        return sum(block_widths(features.layout, blocks_of(view, features.layout)))

    planned = list(order)
    if budget is None:
        folds = sum(len(repeat) for repeat in division.repeats)
        planned = affordable(order, width_of, len(labels), classes, folds)
    left = [LeftOut(one.name, TOO_MUCH) for one in order if one not in planned]
    tried: list[TriedHead] = []
    bases: dict[str, Eigenbasis] = {}
    for candidate in planned:
        before = time.perf_counter()
        slowest = max((t.seconds for t in tried), default=0.0)
        if budget is not None and tried and before - start + slowest > budget:
            left += [LeftOut(one.name, spent(budget)) for one in planned[len(tried) :]]
            break
        progress("Choosing a method", len(tried), len(planned))
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
            prepared, labels, classes, division.repeats, division.parts, head.hyperparameters
        )
        seconds = time.perf_counter() - before
        tried.append(TriedHead(candidate, found, seconds, blocks, prepared))
    progress("Choosing a method", len(planned), len(planned))
    return tried, left


def explain_choice(
    chosen: Candidate,
    count: int,
    like_imagenet: float | None,
    labels: NDArray[np.int64],
    classes: int,
    left_out: Sequence[LeftOut] = (),
) -> str:
    """What the photos are like, what was selected of `count` candidates, what was left out.

    No accuracy stands here: that of the selected candidate does not include the selection.
    """
    per_class = round(float(np.median(np.bincount(labels, minlength=classes))))
    about = "1 photo" if per_class == 1 else f"{per_class:,} photos"
    first = f"Median: {about} per class to train on."
    if like_imagenet is not None:
        like = "similar to" if like_imagenet >= LIKE_IMAGENET else "different from"
        first += f" The photos are {like} ImageNet's (similarity {like_imagenet:.2f})."
    how = f"selected from {count} candidates by log loss" if count > 1 else "the only candidate"
    second = f"Method: {chosen.words}, {how}."
    reasons = dict.fromkeys(one.why for one in left_out)
    return " ".join(
        [
            first,
            second,
            *(
                f"Left out: {', '.join(one.what for one in left_out if one.why == why)} ({why})."
                for why in reasons
            ),
        ]
    )
