"""What would have to change: few squares of a photo without which the answer is another."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eyespot.explain.occlusion import Box, covered, look, squares
from eyespot.tasks.classification.classifier import Classifier

MOST = 6
"""Squares that are tried together: with these, up to 3/8 of the photo is covered, and hardly
anything would still be recognised."""


@dataclass(frozen=True, slots=True)
class Change:
    """`boxes`: squares that, covered together, change the answer, in pixels of what the network
    sees. `share`: how much of the picture that is, 0..1. `label`, `probability`: the new answer."""

    boxes: tuple[Box, ...]
    share: float
    label: str
    probability: float


def least_change(
    classifier: Classifier,
    prepared: NDArray[np.uint8],
    probabilities: NDArray[np.float64],
    wanted: int | None = None,
) -> Change | None:
    """The fewest squares found without which the picture is `wanted`, or, if that is None, any
    other class than it is; None if `MOST` squares are not enough.

    `prepared`: uint8 [S, S, 3]. `probabilities`: [1 + n, K], by the features that
    `slide` gives. One square is exact: all are
    tried. Of more, the square that helps most joins those before it, and what turns out not to
    matter is left out at the end; a smaller set may exist.
    """
    answer = int(probabilities[0].argmax())
    every = squares(len(prepared))
    chosen: list[Box] = []
    options, found = [[box] for box in every], probabilities[1:]
    while True:
        leads = _lead(found, answer, wanted)
        best = int(leads.argmin())
        chosen, last = options[best], found[best]
        if leads[best] < 0:
            break
        if len(chosen) == MOST:
            return None
        options = [[*chosen, box] for box in every if box not in chosen]
        found = classifier.score_features(look(classifier, prepared, options))[0]
    for box in chosen[:-1]:
        fewer = [other for other in chosen if other != box]
        row = classifier.score_features(look(classifier, prepared, [fewer]))[0]
        if _lead(row, answer, wanted)[0] < 0:
            chosen, last = fewer, row[0]
    mask = covered(np.zeros((*prepared.shape[:2], 1), np.uint8), chosen, (1,))
    said = int(last.argmax())
    return Change(tuple(chosen), float(mask.mean()), classifier.classes[said], float(last[said]))


def _lead(
    probabilities: NDArray[np.float64], answer: int, wanted: int | None
) -> NDArray[np.float64]:
    """How far, in log odds [n], what is said is ahead of what it shall be; below zero it is."""
    logs = np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))
    ahead = answer if wanted is None else wanted
    against = np.delete(logs, ahead, axis=1).max(axis=1)
    lead: NDArray[np.float64] = logs[:, ahead] - against
    return lead if wanted is None else -lead
