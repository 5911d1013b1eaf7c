"""How good a project's classifier is, in figures that hold for pictures it has not seen.

Frames of one burst are nearly the same picture: a head that has seen one knows the others. They
stand on the same side of every fold, and count once where an interval says how sure a figure is.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eyespot.data.duplicates import Duplicates, find_duplicates
from eyespot.data.splits import FOLDS, choose_repeats, fold_of, folds
from eyespot.evaluation import (
    Evaluation,
    advice,
    confused_pairs,
    evaluate,
    find_label_issues,
    fit_rejection,
    wilson_interval,
)
from eyespot.evaluation.crossval import cross_validate
from eyespot.evaluation.verdict import LEAST
from eyespot.features.extract import Features
from eyespot.heads.method import Prepared
from eyespot.heads.ood import out_of_fold_ood_scores
from eyespot.shown import Brief
from eyespot.tasks.classification.classifier import Classifier
from eyespot.tasks.classification.split import CROSS_VALIDATED

PROVEN = 0.8
"""Right at least so often, says the lower end of the interval: then no mistake means something."""
ENOUGH = next(n for n in range(1, 100) if wilson_interval(n, n)[0] >= PROVEN)
"""Clearly different pictures, all classified rightly, from which on that is so: 16."""
MOST_STRANGERS = 2_000
"""Pictures that are compared with those of other classes: the cost grows with the square."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A picture that may be of the class `suggested`, with that probability."""

    picture: int
    suggested: str
    probability: float


@dataclass(frozen=True, repr=False)
class Figures(Brief):
    """`top1` with its 95 % `interval`: None where they cannot be honest, and `advice` says why.

    `asked`: pictures, and `independent`: how many of them differ. `weakest`: (class, share of its
    pictures that are found), None if all are. `confused`: (class, taken for, times), the most
    frequent first. `doubled`: ids of pictures that are the same; of recorded frames only those in
    several classes.
    """

    top1: float | None
    interval: tuple[float, float] | None
    asked: int
    independent: int
    weakest: tuple[str, float] | None
    confused: tuple[tuple[str, str, int], ...]
    label_issues: tuple[Suspect, ...]
    doubled: tuple[tuple[int, ...], ...]
    advice: str

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def judge(
    classifier: Classifier,
    prepared: Prepared,
    features: Features,
    labels: NDArray[np.int64],
    ids: Sequence[int],
    bursts: Sequence[str | None],
    stopped: Callable[[], None] = lambda: None,
) -> tuple[Classifier, Figures]:
    """The same head with probabilities and a refusal that were set by what it has not seen, and
    its figures.

    `prepared`: what its head was learnt from. `labels`: int64 [n]. `ids`: of the n pictures.
    `stopped`: called between steps, raises what ends the work.
    """
    names = classifier.classes
    last = features.inputs((classifier.backbone.last,))
    duplicates = find_duplicates(features.sha256, features.dhash, features.thumbnails, bursts)
    doubled = _doubled(duplicates, labels, bursts)
    stopped()
    groups = duplicates.group
    independent = len(np.unique(groups))
    single = [index for index in range(len(names)) if len(np.unique(groups[labels == index])) < 2]
    own = tuple(tuple(ids[index] for index in group) for group in doubled)
    disputed = [group for group in doubled if len(set(labels[group].tolist())) > 1]
    conflict = _conflict([names[label] for label in labels[disputed[0]]]) if disputed else ""
    if single:
        threshold = lenient_threshold(last, labels)
        told = conflict or _once_more([names[index] for index in single], labels, single, names)
        figures = Figures(None, None, 0, independent, None, (), (), own, told)
        return replace(classifier, ood_threshold=threshold), figures

    divisions = [
        fold_of(labels, groups, FOLDS, seed) for seed in range(choose_repeats(independent))
    ]
    repeats = [folds(division) for division in divisions]
    hyperparameter = classifier.recipe.hyperparameter
    found = cross_validate(prepared, labels, len(names), repeats, divisions[0], (hyperparameter,))
    stopped()
    right = found.probabilities.argmax(axis=1) == labels
    rejection = fit_rejection(out_of_fold_ood_scores(last, labels, repeats[0]), right)
    stopped()
    evaluation = evaluate(found.probabilities, labels, names, groups)
    weakest = min(evaluation.per_class, key=lambda score: score.recall)
    figures = Figures(
        top1=evaluation.top1,
        interval=evaluation.top1_interval,
        asked=evaluation.count,
        independent=independent,
        weakest=(weakest.name, weakest.recall) if weakest.recall < 1 else None,
        confused=tuple(
            (names[true], names[said], count) for true, said, count in confused_pairs(evaluation)
        ),
        label_issues=tuple(
            Suspect(ids[s.index], names[s.suggested], s.confidence)
            for s in find_label_issues(found.probabilities, labels)
        ),
        doubled=own,
        advice=conflict or _advice(evaluation, groups, labels),
    )
    metrics = {
        **evaluation.to_metrics(),
        "evaluated_on": CROSS_VALIDATED,
        "rejection": rejection.to_dict(),
    }
    judged = replace(
        classifier,
        temperature=found.temperature,
        ood_threshold=rejection.ood_threshold,
        metrics=metrics,
    )
    return judged, figures


