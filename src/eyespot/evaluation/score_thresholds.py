"""The least score of a detection to be shown and counted, by class.

The threshold maximises F1 on held-out detections. A threshold with the least count error was
decided against: false positives that replace missed objects make a count look exact. F1 pays for
both.
"""

from collections.abc import Sequence

import numpy as np

from eyespot.arrays import F64, I64, Bools
from eyespot.evaluation.detection_matches import ClassMatches

FALLBACK = 0.5
"""Threshold of a class of which no object was found, so that none can be selected."""
PARTS = 5


def select_threshold(matches: ClassMatches, photos: Bools | None = None) -> float:
    """The score with the highest F1 at IoU 0.5 on some photos (bool [P]; default: all).

    It lies halfway between the last detection that is kept and the next one. Among equal F1 the
    highest threshold, which keeps the fewest detections.
    """
    inside = np.ones(matches.positives.shape[1], bool) if photos is None else photos
    counted = ~matches.ignored[0, 0] & inside[matches.photo]
    scores, hit = matches.scores[counted], matches.hit[0, 0, counted]
    if not hit.any():
        return FALLBACK
    positives = int(matches.positives[0, inside].sum())
    f1 = 2 * np.cumsum(hit) / (np.arange(1, len(hit) + 1) + positives)
    below = np.append(scores[1:], 0.0)
    best = int(np.where(scores > below, f1, -1.0).argmax())  # equal scores are kept together
    return float(scores[best] + below[best]) / 2


def select_thresholds(matches: Sequence[ClassMatches]) -> F64:
    """The threshold of each class from all photos, for a detector to keep: float64 [K]."""
    return np.array([select_threshold(one) for one in matches])


def held_out_thresholds(matches: Sequence[ClassMatches], groups: I64) -> F64:
    """Thresholds for measuring the selection, float64 [P, K]: those of a fifth of the groups are
    selected on the other four fifths. `groups`: int64 [P]. A single group keeps its own."""
    _, which = np.unique(groups, return_inverse=True)
    parts = np.random.default_rng(0).permutation(which.max(initial=0) + 1)[which] % PARTS
    thresholds = np.empty((len(groups), len(matches)))
    for part in np.unique(parts):
        others = parts != part
        for label, one in enumerate(matches):
            selected = select_threshold(one, others if others.any() else None)
            thresholds[parts == part, label] = selected
    return thresholds
