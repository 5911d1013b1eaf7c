"""Values and gradients of computation graphs: torch's, step by step."""

import math
import re
import subprocess
import sys
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from eyespot.errors import UsageError
from eyespot.playground.graph import Graph, work_through

SIGMOID_NEURON = "1 / (1 + exp(-(w0*x0 + w1*x1 + w2)))"
ITS_VALUES = {"w0": 2.0, "x0": -1.0, "w1": -3.0, "x1": -2.0, "w2": -3.0}


class Watch(TorchDispatchMode):
    """Sees whether a number came up on the way that is not finite, and how large they were."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.finite = True
        self.largest = 1.0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(out):
            if isinstance(tensor, Tensor) and tensor.is_floating_point():
                size = float(tensor.detach().abs().max())
                self.finite &= math.isfinite(size)
                self.largest = max(self.largest, size)
        return out


def by_torch(text: str, values: dict[str, float]) -> tuple[float, dict[str, float], Watch]:
    """Value and gradients of an expression; Python reads it as the blackboard does."""
    functions = {
        "c": lambda value: torch.tensor(float(value), dtype=torch.float64),
        "max": torch.maximum,
        "min": torch.minimum,
        **{
            name: getattr(torch, name)
            for name in ("exp", "log", "sqrt", "sin", "cos", "tanh", "sigmoid", "relu", "abs")
        },
    }
    names = {
        name: torch.tensor(value, dtype=torch.float64, requires_grad=True)
        for name, value in values.items()
    }
    numbered = re.sub(r"(?<![\w.])[0-9][0-9.]*", r"c(\g<0>)", text).replace("^", "**")
    with Watch() as watch:
        result = eval(numbered, functions, names)  # the tests' own text
        result.backward()
    gradients = {name: float(t.grad) for name, t in names.items() if t.grad is not None}
    return float(result.detach()), gradients, watch


def check(text: str, values: dict[str, float]) -> Graph:
    graph = work_through(text, values)
    value, gradients, watch = by_torch(text, values)
    rounding = 1e-12 * watch.largest
    assert graph.result.value == pytest.approx(value, rel=1e-9, abs=rounding)
    assert graph.gradients == pytest.approx(gradients, rel=1e-9, abs=rounding)
    return graph


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("(x + y) * z", {"x": -2, "y": 5, "z": -4}),
        (SIGMOID_NEURON, ITS_VALUES),
        ("sigmoid(w0*x0 + w1*x1 + w2)", ITS_VALUES),
        ("(x + sigmoid(y)) / (sigmoid(x) + (x + y)^2)", {"x": 3, "y": -4}),
        ("x*x*x - x/x + x^x", {"x": 1.7}),
        ("log(sqrt(x) * exp(y)) - tanh(x*y)", {"x": 2.5, "y": -0.3}),
        ("sin(x)^2 + cos(x)^2 + abs(-x)", {"x": 0.7}),
        ("2^x - x^2 - -x", {"x": -1.5}),
        ("x^3 + y^-2", {"x": -1.5, "y": -0.5}),
        ("max(x, y) * min(x, z) + relu(x) - relu(-x)", {"x": 1, "y": -1, "z": 2}),
        # Kinks: the subgradients that torch takes.
        ("relu(x) + 3 * abs(x)", {"x": 0}),
        ("2 * max(x, y) - 5 * min(x, y)", {"x": 3, "y": 3}),
        ("max(x, x) + max(y, 2)", {"x": 3, "y": 2}),
        ("x^0 + y^1", {"x": 0, "y": 0}),
        ("x^2 + 0^y", {"x": 0, "y": 2}),
        ("sigmoid(x) + sigmoid(-x) + tanh(y)", {"x": -800, "y": 500}),
    ],
)
def test_gradients_are_torchs(text: str, values: dict[str, float]) -> None:
    check(text, {name: float(value) for name, value in values.items()})


def combined(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    functions = ("exp", "log", "sqrt", "sin", "cos", "tanh", "sigmoid", "relu", "abs")
    return st.one_of(
        st.builds("{} {} {}".format, parts, st.sampled_from("+-*/^"), parts),
        st.builds("({}) {} ({})".format, parts, st.sampled_from("+-*/^"), parts),
        st.builds("{}({}, {})".format, st.sampled_from(("max", "min")), parts, parts),
        st.builds("{}({})".format, st.sampled_from(functions), parts),
        st.builds("-{}".format, parts),
    )  # fmt: skip


EXPRESSIONS = st.recursive(
    st.sampled_from(("x", "y", "w0", "x", "2", "0.5")), combined, max_leaves=8
)
NUMBERS = st.floats(-3, 3).map(lambda value: round(value, 2)) | st.sampled_from((0.0, 1.0, 2.0))


@settings(max_examples=80, deadline=None)
@given(EXPRESSIONS, NUMBERS, NUMBERS, NUMBERS)
def test_gradients_of_any_expression_are_torchs(text: str, x: float, y: float, w0: float) -> None:
    text = f"{text} + x"  # something to differentiate
    names = set(re.findall(r"\bx\b|\by\b|\bw0\b", text))
    values = {name: value for name, value in (("x", x), ("y", y), ("w0", w0)) if name in names}
    try:
        work_through(text, values)
    except UsageError:
        assert not by_torch(text, values)[2].finite
    else:
        check(text, values)


# --- the blackboard -----------------------------------------------------------------------------


def test_the_blackboards_example() -> None:
    graph = work_through("(x + y) * z", {"x": -2, "y": 5, "z": -4})
    assert graph.result.value == -12
    assert graph.gradients == {"x": -4, "y": -4, "z": 3}
    assert [(node.name, node.written, node.value) for node in graph.nodes] == [
        ("x", "x", -2), ("y", "y", 5), ("q", "x + y", 3), ("z", "z", -4), ("f", "q * z", -12),
    ]  # fmt: skip
    assert [(step.kind, step.text) for step in graph.steps] == [
        ("forward", "q = x + y = -2 + 5 = 3"),
        ("forward", "f = q * z = 3 * (-4) = -12"),
        ("start", "df/df = 1"),
        ("backward", "f = q * z: the gradient from above is 1"),
        ("backward", "q = x + y: the gradient from above is -4"),
    ]
    assert [(share.formula, share.product) for share in graph.steps[3].shares] == [
        ("d(q * z)/dq = z = -4", "1 * (-4) = -4"),
        ("d(q * z)/dz = q = 3", "1 * 3 = 3"),
    ]


def test_the_lectures_neuron() -> None:
    graph = work_through(SIGMOID_NEURON, ITS_VALUES)
    assert graph.result.value == pytest.approx(0.7310585786300049)
    # sigmoid(1) * (1 - sigmoid(1)) times the other factor of each product
    slope = 0.19661193324148185
    assert graph.gradients == pytest.approx(
        {"w0": -slope, "x0": 2 * slope, "w1": -2 * slope, "x1": -3 * slope, "w2": slope}
    )


def test_each_step_follows_from_those_before_it() -> None:
    graph = work_through("x * sin(x) + max(x, y*y)^2 / y", {"x": 1.5, "y": 0.5})
    known, gradients = {i for i, n in enumerate(graph.nodes) if not n.inputs}, set[int]()
    for step in graph.steps:
        node = graph.nodes[step.node]
        if step.kind == "forward":
            assert set(node.inputs) <= known
            known.add(step.node)
        elif step.kind == "start":
            assert len(known) == len(graph.nodes)
            gradients.add(step.node)
        elif step.kind == "backward":
            assert step.node in gradients
            for share in step.shares:
                assert share.above == node.gradient
                assert share.gradient == share.above * share.local
                assert node.inputs[share.argument] == share.node
                forks = sum(n.inputs.count(share.node) for n in graph.nodes)
                if forks == 1:
                    gradients.add(share.node)
        else:
            assert node.gradient == pytest.approx(sum(share.gradient for share in step.shares))
            assert len(step.shares) > 1
            gradients.add(step.node)
    assert [step.kind for step in graph.steps].count("sum") == 2


def test_gradients_of_a_name_that_is_used_twice_add_up() -> None:
    graph = work_through("x * x + x", {"x": 3})
    last = graph.steps[-1]
    assert (last.kind, last.text) == (
        "sum", "x is used 3 times, and the gradients add up: df/dx = 1 + 3 + 3 = 7",
    )  # fmt: skip
    formulas = [share.formula for share in last.shares]
    assert formulas[1] == "d(first x * second x)/d(first x) = second x = 3"


@pytest.mark.parametrize(
    ("text", "x", "said"),
    [
        ("relu(x)", 0, "a kink at 0: any number from 0 to 1 is a subgradient; 0 is taken"),
        ("relu(x)", -1, "d relu(x)/dx = 0 (x is below 0)"),
        ("abs(x)", 0, "a kink at 0: any number from -1 to 1"),
        ("abs(x)", -2, "d abs(x)/dx = -1 (x is below 0)"),
        ("max(x, 2)", 2, "half each is taken"),
        ("max(x, 2)", 3, "d max(x, 2)/dx = 1 (x is the larger)"),
        ("min(x, 2)", 3, "d min(x, 2)/dx = 0 (x is the larger)"),
        ("1 / x", 2, "d(1 / x)/dx = -1 / x^2 = -0.25"),
        ("-2 / x", 2, "d(-2 / x)/dx = -(-2) / x^2 = 0.5"),
        ("x^3", 2, "d(x ^ 3)/dx = 3 * x^(3 - 1) = 12"),
        ("exp(x)", 0, "d exp(x)/dx = exp(x) = 1"),
    ],
)  # fmt: skip
def test_what_is_said_of_a_local_gradient(text: str, x: float, said: str) -> None:
    graph = work_through(text, {"x": x})
    assert said in graph.steps[-1].shares[0].formula


def test_names_of_nodes_keep_away_from_those_of_the_expression() -> None:
    graph = work_through("f + q * q1 * 2", {"f": 1, "q": 2, "q1": 3})
    assert [node.name for node in graph.nodes] == ["f", "q", "q1", "q2", "2", "q3", "F"]
    assert graph.result.value == 13


def test_what_is_constant_has_no_gradient() -> None:
    graph = work_through("x * (2 + 3)", {"x": 2})
    assert [node.gradient for node in graph.nodes] == [5, None, None, None, 1]
    constant = work_through("2 ^ 3", {})
    assert (constant.result.value, constant.gradients) == (8, {})
    assert [step.kind for step in constant.steps] == ["forward"]
    alone = work_through("x", {"x": 3})
    assert (alone.result.name, alone.gradients) == ("x", {"x": 1})


@pytest.mark.parametrize(
    ("text", "values", "said"),
    [
        ("1 + x / y", {"x": 1, "y": 0}, "At the node q: q = x / y = 1 / 0 divides by 0"),
        ("log(x - 3)", {"x": 1}, "f = log(q) = log(-2) is no real number"),
        ("log(x)", {"x": 0}, "f = log(x) = log(0) is no real number"),
        ("sqrt(x)", {"x": -4}, "sqrt(-4) is no real number"),
        ("x ^ 0.5", {"x": -4}, "(-4) ^ 0.5 is no real number"),
        ("x ^ -1", {"x": 0}, "0 ^ (-1) is no real number"),
        ("exp(x)", {"x": 1000}, "exp(1000) is too large a number"),
        ("x * x", {"x": 1e200}, "1e+200 * 1e+200 is too large a number"),
        ("x ^ 400", {"x": 10}, "10 ^ 400 is too large a number"),
        # The value is there, the gradient is not.
        ("sqrt(x)", {"x": 0}, "At the node f: d sqrt(x)/dx at x = 0 divides by 0"),
        ("1 / x", {"x": 1e-200}, "d(1 / x)/dx at x = 1e-200 is too large a number"),
        ("x ^ y", {"x": -2, "y": 2}, "d(x ^ y)/dy at x = -2 and y = 2 is no real number"),
        ("x / 1e-200 / 1e-200", {"x": 1e-300}, "df/dx = 1e+200 * 1e+200 is too large a number"),
        ("x * 1e308 + x * 1e308", {"x": 0.1}, "At the node x: df/dx is too large a number"),
    ],
)
def test_what_cannot_be_computed_is_named(text: str, values: dict[str, float], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        work_through(text, values)
    assert said in str(caught.value)
    assert str(caught.value).endswith("^")


@pytest.mark.parametrize(
    ("text", "values", "said"),
    [
        ("x + y", {"x": 1}, "y has no value. Give it one: y=1\n  x + y\n      ^"),
        ("x", {"x": 1, "y": 2}, "y has a value, but is not in the expression. Its names are x."),
        ("2", {"y": 2}, "It has no names"),
        ("x", {"x": math.inf}, "Expected a finite number for x"),
        ("x", {"x": 1, "a b": 1}, "Expected a name such as"),
    ],
)
def test_every_name_has_one_number(text: str, values: dict[str, float], said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        work_through(text, values)


def test_the_blackboard_needs_no_torch() -> None:
    rooms = "convolution_costs, graph_drawing, kernels"
    code = f"import sys; from eyespot.playground import {rooms}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout == "False\n"
