from dataclasses import fields
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from eyespot.playground.functions import ACTIVATIONS, FEATURES, LOSSES, features_of, sigmoid
from eyespot.playground.net import EPSILON, MOMENTUM, Array, Gradient, Layer, Net, Pass

TORCH_ACTIVATIONS = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "linear": lambda z: z,
}


def torch_gradients(
    net: Net, passes: list[Pass], targets: Array, l1: float, l2: float
) -> list[dict[str, Array]]:
    """What torch's autograd says, in float64, with the masks of dropout that `passes` drew."""
    parameters: list[dict[str, Tensor]] = [
        {
            name: torch.tensor(values, requires_grad=True)
            for name in ("weights", "bias", "scale")
            if (values := getattr(layer, name)) is not None
        }
        for layer in net.layers
    ]
    values = torch.from_numpy(passes[0].inputs)
    for layer, seen, own in zip(net.layers, passes, parameters, strict=True):
        values = values @ own["weights"]
        if "scale" in own:
            values = torch.nn.functional.batch_norm(
                values, None, None, own["scale"], own["bias"], training=True, eps=EPSILON
            )
        else:
            values = values + own["bias"]
        values = TORCH_ACTIVATIONS[layer.activation](values)  # type: ignore[no-untyped-call]
        if seen.mask is not None:
            values = values * torch.from_numpy(seen.mask)
    output, target = values[:, 0], torch.from_numpy(targets)
    if net.problem == "classification":
        loss = torch.nn.functional.binary_cross_entropy_with_logits(output, (target + 1) / 2)
    else:
        loss = torch.nn.functional.mse_loss(output, target) / 2
    assert loss.item() == pytest.approx(
        LOSSES[net.problem].value(passes[-1].outputs[:, 0], targets), rel=1e-12
    )
    weights = [own["weights"] for own in parameters]
    penalty = sum(l1 * w.abs().sum() + l2 / 2 * (w**2).sum() for w in weights)
    (loss + penalty).backward()  # type: ignore[no-untyped-call]
    return [{name: x.grad.numpy() for name, x in own.items()} for own in parameters]  # type: ignore[union-attr]


def assert_gradients(
    net: Net, inputs: Array, targets: Array, l1: float, l2: float, seed: int = 0
) -> None:
    passes = net.forward(inputs, np.random.default_rng(seed))
    ours = net.gradients(passes, targets, l1, l2)
    for gradient, expected in zip(ours, torch_gradients(net, passes, targets, l1, l2), strict=True):
        found = {f.name: getattr(gradient, f.name) for f in fields(Gradient)}
        assert {name for name, x in found.items() if x is not None} == set(expected)
        for name, values in expected.items():
            largest = max(1.0, np.abs(values).max())
            np.testing.assert_allclose(found[name], values, rtol=0, atol=1e-10 * largest)


def a_net(rng: np.random.Generator, inputs: int, hidden: list[int], **options: Any) -> Net:
    """One whose biases and scales have been through some learning."""
    net = Net.fresh(inputs, hidden, rng=rng, **options)
    layers = []
    for layer in net.layers:
        units = layer.bias.shape
        scale = None if layer.scale is None else rng.normal(1, 0.3, units)
        layers.append(
            Layer(
                layer.weights,
                rng.normal(0, 0.5, units),
                layer.activation,
                layer.dropout,
                scale,
                layer.mean,
                layer.variance,
            )
        )
    return Net(tuple(layers), net.problem)


def some_targets(rng: np.random.Generator, problem: str, count: int) -> Array:
    targets: Array = rng.uniform(-1, 1, count)
    return np.sign(targets) if problem == "classification" else targets


