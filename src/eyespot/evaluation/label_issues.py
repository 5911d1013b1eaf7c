"""Photos whose label looks wrong.

Confident learning: Northcutt, Jiang, Chuang, "Confident Learning: Estimating Uncertainty in
Dataset Labels", JAIR 2021, section 3.1: a photo is suspect if a head that never saw it gives
another class at least the probability that this class usually gets from its own photos.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SURE = 0.8
"""Least probability of the other class: a person's time is spent on clear cases only."""


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Photo `index` may be of class `suggested`; probabilities of that and of its own label."""

    index: int
    suggested: int
    confidence: float
    own: float


def suspicious_labels(
    probabilities: NDArray[np.float64], labels: NDArray[np.int64]
) -> list[Suspicion]:
    """Suspects among n photos, the clearest first.

    `probabilities`: float64 [n, K], out of fold; rows of NaN are passed over.
    """
    asked = np.flatnonzero(~np.isnan(probabilities[:, 0]))
    usual = np.ones(probabilities.shape[1])
    for index in range(len(usual)):
        own = asked[labels[asked] == index]
        if len(own):
            usual[index] = probabilities[own, index].mean()
    out = []
    for photo in asked:
        guess = int(probabilities[photo].argmax())
        confidence = float(probabilities[photo, guess])
        if guess != labels[photo] and confidence >= max(usual[guess], SURE):
            own_share = float(probabilities[photo, labels[photo]])
            out.append(Suspicion(int(photo), guess, confidence, own_share))
    return sorted(out, key=lambda suspicion: suspicion.own - suspicion.confidence)
