"""An evaluation in words, and what to do next."""

from collections.abc import Sequence

import numpy as np

from eyespot.evaluation.learning_curve import LearningCurve
from eyespot.evaluation.metrics import Evaluation
from eyespot.evaluation.percent import percent, percent_interval

LEAST = 5
"""Photos of a class to train on below which nothing can be said of it."""


def confused_pairs(evaluation: Evaluation) -> list[tuple[int, int, int]]:
    """(actual class, predicted class, photos), the most frequent confusion first."""
    wrong = evaluation.confusion.copy()
    np.fill_diagonal(wrong, 0)
    pairs = [(int(t), int(s), int(wrong[t, s])) for t, s in np.argwhere(wrong)]
    return sorted(pairs, key=lambda pair: -pair[2])


def verdict(evaluation: Evaluation, photos: str = "held-out photos") -> str:
    """One or two sentences: the accuracy on `photos`, and the lowest recall."""
    words = (
        f"Accuracy {percent(evaluation.top1)} on {photos} "
        f"(95% CI {percent_interval(evaluation.top1_interval)}, n = {evaluation.count:,})."
    )
    seen = [score for score in evaluation.per_class if score.support]
    if seen and min(score.recall for score in seen) < 1:
        weakest = min(seen, key=lambda score: score.recall)
        words += f" Lowest recall: {weakest.name}, {percent(weakest.recall)}."
    return words


def advice(
    evaluation: Evaluation,
    trained: Sequence[int] | None = None,
    curve: LearningCurve | None = None,
) -> str:
    """What to do next, by what the data say: one to three sentences.

    `trained`: photos of each class that the classifier was trained on, as far as that is known.
    More photos are advised only where the learning curve rises, or where there are hardly any.
    """
    names = evaluation.classes
    counts = dict(zip(names, trained, strict=True)) if trained is not None else {}
    lacking = [name for name in names if counts.get(name) == 0]
    if lacking:
        one = len(lacking) == 1
        return (
            f"No photos to train on: {_listed(lacking)}. The classifier cannot predict "
            f"{'this class' if one else 'these classes'}, so {'its' if one else 'their'} photos "
            f"count as misclassified. Put photos of {'it' if one else 'each'} among those to train "
            f"on, or leave {'it' if one else 'them'} out."
        )
    early = {name: count for name, count in counts.items() if count < LEAST}
    if early:
        few = [f"{name} ({count})" for name, count in early.items()]
        return (
            f"Too early to measure, for want of photos to train on: {_listed(few)}. Add photos "
            f"until each class has {LEAST} or more."
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
        weakest = min(
            (score for score in evaluation.per_class if score.support),
            key=lambda score: score.recall,
        )
        return f"Add photos, first of {weakest.name} (lowest recall). {confusion}"
    review = "Review the photos that were misclassified, and the label issues"
    if curve is not None and curve.trend == "flat":
        return f"{confusion} {review}: more photos of the same kind will not help much."
    return f"{confusion} {review}."


def _listed(names: Sequence[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
