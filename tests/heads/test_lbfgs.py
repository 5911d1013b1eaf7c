import numpy as np
from numpy.typing import NDArray

from eyespot.heads.lbfgs import minimise

Array = NDArray[np.floating]


def bowls(centres: Array, steepness: Array) -> tuple[Array, Array]:
    """Minima and curvatures of independent quadratic functions, [B, p] each."""
    return centres.astype(np.float32), steepness.astype(np.float32)


def test_each_function_finds_its_own_minimum() -> None:
    rng = np.random.default_rng(0)
    centres, steepness = bowls(rng.normal(size=(5, 40)), rng.uniform(0.1, 10, (5, 40)))
    steepness[3] *= 1000  # one is far steeper than the others
    asked = []

    def objective(points: Array) -> tuple[Array, Array]:
        asked.append(len(points))
        apart = points - centres
        return (steepness * apart**2).sum(axis=1) / 2 + 1, steepness * apart

    found = minimise(objective, np.zeros((5, 40), np.float32), tolerance=1e-7)
    np.testing.assert_allclose(found, centres, atol=0.02)
    assert len(asked) < 200


def test_together_is_as_good_as_alone() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(100, 10)).astype(np.float32)
    signs = np.sign(rng.normal(size=(100, 3))).astype(np.float32)

    def objective(points: Array, signs: Array = signs) -> tuple[Array, Array]:
        margins = signs * (x @ points.T)
        loss = np.logaddexp(0, -margins).mean(axis=0) + 0.05 * (points**2).sum(axis=1)
        slope = -signs / (1 + np.exp(margins)) / len(x)
        return loss, (x.T @ slope).T + 0.1 * points

    together = minimise(objective, np.zeros((3, 10), np.float32), tolerance=1e-7)
    for index in range(3):
        alone = minimise(
            lambda points, index=index: objective(points, signs[:, index : index + 1]),  # type: ignore[misc]
            np.zeros((1, 10), np.float32),
            tolerance=1e-7,
        )
        np.testing.assert_allclose(together[index], alone[0], atol=5e-3)


def test_a_start_at_the_minimum_stays_there() -> None:
    found = minimise(
        lambda points: ((points**2).sum(axis=1), 2 * points), np.zeros((2, 3)), tolerance=1e-6
    )
    np.testing.assert_array_equal(found, np.zeros((2, 3)))