@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize(("l1", "l2"), [(0.0, 0.0), (0.02, 0.0), (0.0, 0.3), (0.01, 0.1)])
@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("problem", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_are_those_of_autograd(
    activation: str, problem: str, batch_norm: bool, l1: float, l2: float, dropout: float
) -> None:
    rng = np.random.default_rng(0)
    net = a_net(
        rng,
        2,
        [5, 3],
        activation=activation,
        problem=problem,
        batch_norm=batch_norm,
        dropout=dropout,
    )
    inputs = rng.uniform(-6, 6, (10, 2))
    assert_gradients(net, inputs, some_targets(rng, problem, 10), l1, l2)


@settings(max_examples=60)
@given(
    names=st.lists(st.sampled_from(list(FEATURES)), min_size=1, unique=True).map(tuple),
    hidden=st.lists(st.integers(1, 8), max_size=6),
    activation=st.sampled_from(list(ACTIVATIONS)),
    problem=st.sampled_from(list(LOSSES)),
    batch_norm=st.booleans(),
    dropout=st.sampled_from([0.0, 0.5]),
    count=st.integers(2, 30),
    seed=st.integers(0, 1000),
)
def test_gradients_of_any_architecture(
    names: tuple[str, ...],
    hidden: list[int],
    activation: str,
    problem: str,
    batch_norm: bool,
    dropout: float,
    count: int,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    net = a_net(
        rng,
        len(names),
        hidden,
        activation=activation,
        problem=problem,
        batch_norm=batch_norm,
        dropout=dropout,
    )
    inputs = features_of(rng.uniform(-6, 6, (count, 2)), names)
    assert_gradients(net, inputs, some_targets(rng, problem, count), 0.01, 0.1, seed)


def test_a_step_descends_and_leaves_the_net_before_as_it_was() -> None:
    rng = np.random.default_rng(0)
    net = a_net(rng, 2, [4], activation="tanh", problem="regression", batch_norm=True)
    inputs, targets = rng.normal(size=(20, 2)), some_targets(rng, "regression", 20)
    before = [layer.weights.copy() for layer in net.layers]
    passes = net.forward(inputs, rng)
    gradients = net.gradients(passes, targets, 0, 0)
    after = net.descended(gradients, passes, 0.1)

    def loss(some: Net) -> float:
        return LOSSES["regression"].value(some.forward(inputs, rng)[-1].outputs[:, 0], targets)

    assert loss(after) < loss(net)
    for layer, then, now, gradient in zip(net.layers, before, after.layers, gradients, strict=True):
        np.testing.assert_array_equal(layer.weights, then)
        np.testing.assert_array_equal(now.weights, then - 0.1 * gradient.weights)
    hidden = after.layers[0]
    assert hidden.scale is not None
    assert (hidden.scale != net.layers[0].scale).all()


def hidden_layer(**options: Any) -> Layer:
    return Layer(np.eye(3), np.zeros(3), "linear", **options)


def test_batch_norm_uses_the_batch_in_training_and_running_averages_in_testing() -> None:
    # Ioffe and Szegedy 2015, algorithms 1 and 2; torch is the oracle of the running averages.
    rng = np.random.default_rng(0)
    batch = rng.normal(5, 3, (16, 3))
    layer = hidden_layer(scale=np.full(3, 2.0), mean=np.zeros(3), variance=np.ones(3))
    oracle = torch.nn.BatchNorm1d(3, eps=EPSILON, momentum=MOMENTUM, dtype=torch.float64)
    torch.nn.init.constant_(oracle.weight, 2.0)

    seen = layer.forward(batch, rng)
    np.testing.assert_allclose(seen.outputs.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(seen.outputs.std(axis=0), 2, rtol=1e-5)
    trained = oracle(torch.from_numpy(batch)).detach().numpy()
    np.testing.assert_allclose(seen.outputs, trained, atol=1e-12)

    nothing = Gradient(np.zeros((3, 3)), np.zeros(3), np.zeros(3))
    layer = layer.descended(nothing, seen, 0.1)
    tested = oracle.eval()(torch.from_numpy(batch[:1])).detach().numpy()
    np.testing.assert_allclose(layer.forward(batch[:1]).outputs, tested, atol=1e-12)
    alone, together = layer.forward(batch[:1]), layer.forward(batch)
    np.testing.assert_array_equal(alone.outputs[0], together.outputs[0])


def test_dropout_leaves_units_out_in_training_and_none_in_testing() -> None:
    # Srivastava et al. 2014, sections 4 and 10: what is expected is the same in both.
    inputs = np.ones((20_000, 3))
    layer = hidden_layer(dropout=0.3)
    outputs = layer.forward(inputs, np.random.default_rng(0)).outputs
    assert (outputs == 0).mean() == pytest.approx(0.3, abs=0.01)
    np.testing.assert_allclose(outputs[outputs != 0], 1 / 0.7)
    assert outputs.mean() == pytest.approx(1, abs=0.01)
    assert len(np.unique(outputs, axis=0)) == 8, "units are left out each for itself"
    np.testing.assert_array_equal(layer.forward(inputs).outputs, inputs)


def test_only_hidden_units_are_left_out_or_normalised() -> None:
    net = Net.fresh(
        2, [4, 3], "tanh", "regression", np.random.default_rng(0), batch_norm=True, dropout=0.5
    )
    assert [layer.dropout for layer in net.layers] == [0.5, 0.5, 0.0]
    assert [layer.scale is None for layer in net.layers] == [False, False, True]
    assert [layer.activation for layer in net.layers] == ["tanh", "tanh", "linear"]


@pytest.mark.parametrize(("activation", "variance"), [("relu", 2 / 400), ("tanh", 2 / 1000)])
def test_first_weights_are_those_of_he_and_of_glorot(activation: str, variance: float) -> None:
    net = Net.fresh(400, [600], activation, "regression", np.random.default_rng(0))
    assert net.layers[0].weights.var() == pytest.approx(variance, rel=0.02)
    assert not net.layers[0].bias.any()


def test_the_features_are_those_they_are_named_after() -> None:
    found = features_of(np.array([[0.5, -2.0]]), tuple(FEATURES))
    expected = [0.5, -2, 0.25, 4, -1, np.sin(0.5), np.sin(-2)]
    np.testing.assert_allclose(found, [expected])


def test_the_largest_numbers_do_not_overflow() -> None:
    far = np.array([-1e6, 1e6])
    np.testing.assert_array_equal(sigmoid(far), [0, 1])
    loss = LOSSES["classification"]
    assert loss.value(far, -np.sign(far)) == pytest.approx(1e6)
    np.testing.assert_array_equal(loss.slope(far, -np.sign(far)), [-0.5, 0.5])
    np.testing.assert_array_equal(loss.shown(far), [-1, 1])
