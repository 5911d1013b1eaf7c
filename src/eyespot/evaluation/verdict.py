"""An evaluation in words, and the next step."""

from collections.abc import Sequence

import numpy as np

from eyespot.evaluation.learning_curve import LearningCurve
from eyespot.evaluation.metrics import Evaluation
from eyespot.shown import percent, percent_interval, shortened

LEAST = 5
"""Photos of a class below which it is too early to measure."""
MOST_NAMED = 5
"""Classes that a sentence names."""


def confused_pairs(evaluation: Evaluation) -> list[tuple[int, int, int]]:
    """(actual class, predicted class, photos), the most frequent confusion first."""
    wrong = evaluation.confusion.copy()
    np.fill_diagonal(wrong, 0)
    pairs = [(int(t), int(s), int(wrong[t, s])) for t, s in np.argwhere(wrong)]
    return sorted(pairs, key=lambda pair: -pair[2])


def too_early(evaluation: Evaluation) -> bool:
    """Whether there are fewer than five evaluated photos per class: no accuracy should be shown."""
    return evaluation.count < LEAST * sum(score.support > 0 for score in evaluation.per_class)


def verdict(evaluation: Evaluation, photos: str = "held-out photos") -> str:
    """One or two sentences: the accuracy on `photos`, and the lowest recall."""
    if too_early(evaluation):
        return f"Too early to measure: n = {evaluation.count:,}, fewer than {LEAST} photos a class."
    words = (
        f"Accuracy {percent(evaluation.top1)} on {photos} "
        f"(95% CI {percent_interval(evaluation.top1_interval)}, n = {evaluation.count:,})."
    )
    evaluated = [score for score in evaluation.per_class if score.support]
    if evaluated and min(score.recall for score in evaluated) < 1:
        weakest = min(evaluated, key=lambda score: score.recall)
        words += f" Lowest recall: {weakest.name}, {percent(weakest.recall)}."
    return words


def advice(
    evaluation: Evaluation,
    trained: Sequence[int] | None = None,
    curve: LearningCurve | None = None,
) -> str:
    """The next step, from the data: one to three sentences.

    `trained`: training photos of each class, None if unknown. More photos are advised only where
    the learning curve rises, or where a class has fewer than five.
    """
    names = evaluation.classes
    counts = dict(zip(names, trained, strict=True)) if trained is not None else {}
    lacking = [name for name in names if counts.get(name) == 0]
    if lacking:
        return _without_training_photos(lacking)
    early = [f"{name} ({count})" for name, count in counts.items() if count < LEAST]
    if early:
        return (
            "Too early to measure: too few photos to train on of "
            f"{shortened(early, MOST_NAMED)}. Add photos until each class has {LEAST} or more."
        )
    pairs = confused_pairs(evaluation)
    if not pairs:
        return "No photo was misclassified. Evaluate the classifier on photos from elsewhere."
    actual, predicted, count = pairs[0]
    support = int(evaluation.confusion[actual].sum())
    confusion = (
        f"Most frequent confusion: {names[actual]} misclassified as {names[predicted]}, {count:,} "
        f"of {support:,} photos."
    )
    if curve is not None and curve.trend == "rising":
        scores = [score for score in evaluation.per_class if score.support]
        weakest = min(scores, key=lambda score: score.recall)
        photos = f"about {curve.more:,} photos" if curve.more else "photos"
        return f"Add {photos}, first of {weakest.name} (lowest recall). {confusion}"
    review = f"review {'this pair' if len(pairs) == 1 else f'these {len(pairs):,} pairs'}"
    if curve is not None and curve.trend == "flat":
        return f"More photos will not fix this: {review} of confused classes. {confusion}"
    return f"{confusion} {review.capitalize()} of confused classes, and the label issues."


def _without_training_photos(names: Sequence[str]) -> str:
    one = len(names) == 1
    return (
        f"No photos to train on: {shortened(names, MOST_NAMED)}. The classifier cannot predict "
        f"{'this class' if one else 'these classes'}, so {'its' if one else 'their'} photos "
        f"count as misclassified. Put photos of {'it' if one else 'each'} into the training set, "
        f"or leave {'it' if one else 'them'} out."
    )
