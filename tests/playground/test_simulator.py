import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eyespot.errors import UsageError
from eyespot.playground.functions import LOSSES
from eyespot.playground.settings import Settings
from eyespot.playground.simulator import LARGEST, MOST_STEPS, Simulator
from eyespot.playground.snapshot import draw
from tests.playground.test_settings import all_settings

DIVERGES = Settings(
    problem="regression", data="plane", features=("x^2", "y^2"), activation="linear"
)


def learnt(steps: int, **options: Any) -> Simulator:
    simulator = Simulator(Settings(**options))
    simulator.step(steps)
    return simulator


def weights_of(simulator: Simulator) -> list[np.ndarray]:
    return [values for x in simulator.net.layers for values in (x.weights, x.bias)]


def assert_same(one: Simulator, other: Simulator) -> None:
    for mine, yours in zip(weights_of(one), weights_of(other), strict=True):
        np.testing.assert_array_equal(mine, yours)
    assert one.scores == other.scores
    assert one.curves == other.curves
    assert (one.steps, one.epochs) == (other.steps, other.epochs)


# --- what it learns -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"data": "circle"},
        {"data": "xor"},
        {"data": "gauss", "hidden": (), "noise": 0.1},
        {"data": "circle", "features": ("x^2", "y^2"), "hidden": ()},
        {"data": "xor", "features": ("xy",), "hidden": ()},
        {"data": "circle", "activation": "relu", "hidden": (8,), "dropout": 0.2},
        {"activation": "sigmoid", "batch_norm": True, "hidden": (6, 4), "learning_rate": 0.3},
    ],
    ids=str,
)
def test_it_learns_what_it_can_learn(options: dict[str, Any]) -> None:
    scores = learnt(3000, **options).scores
    assert scores.test_accuracy is not None
    assert scores.test_accuracy > 0.95
    assert scores.test_loss < 0.25


def test_it_learns_the_spiral_with_the_right_features() -> None:
    features = ("x", "y", "sin x", "sin y")
    scores = learnt(
        8000, data="spiral", features=features, hidden=(8,), count=1000, learning_rate=0.1
    ).scores
    assert scores.test_accuracy is not None
    assert scores.test_accuracy > 0.95


def test_a_line_does_not_separate_xor() -> None:
    # Whatever their number: layers without an activation are one.
    for hidden in ((), (8, 8)):
        scores = learnt(2000, data="xor", hidden=hidden, activation="linear").scores
        assert scores.train_accuracy is not None
        assert scores.train_accuracy < 0.75


@pytest.mark.parametrize(("data", "hidden"), [("plane", ()), ("gauss", (8, 4))])
def test_it_fits_values(data: str, hidden: tuple[int, ...]) -> None:
    simulator = learnt(4000, problem="regression", data=data, hidden=hidden, learning_rate=0.1)
    varies = simulator.points.targets.var() / 2  # the loss of their mean
    assert simulator.scores.test_loss < 0.5 * varies
    assert simulator.scores.test_accuracy is None


def test_penalties_keep_weights_small_and_l1_makes_many_nearly_nothing() -> None:
    plain, ridge, lasso = (
        np.abs(learnt(2000, hidden=(8,), **options).net.layers[0].weights)
        for options in ({}, {"l2": 0.03}, {"l1": 0.02})
    )
    assert ridge.mean() < 0.9 * plain.mean()
    assert (lasso < 0.01).mean() > 0.3 > (plain < 0.01).mean()


# --- how it goes about it -----------------------------------------------------------------------


def test_scores_are_those_of_all_points_as_in_testing() -> None:
    simulator = learnt(120, dropout=0.4, batch_norm=True, noise=0.3, l2=0.1)
    points, scores = simulator.points, simulator.scores
    output = simulator.net.outputs(points.positions)
    train, test = points.is_train, ~points.is_train
    loss = LOSSES["classification"].value
    assert scores.train_loss == loss(output[train], points.targets[train])
    assert scores.test_loss == loss(output[test], points.targets[test])
    right = np.sign(output) == points.targets
    assert scores.train_accuracy == right[train].mean()
    assert scores.test_accuracy == right[test].mean()
    assert scores.train_accuracy != scores.test_accuracy


