"""Derivatives of a head's scores by its features, in numpy alone."""

import numpy as np

from eyespot.arrays import F32, unit_rows
from eyespot.heads.scorers import (
    NEIGHBOUR_TEMPERATURE,
    LinearScorer,
    LogitsScorer,
    NeighboursScorer,
    Scorer,
)


def slope(scorer: Scorer, features: F32, index: int) -> F32:
    """Derivative of the score of class `index` by features float32 [d], there: float32 [d].

    Raises TypeError for a head without a known derivative.
    """
    if isinstance(scorer, LinearScorer):
        return scorer.weights[:, index]
    if isinstance(scorer, LogitsScorer):
        out = np.zeros_like(features)
        out[index] = 2 * abs(features[index])
        return out
    if isinstance(scorer, NeighboursScorer):
        return _of_neighbours(scorer, features, index)
    raise TypeError(f"the derivative of the kind of head {scorer.kind!r} is not known")


def _of_neighbours(scorer: NeighboursScorer, features: F32, index: int) -> F32:
    """The score is the logarithm of a sum of exponentials of cosines; see `NeighboursScorer`."""
    standardised = (features - scorer.mean) * scorer.scale
    query = unit_rows(standardised[None])[0]
    cosines = scorer.references @ query
    nearest = np.argsort(-cosines, kind="stable")[: scorer.k]
    voters = nearest[scorer.labels[nearest] == index]
    votes = np.exp((cosines[voters] - 1) / NEIGHBOUR_TEMPERATURE)
    total = votes.sum() + np.exp(-2 / NEIGHBOUR_TEMPERATURE)
    by_query = votes @ scorer.references[voters] / (NEIGHBOUR_TEMPERATURE * total)
    # The query has length one: only the component across it counts.
    across = by_query - query * (query @ by_query)
    length = max(float(np.linalg.norm(standardised)), float(np.finfo(np.float32).tiny))
    return np.asarray(across * scorer.scale / length, dtype=np.float32)
