"""Cross-validation with model selection inside.

Every photo is predicted by a head trained without it and its duplicates. Hyperparameter,
temperature and method are selected, for the photos of one part, on the other parts only. Otherwise
the best of several candidates looks better than it is (Tsamardinos et al., "Bootstrapping the
out-of-sample predictions", 2018).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from eyespot.arrays import F32, F64, I64, Bools
from eyespot.heads.calibration import log_loss, log_losses, select_hyperparameter, softmax
from eyespot.heads.method import Fold, Prepared
from eyespot.shown import Brief


@dataclass(frozen=True, repr=False)
class CrossValidated(Brief):
    """The cross-validation of one method.

    `probabilities`: float64 [n, K], out of fold; hyperparameter and temperature are selected on
    the other parts. Rows of photos in no test fold are NaN. `scores`: float32 [n, K], at
    `hyperparameter`. `hyperparameter`, `temperature`: selected on all parts, for the final head.
    `log_loss`: nats per photo, of `probabilities`.
    """

    probabilities: F64
    scores: F32
    hyperparameter: float
    temperature: float
    log_loss: float


def cross_validate(
    prepared: Prepared,
    labels: I64,
    classes: int,
    repeats: Sequence[Sequence[Fold]],
    parts: I64,
    hyperparameters: Sequence[float],
) -> CrossValidated:
    """Score every photo out of fold for every hyperparameter, and select one.

    `repeats`: one or more divisions into folds; the scores of several are averaged. `parts`:
    int64 [n], the part of each photo for selection (such as its fold in the first division).
    """
    scores = np.mean(
        [prepared.out_of_fold(labels, classes, folds, hyperparameters) for folds in repeats], axis=0
    )
    return select_and_calibrate(scores, labels, parts, hyperparameters)


def select_and_calibrate(
    scores: F32, labels: I64, parts: I64, hyperparameters: Sequence[float]
) -> CrossValidated:
    """Select a hyperparameter and a temperature; for each part's probabilities on the other parts.

    `scores`: float32 [len(hyperparameters), n, classes], out of fold; NaN if not held out.
    """
    held_out = ~np.isnan(scores[0, :, 0])
    best, temperature = select_hyperparameter(scores[:, held_out], labels[held_out])
    probabilities = np.full(scores.shape[1:], np.nan)
    for inside, others in _each_part(parts, held_out):
        selected, part_temperature = select_hyperparameter(scores[:, others], labels[others])
        probabilities[inside] = softmax(scores[selected, inside] / part_temperature)
    return CrossValidated(
        probabilities=probabilities,
        scores=scores[best],
        hyperparameter=hyperparameters[best],
        temperature=temperature,
        log_loss=log_loss(probabilities[held_out], labels[held_out]),
    )


def nested_selection(
    candidates: Sequence[CrossValidated], labels: I64, parts: I64
) -> tuple[int, F64]:
    """Select one of the candidates, the most promising first; and probabilities for evaluating the
    selection.

    The first is selected unless another's log loss is lower by more than a standard error of the
    difference (Breiman et al., Classification and Regression Trees, 1984, section 3.4.3): with few
    photos, the lowest log loss is mostly luck. It is less noisy than the number of mistakes.

    Returns the index, and probabilities float64 [n, K]: the photos of each part are predicted by
    the candidate that is best on the other parts.
    """
    held_out = ~np.isnan(candidates[0].probabilities[:, 0])
    nested = np.full_like(candidates[0].probabilities, np.nan)
    losses = np.array([log_losses(c.probabilities, labels) for c in candidates])

    def best_on(photos: Bools) -> int:
        gains = losses[0, photos] - losses[:, photos]
        error = gains.std(axis=1) / np.sqrt(gains.shape[1])
        worth = np.where(gains.mean(axis=1) > error, gains.mean(axis=1), 0)
        return int(worth.argmax())

    for inside, others in _each_part(parts, held_out):
        nested[inside] = candidates[best_on(others)].probabilities[inside]
    return best_on(held_out), nested


def _each_part(parts: I64, held_out: Bools) -> Iterator[tuple[Bools, Bools]]:
    """The held-out photos of each part, and those of the others; of a single part, its own."""
    for part in np.unique(parts[held_out]):
        others = held_out & (parts != part)
        yield held_out & (parts == part), others if others.any() else held_out