def test_an_epoch_learns_from_every_whole_batch_once(monkeypatch: pytest.MonkeyPatch) -> None:
    simulator = Simulator(Settings(count=50, train_share=0.5, batch_size=10))
    seen: list[np.ndarray] = []
    forward = type(simulator.net).forward

    def watched(net: Any, inputs: np.ndarray, rng: Any = None) -> Any:
        if rng is not None:
            seen.append(inputs)
        return forward(net, inputs, rng)

    monkeypatch.setattr(type(simulator.net), "forward", watched)
    simulator.step(4)
    assert (simulator.steps, simulator.epochs) == (4, 2)
    assert simulator.curves.epochs == [0, 1, 2]
    assert {len(inputs) for inputs in seen} == {10}
    learning = {tuple(place) for place in simulator.points.positions[simulator.points.is_train]}
    first, second = ({tuple(x) for x in np.concatenate(seen[n : n + 2])} for n in (0, 2))
    assert len(first) == len(second) == 20
    assert first | second <= learning
    assert first != second


def test_a_batch_larger_than_the_set_is_the_set() -> None:
    simulator = learnt(3, count=20, batch_size=100)
    assert (simulator.steps, simulator.epochs) == (3, 3)


def test_the_gradients_shown_are_those_of_the_step_taken() -> None:
    simulator = Simulator(Settings(learning_rate=0.5, schedule="step", epochs=2, count=20))
    assert simulator.gradients == []
    before = weights_of(simulator)
    simulator.step()
    assert simulator.learning_rate == 0.05, "of the next step: half of the epochs are over"
    for layer, gradient, weights, bias in zip(
        simulator.net.layers, simulator.gradients, before[::2], before[1::2], strict=True
    ):
        np.testing.assert_allclose(layer.weights, weights - 0.5 * gradient.weights)
        np.testing.assert_allclose(layer.bias, bias - 0.5 * gradient.bias)


def test_the_schedule_ends_and_learning_may_go_on() -> None:
    rates = []
    simulator = Simulator(Settings(count=20, epochs=4, schedule="inverse", learning_rate=0.06))
    for _ in range(6):
        rates.append(simulator.learning_rate)
        simulator.step()
    np.testing.assert_allclose(rates, [0.06, 0.03, 0.02, 0.015, 0.012, 0.012])
    simulator = learnt(30, count=20, epochs=4, schedule="cosine")
    assert simulator.learning_rate == 0
    assert simulator.steps == 30


# --- the same again -----------------------------------------------------------------------------


def test_a_seed_is_a_run() -> None:
    options: dict[str, Any] = {"dropout": 0.3, "batch_norm": True, "noise": 0.2}
    one, other = (learnt(300, **options) for _ in range(2))
    assert_same(one, other)
    piecemeal = Simulator(Settings(**options))
    for _ in range(300):
        piecemeal.step()
    assert_same(one, piecemeal)
    fresh, another = Simulator(Settings()), Simulator(Settings(seed=1))
    assert (weights_of(fresh)[0] != weights_of(another)[0]).all()
    assert (fresh.points.positions != another.points.positions).any()


def test_reset_is_as_new() -> None:
    simulator = learnt(300, dropout=0.3, batch_norm=True)
    simulator.reset()
    fresh = Simulator(simulator.settings)
    assert simulator.gradients == []
    assert_same(simulator, fresh)
    simulator.step(100)
    fresh.step(100)
    assert_same(simulator, fresh)


def test_drawing_and_measuring_change_nothing() -> None:
    watched, alone = (Simulator(Settings(dropout=0.3, batch_norm=True)) for _ in range(2))
    for _ in range(60):
        watched.step()
        draw(watched, 10)
    alone.step(60)
    assert_same(watched, alone)


def test_what_is_changed_midway_keeps_what_was_learnt_if_it_fits() -> None:
    simulator = learnt(100)
    weights = weights_of(simulator)
    simulator.change(replace(simulator.settings, learning_rate=0.1, batch_size=25, noise=0.4))
    assert simulator.steps == 100
    assert simulator.learning_rate == 0.1
    for mine, before in zip(weights_of(simulator), weights, strict=True):
        np.testing.assert_array_equal(mine, before)
    noisy = Simulator(simulator.settings)
    np.testing.assert_array_equal(simulator.points.positions, noisy.points.positions)
    output = simulator.net.outputs(noisy.points.positions)
    loss = LOSSES["classification"].value(output, noisy.points.targets)
    sides = simulator.scores.train_loss + simulator.scores.test_loss
    assert sides / 2 == pytest.approx(loss)
    simulator.step(10)
    assert (simulator.steps, simulator.epochs) == (110, 5)

    simulator.change(replace(simulator.settings, hidden=(3,)))
    assert_same(simulator, Simulator(simulator.settings))


