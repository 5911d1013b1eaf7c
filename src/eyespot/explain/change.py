"""Counterfactuals: the fewest squares that change the prediction when they are covered."""

from dataclasses import dataclass

import numpy as np

from eyespot.arrays import F64, U8
from eyespot.explain.occlusion import Box, covered, covered_features, squares
from eyespot.tasks.classification.classifier import Classifier

MOST = 6
"""Squares together at most: these cover up to 3/8 of the photo, and little remains to see."""


@dataclass(frozen=True, slots=True)
class Change:
    """`boxes`: squares that change the prediction when covered, in pixels of the network's input.
    `share`: of the image, 0..1. `label`, `probability`: the new prediction."""

    boxes: tuple[Box, ...]
    share: float
    label: str
    probability: float


def least_change(
    classifier: Classifier, prepared: U8, probabilities: F64, wanted: int | None = None
) -> Change | None:
    """The fewest squares found that change the prediction when they are covered.

    `prepared`: uint8 [S, S, 3]. `probabilities`: [1 + n, K], predicted from the features of
    `slide`. `wanted`: the class to change to; None for any other class. Returns None if `MOST`
    squares are not enough. All single squares are tried. Then a
    greedy search adds the square that helps most, and removes those without effect at the end; a
    smaller set may exist.
    """
    predicted = int(probabilities[0].argmax())
    every = squares(len(prepared))
    chosen: list[Box] = []
    options, found = [[box] for box in every], probabilities[1:]
    while True:
        leads = _lead(found, predicted, wanted)
        first = int(leads.argmin())
        chosen, last = options[first], found[first]
        if leads[first] < 0:
            break
        if len(chosen) == MOST:
            return None
        options = [[*chosen, box] for box in every if box not in chosen]
        found = classifier.score_features(covered_features(classifier, prepared, options))[0]
    for box in chosen[:-1]:
        fewer = [other for other in chosen if other != box]
        row = classifier.score_features(covered_features(classifier, prepared, [fewer]))[0]
        if _lead(row, predicted, wanted)[0] < 0:
            chosen, last = fewer, row[0]
    mask = covered(np.zeros((*prepared.shape[:2], 1), np.uint8), chosen, (1,))
    best = int(last.argmax())
    return Change(tuple(chosen), float(mask.mean()), classifier.classes[best], float(last[best]))


def _lead(probabilities: F64, predicted: int, wanted: int | None) -> F64:
    """Log odds [n] that keep the prediction from changing; below zero, it has changed."""
    logs = np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))
    ahead = predicted if wanted is None else wanted
    against = np.delete(logs, ahead, axis=1).max(axis=1)
    lead: F64 = logs[:, ahead] - against
    return lead if wanted is None else -lead
