"""The ideal searcher against closed forms and published curves."""

from functools import partial

import numpy as np
import pytest

from eyespot.tasks.search.observer import (
    CERTAIN,
    MOST_FIXATIONS,
    SPACING,
    detectability,
    search,
    triangular_grid,
)

PLACES = triangular_grid()


def test_the_grid_is_triangular() -> None:
    assert PLACES.shape == (84, 2)
    np.testing.assert_allclose(PLACES.sum(0), 0, atol=1e-9)
    distances = np.hypot(*(PLACES[:, None] - PLACES).transpose(2, 0, 1))
    np.fill_diagonal(distances, np.inf)
    np.testing.assert_allclose(distances.min(1), SPACING)
    eccentricities = np.hypot(*PLACES.T)
    assert (np.isclose(eccentricities, SPACING)).sum() == 6  # around the centre, which is free
    # With the six corners of the next ring, at five spacings, 90 places would remain.
    assert eccentricities.max() == pytest.approx(SPACING * np.sqrt(21))


def test_detectability_falls_exponentially() -> None:
    found = detectability(0.177, np.array([0.0, 1.8, 7.2]))
    np.testing.assert_allclose(found, 3.28 * np.exp([0, -0.3186, -1.2744]))


def test_the_posterior_of_two_places_is_that_of_bayes_rule() -> None:
    """With one fixation, P(first) = 1 / (1 + exp(d2^2 W2 - d1^2 W1))."""
    places = np.array([[1.0, 0.0], [-2.0, 0.0]])
    d_prime = partial(detectability, 0.2)
    checked = 0
    for seed in range(40):
        found = search(places, d_prime, 0, np.random.default_rng(seed))
        if len(found.fixations) > 1:
            continue
        strength = 3.28 * np.exp([-0.2, -0.4])
        responses = np.array([0.5, -0.5]) + np.random.default_rng(seed).normal(size=2) / strength
        second, first = (strength**2 * responses)[::-1]
        assert found.posterior[0] == pytest.approx(1 / (1 + np.exp(second - first)))
        checked += 1
    assert checked > 5


def test_the_next_fixation_is_where_most_is_expected() -> None:
    """The rule by loops, for the second fixation of a search whose first posterior is known."""
    d_prime = partial(detectability, 0.4)
    found = search(PLACES, d_prime, 10, np.random.default_rng(3))
    strength = d_prime(np.hypot(*PLACES.T))
    means = np.where(np.arange(84) == 10, 0.5, -0.5)
    evidence = strength**2 * np.random.default_rng(3).normal(means, 1 / strength)
    posterior = np.exp(evidence) / np.exp(evidence).sum()
    worth = [
        sum(
            p * d_prime(np.hypot(*(place - other))) ** 2
            for p, other in zip(posterior, PLACES, strict=True)
        )
        for place in PLACES
    ]
    assert len(found.fixations) > 1
    np.testing.assert_array_equal(found.fixations[:2], [[0, 0], PLACES[np.argmax(worth)]])


def test_a_search_ends_when_it_is_certain_or_after_fifty_fixations() -> None:
    blind = search(PLACES, lambda e: 0.01 + 0 * e, 10, np.random.default_rng(0))
    assert len(blind.fixations) == MOST_FIXATIONS
    assert blind.posterior.max() < 0.1
    assert not blind.found
    sharp = search(PLACES, lambda e: 30 + 0 * e, 10, np.random.default_rng(0))
    assert len(sharp.fixations) == 1
    assert (sharp.answer, sharp.found) == (10, True)
    assert sharp.posterior[10] > CERTAIN


@pytest.mark.parametrize(("b", "published"), [(0.177, (4.8, 8.2)), (0.6, (11.3, 21.7))])
def test_fixations_are_in_the_range_of_rashidi_et_al(
    b: float, published: tuple[float, float]
) -> None:
    searches = [
        search(PLACES, partial(detectability, b), seed % 84, np.random.default_rng(seed))
        for seed in range(420)
    ]
    assert published[0] < np.mean([len(one.fixations) for one in searches]) < published[1]
    assert np.mean([one.found for one in searches]) > 0.95