def test_points_that_are_gone_are_not_learnt_from() -> None:
    simulator = learnt(1, count=500)
    simulator.change(replace(simulator.settings, count=20))
    simulator.step(2)
    assert simulator.steps == 3
    assert len(simulator.points.targets) == 20


@pytest.mark.parametrize("option", ["features", "hidden", "activation", "dropout", "batch_norm"])
def test_another_network_begins_anew(option: str) -> None:
    other: dict[str, Any] = {
        "features": ("x",),
        "hidden": (5,),
        "activation": "relu",
        "dropout": 0.1,
    }
    simulator = learnt(10)
    simulator.change(replace(simulator.settings, **{option: other.get(option, True)}))
    assert simulator.steps == 0


# --- own points, and what goes wrong ------------------------------------------------------------


def test_own_points_are_learnt() -> None:
    places = [(x / 2, y / 2) for x in range(-8, 9) for y in range(-8, 9)]
    own = tuple((x, y, 1.0 if x > y else -1.0) for x, y in places if x != y)
    simulator = learnt(3000, data="own", own=own)
    assert len(simulator.points.targets) == len(own)
    assert simulator.scores.test_accuracy is not None
    assert simulator.scores.test_accuracy > 0.95


def test_no_own_points_are_refused() -> None:
    with pytest.raises(UsageError, match="Add points"):
        Simulator(Settings(data="own"))


@pytest.mark.parametrize("count", [0, -1, MOST_STEPS + 1])
def test_a_wrong_number_of_steps_is_refused(count: int) -> None:
    with pytest.raises(UsageError, match=f"1 to {MOST_STEPS} steps"):
        Simulator(Settings()).step(count)


def test_a_loss_without_bound_stops_the_run_and_is_told() -> None:
    simulator = Simulator(replace(DIVERGES, learning_rate=1.0))
    simulator.step(1000)
    assert simulator.stopped is not None
    assert "Lower the learning rate" in simulator.stopped
    assert simulator.steps < 100
    assert all(np.abs(values).max() <= LARGEST for values in weights_of(simulator))
    image = draw(simulator)
    assert np.isfinite(image.surfaces).all()
    assert image.stopped == simulator.stopped
    assert np.isfinite([image.scores.train_loss, image.scores.test_loss]).all()
    weights, steps = weights_of(simulator), simulator.steps
    simulator.step(5)
    assert simulator.steps == steps
    assert all(a is b for a, b in zip(weights_of(simulator), weights, strict=True))
    simulator.change(replace(DIVERGES, learning_rate=1e-4))
    simulator.reset()
    simulator.step(100)
    assert simulator.stopped is None
    assert simulator.steps == 100


def test_weights_without_bound_stop_the_run_even_if_the_loss_does_not_show_it() -> None:
    own = ((0.0, 0.0, 1.0), (0.0, 0.0, -1.0)) * 2
    simulator = Simulator(Settings(l2=10, learning_rate=10, data="own", own=own))
    simulator.step(100)
    assert simulator.stopped is not None
    assert all(np.abs(values).max() <= LARGEST for values in weights_of(simulator))


@settings(max_examples=40)
@given(all_settings(), st.integers(1, 12))
def test_no_settings_make_it_crash(chosen: Settings, count: int) -> None:
    # Warnings of numpy are errors in these tests: nothing may overflow either.
    if chosen.data == "own" and len(chosen.own) < 3:
        return
    simulator = Simulator(chosen)
    simulator.step(count)
    assert simulator.steps == count or simulator.stopped
    image = draw(simulator, 8)
    for values in (image.surfaces, image.space.points, image.space.mesh):
        assert np.isfinite(values).all()
    assert np.isfinite([simulator.scores.train_loss, simulator.scores.test_loss]).all()


def test_the_playground_needs_no_torch() -> None:
    program = (
        "import sys, eyespot.playground.snapshot as p; from eyespot.playground.settings import *; "
        "s = p.Simulator(Settings()); s.step(); p.draw(s); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
