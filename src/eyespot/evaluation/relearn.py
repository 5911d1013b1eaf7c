"""Learn a head again by a known recipe, when photos come or go."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eyespot.evaluation.crossval import cross_validate
from eyespot.evaluation.rejection import Rejection, fit_rejection
from eyespot.heads.method import Fold, Method
from eyespot.heads.ood import Familiarity, familiarity_out_of_fold, learn_familiarity
from eyespot.heads.scorers import Scorer
from eyespot.shown import Brief


@dataclass(frozen=True, repr=False)
class Learnt(Brief):
    """A head, how sure it may be, and its answers out of fold: `probabilities` [n, K]."""

    scorer: Scorer
    temperature: float
    familiarity: Familiarity
    rejection: Rejection
    probabilities: NDArray[np.float64]


def relearn(
    method: Method,
    hyperparameter: float,
    features: NDArray[np.float32],
    block_widths: list[int],
    last_layer: NDArray[np.float32],
    labels: NDArray[np.int64],
    classes: int,
    parts: NDArray[np.int64],
    folds: list[Fold],
) -> Learnt:
    """Cross-validate `method` at its one `hyperparameter`, then learn from all n photos.

    `features` [n, d] for the head, `last_layer` [n, D] for familiarity.
    """
    prepared = method.prepare(features, block_widths)
    found = cross_validate(prepared, labels, classes, [folds], parts, (hyperparameter,))
    right = found.probabilities.argmax(axis=1) == labels
    known = familiarity_out_of_fold(last_layer, labels, folds)
    return Learnt(
        scorer=prepared.fit(labels, classes, hyperparameter),
        temperature=found.temperature,
        familiarity=learn_familiarity(last_layer, labels),
        rejection=fit_rejection(known, right),
        probabilities=found.probabilities,
    )
