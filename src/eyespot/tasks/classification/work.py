"""Cost of training a head, in multiply-adds, from the numbers of photos and classes.

Candidates are planned from these counts, not from the clock: the same photos give the same
classifier on an idle and on a loaded machine. Measured on one core, heads do about 30 thousand
million multiply-adds a second, from 300 photos of 3 classes to 12,000 photos of 10.
"""

from collections.abc import Callable, Sequence

from eyespot.tasks.classification.policy import Candidate

HEADS_WORK = 6e11
"""For all heads after the first, which always runs: some 20 s on one core."""
TUNING_WORK = 1.2e13
"""For fine-tuning: some 9 minutes, at the rate measured on two cores in fp32."""
STEPS = 80
"""Evaluations of the loss along the path of penalties of a linear head: 48 to 89 were counted."""
EIGEN = 20
"""The eigendecomposition of r dimensions takes about this many times r^3."""
MOST_DIMENSIONS = 2048
"""Of the space in which linear heads are trained, see `Eigenbasis`. The cost grows with the
cube."""


def affordable(
    candidates: Sequence[Candidate],
    width_of: Callable[[str], int],
    photos: int,
    classes: int,
    folds: int,
) -> list[Candidate]:
    """The first candidate, and of the others, in order, those that fit into HEADS_WORK together.

    `width_of`: feature columns of a view. `folds`: the number of heads to train for a candidate.
    """
    planned, remaining = list(candidates[:1]), HEADS_WORK
    for candidate in candidates[1:]:
        shared = candidate.view in {one.view for one in planned if _is_linear(one)}
        work = head_work(candidate, width_of(candidate.view), photos, classes, folds)
        if not shared and _is_linear(candidate):
            work += basis_work(width_of(candidate.view), photos)
        if work <= remaining:
            remaining -= work
            planned.append(candidate)
    return planned


def head_work(candidate: Candidate, width: int, photos: int, classes: int, folds: int) -> float:
    """Cost of cross-validating one candidate, without the basis that linear heads share."""
    if _is_linear(candidate):
        rank = min(photos, width, MOST_DIMENSIONS)
        return 2.0 * STEPS * photos * rank * classes * folds
    if candidate.method == "knn":  # compares every photo with every other
        return float(photos) * photos * width
    return float(photos) * width * folds


def basis_work(width: int, photos: int) -> float:
    """Cost of the eigenbasis that the linear heads on one view share."""
    rank = min(photos, width, MOST_DIMENSIONS)
    return float(photos) * width * rank + EIGEN * float(rank) ** 3


def _is_linear(candidate: Candidate) -> bool:
    return candidate.method in ("svm", "logistic")
