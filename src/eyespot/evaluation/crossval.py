"""Cross-validation with model selection inside.

Every photo is predicted by a head trained without it and its duplicates. Hyperparameter,
temperature and method are selected, for the photos of one part, on the other parts only. Otherwise
the best of several candidates looks better than it is (Tsamardinos et al., "Bootstrapping the
out-of-sample predictions", 2018).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eyespot.heads.calibration import log_loss, log_losses, select_hyperparameter, softmax
from eyespot.heads.method import Fold, Prepared
from eyespot.shown import Brief


@dataclass(frozen=True, repr=False)
class CrossValidated(Brief):
    """What cross-validation found out about one method.

    `probabilities`: float64 [n, K], out of fold; hyperparameter and temperature are selected on
    the other parts. Rows of photos in no test fold are NaN. `scores`: float32 [n, K], at
    `hyperparameter`. `hyperparameter`, `temperature`: selected on all parts, for the final head.
    `log_loss`: nats per photo, of `probabilities`.
    """

    probabilities: NDArray[np.float64]
    scores: NDArray[np.float32]
    hyperparameter: float
    temperature: float
    log_loss: float


def cross_validate(
    prepared: Prepared,
    labels: NDArray[np.int64],
    classes: int,
    repeats: Sequence[Sequence[Fold]],
    parts: NDArray[np.int64],
    hyperparameters: Sequence[float],
) -> CrossValidated:
    """Ask about every photo out of fold, for every hyperparameter, and choose.

    `repeats`: one or more divisions into folds; the scores of several are averaged. `parts`:
    int64 [n], the part of each photo for choosing (its fold in the first division, say).
    """
    scores = np.mean(
        [prepared.out_of_fold(labels, classes, folds, hyperparameters) for folds in repeats], axis=0
    )
    return choose_and_calibrate(scores, labels, parts, hyperparameters)


def choose_and_calibrate(
    scores: NDArray[np.float32],
    labels: NDArray[np.int64],
    parts: NDArray[np.int64],
    hyperparameters: Sequence[float],
) -> CrossValidated:
    """The best of the hyperparameters, and probabilities that each part's photos had no say in.

    `scores`: float32 [len(hyperparameters), n, classes], out of fold; NaN where not asked.
    """
    asked = ~np.isnan(scores[0, :, 0])
    best, temperature = select_hyperparameter(scores[:, asked], labels[asked])
    probabilities = np.full(scores.shape[1:], np.nan)
    for part in np.unique(parts[asked]):
        inside, outside = asked & (parts == part), asked & (parts != part)
        chosen, warmth = best, temperature
        if outside.any():
            chosen, warmth = select_hyperparameter(scores[:, outside], labels[outside])
        probabilities[inside] = softmax(scores[chosen, inside] / warmth)
    return CrossValidated(
        probabilities=probabilities,
        scores=scores[best],
        hyperparameter=hyperparameters[best],
        temperature=temperature,
        log_loss=log_loss(probabilities[asked], labels[asked]),
    )


def honest_choice(
    candidates: Sequence[CrossValidated], labels: NDArray[np.int64], parts: NDArray[np.int64]
) -> tuple[int, NDArray[np.float64]]:
    """The best of the candidates, the most promising first, and what choosing it is worth.

    The first is chosen unless another's log loss is lower by more than a standard error of the
    difference (Breiman et al., Classification and Regression Trees, 1984, section 3.4.3): with few
    photos, the lowest figure is mostly luck. The log loss tells more than the number of mistakes.

    Returns its index, and probabilities float64 [n, K] in which the photos of each part are
    answered by the candidate that was best on the other parts.
    """
    asked = ~np.isnan(candidates[0].probabilities[:, 0])
    honest = np.full_like(candidates[0].probabilities, np.nan)
    losses = np.array([log_losses(c.probabilities, labels) for c in candidates])

    def best_on(photos: NDArray[np.bool_]) -> int:
        gains = losses[0, photos] - losses[:, photos]
        error = gains.std(axis=1) / np.sqrt(gains.shape[1])
        worth = np.where(gains.mean(axis=1) > error, gains.mean(axis=1), 0)
        return int(worth.argmax())

    for part in np.unique(parts[asked]):
        inside, outside = asked & (parts == part), asked & (parts != part)
        judge = outside if outside.any() else asked
        honest[inside] = candidates[best_on(judge)].probabilities[inside]
    return best_on(asked), honest
