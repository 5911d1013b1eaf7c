"""An evaluation in words that anybody understands."""

import numpy as np

from eyespot.evaluation.metrics import Evaluation


def confused_pairs(evaluation: Evaluation) -> list[tuple[int, int, int]]:
    """(true class, said class, photos), the most frequent confusion first."""
    wrong = evaluation.confusion.copy()
    np.fill_diagonal(wrong, 0)
    pairs = [(int(t), int(s), int(wrong[t, s])) for t, s in np.argwhere(wrong)]
    return sorted(pairs, key=lambda pair: -pair[2])


def verdict(evaluation: Evaluation, photos: str = "photos it has never seen") -> str:
    """Two or three sentences: how often right on `photos`, what is weakest, what is confused."""
    low, high = evaluation.top1_interval
    words = (
        f"It is right for {percent(evaluation.top1)} of {photos} "
        f"(95 % sure: between {percent(low)} and {percent(high)}; {evaluation.count} photos asked)."
    )
    seen = [score for score in evaluation.per_class if score.support]
    if seen and min(score.recall for score in seen) < 1:
        weakest = min(seen, key=lambda score: score.recall)
        words += f" Weakest is {weakest.name}: {percent(weakest.recall)} of its photos are found."
    return words


def advice(evaluation: Evaluation) -> str:
    """One sentence: what to do next."""
    pairs = confused_pairs(evaluation)
    if not pairs:
        return "Try it on new photos; on these it made no mistake."
    true, said, count = pairs[0]
    times = "once" if count == 1 else f"{count} times"
    return (
        f"Add 10 more photos of {evaluation.classes[true]}: it was taken for "
        f"{evaluation.classes[said]} {times}."
    )


def percent(share: float) -> str:
    """97.3 %, with a decimal where it says something."""
    return f"{share * 100:.1f} %" if 0 < share < 1 else f"{share * 100:.0f} %"
