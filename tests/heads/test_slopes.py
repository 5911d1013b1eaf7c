"""Slopes against what happens when each number moves a little."""

from typing import Any

import numpy as np
import pytest

from eyespot.arrays import unit_rows
from eyespot.heads.scorers import LinearScorer, LogitsScorer, NeighboursScorer, Scorer
from eyespot.heads.slopes import slope

RNG = np.random.default_rng(0)
D, K = 6, 3


def normal(*shape: int) -> Any:
    return RNG.normal(size=shape)


def neighbours(k: int) -> NeighboursScorer:
    """In double precision, so that small differences can be seen."""
    labels = np.arange(12) % K
    mean, scale = normal(D), np.abs(normal(D)) + 0.1
    return NeighboursScorer(mean, scale, unit_rows(normal(12, D)), labels, k, K)


@pytest.mark.parametrize(
    "scorer",
    [LinearScorer(normal(D, K), normal(K)), LogitsScorer(D), neighbours(5), neighbours(50)],
    ids=["linear", "logits", "5 neighbours", "all neighbours"],
)
def test_it_is_the_slope_of_the_score(scorer: Scorer) -> None:
    there = normal(D)
    step = 1e-2 if isinstance(scorer, LinearScorer) else 1e-6  # whose scores are rounded
    steps: Any = step * np.eye(D)
    for index in range(scorer.classes):
        up, down = (scorer.scores(there + sign * steps)[:, index] for sign in (1, -1))
        found = slope(scorer, there, index)
        assert np.allclose(found, (up - down) / (2 * step), rtol=1e-3, atol=1e-3)
        assert found.any()


def test_a_class_without_a_neighbour_has_no_slope() -> None:
    scorer = neighbours(1)
    near = slope(scorer, scorer.mean + scorer.references[4] / scorer.scale, 1)
    far = slope(scorer, scorer.mean + scorer.references[4] / scorer.scale, 2)
    assert np.allclose(near, 0, atol=1e-4)  # on top of its photo: it cannot be more alike
    assert not far.any()


def test_an_unknown_head_is_refused() -> None:
    with pytest.raises(TypeError, match="head 'new'"):
        slope(type("New", (), {"kind": "new"})(), np.zeros(2, np.float32), 0)
