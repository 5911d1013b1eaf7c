"""Evaluation of a project's classifier by cross-validation.

The frames of one burst are near-duplicates. They stay in the same fold and count once in the
confidence interval, so that they do not inflate the metrics.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

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
from eyespot.evaluation.crossval import CrossValidated, cross_validate
from eyespot.evaluation.verdict import LEAST
from eyespot.heads.method import Prepared
from eyespot.heads.ood import out_of_fold_ood_scores
from eyespot.shown import Brief, counted, shortened
from eyespot.studio.photo_features import TrainingSet
from eyespot.tasks.classification.classifier import Classifier
from eyespot.tasks.classification.split import CROSS_VALIDATED

PROVEN = 0.8
"""Lower end of the confidence interval from which on "no mistakes" is evidence."""
ENOUGH = next(n for n in range(1, 100) if wilson_interval(n, n)[0] >= PROVEN)
"""Distinct photos, all classified correctly, that reach it: 16."""
MAX_LISTED = 5
MAX_COMPARED = 2_000
"""Photos that are compared with those of other classes: the cost grows with the square."""


@dataclass(frozen=True, slots=True)
class PhotoIssue:
    """A photo whose label may be wrong. `probability`: of the class `suggested`."""

    photo: int
    suggested: str
    probability: float


@dataclass(frozen=True, repr=False)
class ProjectEvaluation(Brief):
    """`accuracy` with its 95% CI `interval`: None where it is too early to measure.

    `count`: photos. `distinct`: photos without near-duplicates. `duplicates`: ids of
    near-duplicates; frames of a burst only where several classes hold them. `lowest_recall`:
    (class, recall), None if all are 1. `confused`: (actual, predicted, photos), the most frequent
    first.
    """

    count: int
    distinct: int
    duplicates: tuple[tuple[int, ...], ...]
    advice: str
    accuracy: float | None = None
    interval: tuple[float, float] | None = None
    lowest_recall: tuple[str, float] | None = None
    confused: tuple[tuple[str, str, int], ...] = ()
    label_issues: tuple[PhotoIssue, ...] = ()


def evaluate_project(
    classifier: Classifier,
    prepared: Prepared,
    training: TrainingSet,
    check: Callable[[], None] = lambda: None,
) -> tuple[Classifier, ProjectEvaluation]:
    """Cross-validate a head; return it calibrated, with its rejection threshold, and the metrics.

    `prepared`: what the head was trained on. `check`: called between steps, may raise Stopped.
    """
    labels, classes, features = training.labels, training.classes, training.features
    last = features.inputs((classifier.backbone.last,))
    found = find_duplicates(features.sha256, features.dhash, features.thumbnails, training.bursts)
    check()
    distinct = training.distinct(found.group.tolist())
    result = _unmeasured(training, found)
    if min(distinct) < 2:
        threshold = lenient_threshold(last, labels)
        text = result.advice or _too_early(training, distinct)
        return replace(classifier, ood_threshold=threshold), replace(result, advice=text)

    divisions = [
        fold_of(labels, found.group, FOLDS, seed) for seed in range(choose_repeats(result.distinct))
    ]
    repeats = [folds(division) for division in divisions]
    hyperparameters = (classifier.recipe.hyperparameter,)
    scores = cross_validate(prepared, labels, len(classes), repeats, divisions[0], hyperparameters)
    check()
    correct = scores.probabilities.argmax(axis=1) == labels
    rejection = fit_rejection(out_of_fold_ood_scores(last, labels, repeats[0]), correct)
    check()
    evaluation = evaluate(scores.probabilities, labels, classes, found.group)
    metrics = {
        **evaluation.to_metrics(),
        "evaluated_on": CROSS_VALIDATED,
        "rejection": rejection.to_dict(),
    }
    calibrated = replace(
        classifier,
        temperature=scores.temperature,
        ood_threshold=rejection.ood_threshold,
        metrics=metrics,
    )
    result = replace(result, advice=result.advice or _advice(evaluation, distinct))
    if min(distinct) < LEAST:
        return calibrated, result
    return calibrated, _measured(result, evaluation, scores, training)


def _unmeasured(training: TrainingSet, found: Duplicates) -> ProjectEvaluation:
    """Counts and duplicates; advice only if several classes hold the same photo."""
    groups = _duplicates(training, found)
    conflicts = [group for group in groups if len(set(training.labels[group].tolist())) > 1]
    conflict = ""
    if conflicts:
        names = dict.fromkeys(training.classes[label] for label in training.labels[conflicts[0]])
        joined = " and ".join(names)
        conflict = f"The same photo is in {joined}: remove it where it does not belong."
    ids = training.ids
    duplicates = tuple(tuple(ids[index] for index in group) for group in groups)
    distinct = len(np.unique(found.group))
    return ProjectEvaluation(len(training.labels), distinct, duplicates, conflict)


def _measured(
    result: ProjectEvaluation,
    evaluation: Evaluation,
    scores: CrossValidated,
    training: TrainingSet,
) -> ProjectEvaluation:
    classes = training.classes
    lowest = min(evaluation.per_class, key=lambda score: score.recall)
    return replace(
        result,
        accuracy=evaluation.top1,
        interval=evaluation.top1_interval,
        lowest_recall=(lowest.name, lowest.recall) if lowest.recall < 1 else None,
        confused=tuple(
            (classes[actual], classes[predicted], count)
            for actual, predicted, count in confused_pairs(evaluation)
        ),
        label_issues=tuple(
            PhotoIssue(training.ids[issue.index], classes[issue.suggested], issue.confidence)
            for issue in find_label_issues(scores.probabilities, training.labels)
        ),
    )


def _duplicates(training: TrainingSet, found: Duplicates) -> list[list[int]]:
    """Groups of duplicates. Frames of a burst are similar by nature: they are left out, unless
    several classes hold the group."""
    related = {index for group in found.near for index in group}
    exact = [group for group in found.exact if not related.intersection(group)]
    groups = []
    for group in [*found.near, *exact]:
        if len(set(training.labels[group].tolist())) == 1:
            group = [index for index in group if training.bursts[index] is None]
        if len(group) > 1:
            groups.append(group)
    return groups


def lenient_threshold(last: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """The rejection threshold where no held-out photos can set it: the median OOD score of photos
    among those of the other classes.

    Measured on one recording of each of three scenes: it rejected 92 of 100 photos of cats and
    dogs, and none of the scenes' later frames."""
    if len(last) > MAX_COMPARED:
        drawn = np.random.default_rng(0).permutation(len(last))[:MAX_COMPARED]
        last, labels = last[drawn], labels[drawn]
    return float(np.median(out_of_fold_ood_scores(last, labels, folds(labels))))


def _too_early(training: TrainingSet, distinct: Sequence[int]) -> str:
    """Advice where a class has a single photo or a single recording."""
    single = [index for index, count in enumerate(distinct) if count < 2]
    listed = shortened([training.classes[index] for index in single], MAX_LISTED)
    if any(np.count_nonzero(training.labels == index) == 1 for index in single):
        return (
            f"Too early to measure. Add photos of {listed}, until each class has {LEAST} or more."
        )
    which = "each class" if len(single) == len(training.classes) else listed
    return (
        f"Too early to measure: the frames of one recording are near-duplicates. Record {which} "
        "again, from another side."
    )


def _advice(evaluation: Evaluation, distinct: Sequence[int]) -> str:
    early = min(distinct) < LEAST
    if early or evaluation.top1_interval[0] >= PROVEN or confused_pairs(evaluation):
        return advice(evaluation, distinct)
    fewest = evaluation.classes[int(np.argmin(distinct))]
    missing = counted(max(1, ENOUGH - sum(distinct)))
    return (
        "No photo was misclassified, but there are few distinct photos. "
        f"Add {missing} or more from other sides, first of {fewest}."
    )