def _doubled(
    duplicates: Duplicates, labels: NDArray[np.int64], bursts: Sequence[str | None]
) -> list[list[int]]:
    """Groups of the same picture. Frames are alike by nature, so they are left out, unless a group
    stands in several classes."""
    related = {index for group in duplicates.near for index in group}
    files = [group for group in duplicates.exact if not related.intersection(group)]
    found = []
    for group in [*duplicates.near, *files]:
        if len(set(labels[group].tolist())) == 1:
            group = [index for index in group if bursts[index] is None]
        if len(group) > 1:
            found.append(group)
    return found


def lenient_threshold(last: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """The OOD threshold without held-out photos: the median OOD score of photos of one class
    against those of the others.

    Measured on one recording of each of three scenes: of 100 photos of cats and dogs 92 were
    rejected, of the scenes' later frames none."""
    if len(last) > MOST_STRANGERS:
        drawn = np.random.default_rng(0).permutation(len(last))[:MOST_STRANGERS]
        last, labels = last[drawn], labels[drawn]
    return float(np.median(out_of_fold_ood_scores(last, labels, folds(labels))))


def _conflict(names: Sequence[str]) -> str:
    both = " and ".join(dict.fromkeys(names))
    return f"The same picture is in {both}: remove it where it does not belong."


def _once_more(
    lacking: Sequence[str], labels: NDArray[np.int64], single: Sequence[int], names: Sequence[str]
) -> str:
    """What to do where a class was recorded once, or has a single picture."""
    if any(np.count_nonzero(labels == index) == 1 for index in single):
        which = _listed(lacking)
        return f"Add more pictures of {which}: from one alone nobody can tell how well it works."
    which = "each class" if len(lacking) == len(names) else _listed(lacking)
    return (
        f"Record {which} once more, from another side: the frames of one recording are too alike "
        "to tell how well it works."
    )


def _advice(evaluation: Evaluation, groups: NDArray[np.int64], labels: NDArray[np.int64]) -> str:
    """What to do next; pictures that are too alike count once."""
    differing = [len(np.unique(groups[labels == k])) for k in range(len(evaluation.classes))]
    early = min(differing) < LEAST
    if early or evaluation.top1_interval[0] >= PROVEN or confused_pairs(evaluation):
        return advice(evaluation, differing)
    fewest = evaluation.classes[int(np.argmin(differing))]
    missing = max(1, ENOUGH - len(np.unique(groups)))
    more = "1 picture" if missing == 1 else f"{missing} pictures"
    return (
        "No picture was misclassified, but few of them are clearly different. Add "
        f"{more} or more from other sides, first of {fewest}."
    )


def _listed(names: Sequence[str], most: int = 5) -> str:
    if len(names) == 1:
        return names[0]
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return f"{', '.join(names[:-1])} and {names[-1]}"
