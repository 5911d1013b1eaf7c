from typing import Any

import numpy as np
import pytest

from eyespot.errors import UsageError
from eyespot.playground.functions import features_of
from eyespot.playground.settings import Settings
from eyespot.playground.simulator import Simulator
from eyespot.playground.snapshot import LINES, PIECE, Snapshot, draw


def learnt(steps: int, **options: Any) -> Simulator:
    simulator = Simulator(Settings(**options))
    if steps:
        simulator.step(steps)
    return simulator


def test_surfaces_are_what_the_units_say_there() -> None:
    simulator = learnt(50, features=("x", "xy"), hidden=(3, 2), batch_norm=True, dropout=0.2)
    image = draw(simulator, 13)
    assert image.layers == (2, 3, 2, 1)
    assert image.surfaces.shape == (8, 13, 13)
    assert image.surfaces.dtype == np.float32
    # The pixel at row 2, column 9 is the place x = 3, y = 4.
    passes = simulator.net.forward(features_of(np.array([[3.0, 4.0]]), ("x", "xy")))
    said = np.concatenate([[3.0, 12.0], *(seen.outputs[0] for seen in passes)])
    np.testing.assert_allclose(image.surfaces[:-1, 2, 9], said[:-1], rtol=1e-6)
    chance = 1 / (1 + np.exp(-said[-1]))
    assert image.surfaces[-1, 2, 9] == pytest.approx(chance - (1 - chance), rel=1e-6)
    np.testing.assert_array_equal(image.surfaces[0, 0], np.linspace(-6, 6, 13))


def test_surfaces_larger_than_a_piece_are_whole() -> None:
    simulator = learnt(20)
    small, large = (draw(simulator, side).surfaces for side in (5, 101))
    assert 101 * 101 % PIECE
    np.testing.assert_allclose(large[:, ::25, ::25], small, rtol=1e-6)


def test_the_output_of_regression_is_the_value() -> None:
    simulator = learnt(2000, problem="regression", data="plane", hidden=())
    surface = draw(simulator, 25).surfaces[-1]
    assert surface[4, 20] == pytest.approx(0.8, abs=0.02)  # x = 4, y = 4
    assert surface[20, 4] == pytest.approx(-0.8, abs=0.02)


def test_shades_have_zero_in_the_middle_and_each_unit_its_scale() -> None:
    image = draw(learnt(50, problem="regression", data="plane", features=("x", "x^2")), 21)
    shades = image.shades()
    assert shades.dtype == np.uint8
    assert shades.shape == image.surfaces.shape
    np.testing.assert_array_equal(shades[0, 5, [0, 10, 20]], [1, 128, 255])
    np.testing.assert_array_equal(shades[1, 5, [0, 10, 20]], [255, 128, 255])
    output = image.surfaces[-1]
    np.testing.assert_array_equal(shades[-1], np.round(128 + 127 * output.clip(-1, 1)))


def test_a_unit_that_says_nothing_is_zero_all_over() -> None:
    nowhere = Snapshot(
        **{
            name: getattr(draw(learnt(0), 4), name)
            for name in Snapshot.__dataclass_fields__
            if name != "surfaces"
        },
        surfaces=np.zeros((2, 4, 4), np.float32),
    )
    assert (nowhere.shades() == 128).all()


def test_edges_are_weights_and_their_last_slopes() -> None:
    simulator = learnt(0, hidden=(3,))
    before = draw(simulator, 4)
    assert [edges.weights.shape for edges in before.edges] == [(2, 3), (3, 1)]
    assert not any(edges.weights_slope.any() or edges.bias_slope.any() for edges in before.edges)
    simulator.step()
    after = draw(simulator, 4)
    for then, now in zip(before.edges, after.edges, strict=True):
        np.testing.assert_allclose(now.weights, then.weights - 0.03 * now.weights_slope)
        np.testing.assert_allclose(now.bias, then.bias - 0.03 * now.bias_slope)
        assert now.weights_slope.any()
    assert (after.steps, after.epochs) == (1, 0)
    assert after.scores == simulator.scores


def test_two_units_are_the_axes_of_their_space() -> None:
    simulator = learnt(50)
    space = draw(simulator, 10).space
    assert space.axes == "The two units of the last hidden layer."
    passes = simulator.net.forward(simulator.points.positions)
    np.testing.assert_allclose(space.points, passes[1].outputs, rtol=1e-6)
    assert space.mesh.shape == (LINES, LINES, 2)
    # Row 4, column 18 of the mesh is x = 3, y = 4.
    there = simulator.net.forward(np.array([[3.0, 4.0]]))[1].outputs[0]
    np.testing.assert_allclose(space.mesh[4, 18], there, rtol=1e-5)


def test_more_units_are_seen_along_their_principal_components() -> None:
    simulator = learnt(200, hidden=(8,))
    space = draw(simulator, 10).space
    outputs = simulator.net.forward(simulator.points.positions)[0].outputs
    centred = outputs - outputs.mean(axis=0)
    _, singular, directions = np.linalg.svd(centred, full_matrices=False)
    expected = centred @ directions[:2].T
    np.testing.assert_allclose(np.abs(space.points), np.abs(expected), atol=1e-5)
    share = (singular[:2] ** 2).sum() / (singular**2).sum()
    assert space.axes == (
        "The first two principal components of the 8 units of the last hidden layer, "
        f"which hold {100 * share:.0f}% of their variance."
    )


def test_one_unit_and_no_hidden_layer_have_a_space_too() -> None:
    one = draw(learnt(20, hidden=(4, 1)), 5).space
    assert one.axes == "Across: the only unit of the last hidden layer."
    assert (one.points[:, 1] == 0).all()
    assert one.points[:, 0].std() > 0
    none = learnt(20, hidden=())
    space = draw(none, 5).space
    assert space.axes == "The two features."
    np.testing.assert_allclose(space.points, none.points.positions, rtol=1e-6)


def test_units_that_are_all_dead_can_be_drawn() -> None:
    own = ((0.0, 0.0, 1.0), (0.0, 0.0, -1.0)) * 2
    image = draw(learnt(0, hidden=(5,), activation="relu", data="own", own=own), 4)
    assert (image.space.points == 0).all()
    assert "hold 0%" in image.space.axes


@pytest.mark.parametrize("resolution", [0, 1, 201])
def test_a_resolution_out_of_its_limits_is_refused(resolution: int) -> None:
    with pytest.raises(UsageError, match="from 2 to 200"):
        draw(learnt(0), resolution)
