"""Computation graphs: values forward, gradients backward, one step after the other.

Backpropagation as on the blackboard (Rumelhart, Hinton and Williams, "Learning representations by
back-propagating errors", 1986): each node multiplies the gradient that comes from above with its
local gradients and hands the products to its arguments; where a name is used more than once, what
comes back is added up.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count
from typing import Literal

from eyespot.errors import UsageError
from eyespot.playground.expression import Term, check_name, parse, pointing_at
from eyespot.playground.operations import OPERATIONS, written


@dataclass(frozen=True, slots=True)
class Node:
    """A number of the graph.

    `name`: x, or what the steps call it (q1, f); of a constant its digits. `operation`: a key of
    OPERATIONS, "name" or "number". `inputs`: places of its arguments among the nodes, all before
    it. `written`: what it computes, in the names of its arguments. `gradient`: of the last node
    with respect to this one; None for what depends on no name.
    """

    name: str
    operation: str
    inputs: tuple[int, ...]
    written: str
    value: float
    gradient: float | None


@dataclass(frozen=True, slots=True)
class Share:
    """What a node hands back to one of its arguments.

    `node`: the argument's place among the nodes. `argument`: which argument it is, 0 or 1.
    `above`: the gradient that came to the node. `local`: how fast the node changes with the
    argument. `gradient`: their product. `formula`: where `local` comes from, in words.
    """

    node: int
    argument: int
    above: float
    local: float
    gradient: float
    formula: str

    @property
    def product(self) -> str:
        """The multiplication, written down."""
        factors = written("*", [shown(self.above), shown(self.local)])
        return f"{factors} = {shown(self.gradient)}"


@dataclass(frozen=True, slots=True)
class Step:
    """One line on the blackboard.

    `kind`: "forward", a node gets its value; "start", the last node's gradient is 1; "backward", a
    node hands gradients back; "sum", what came back to a name that is used more than once is added
    up. `node`: its place among the nodes. `text`: the line. `shares`: of a step backward, what is
    handed back; of a sum, what is added.
    """

    kind: Literal["forward", "start", "backward", "sum"]
    node: int
    text: str
    shares: tuple[Share, ...] = ()


@dataclass(frozen=True, slots=True)
class Graph:
    """`nodes`: each after its arguments, the result last. `steps`: forward, then backward."""

    expression: str
    nodes: tuple[Node, ...]
    steps: tuple[Step, ...]

    @property
    def result(self) -> Node:
        return self.nodes[-1]

    @property
    def gradients(self) -> dict[str, float]:
        """Of the result with respect to each name."""
        return {
            node.name: node.gradient
            for node in self.nodes
            if node.operation == "name" and node.gradient is not None
        }


def work_through(expression: str, values: Mapping[str, float]) -> Graph:
    """Compute an expression and its gradients, in float64, with every step written down.

    Raises UsageError, which names the node and points at its place, for what is no expression, for
    names without a value and values without a name, and where a value or a gradient is no finite
    number (1/0, log(-1), exp(1000)).
    """
    terms = parse(expression)
    _check_values(expression, terms, values)
    return _Blackboard(expression, terms, values).graph()


def shown(value: float) -> str:
    """A number in at most four digits, as it stands on the blackboard."""
    return f"{value:.4g}" if value else "0"


def _check_values(expression: str, terms: Sequence[Term], values: Mapping[str, float]) -> None:
    names = [term.name for term in terms if term.operation == "name"]
    for term in terms:
        if term.operation == "name" and term.name not in values:
            raise pointing_at(
                expression, term.at, f"{term.name} has no value. Give it one: {term.name}=1"
            )
    for name, value in values.items():
        check_name(name)
        if name not in names:
            there = f"Its names are {', '.join(names)}." if names else "It has no names."
            raise UsageError(f"{name} has a value, but is not in the expression. {there}")
        if not math.isfinite(value):
            raise UsageError(f"Expected a finite number for {name}, got {value}.")


class _Blackboard:
    """Nodes and steps as they are written down."""

    def __init__(self, expression: str, terms: Sequence[Term], values: Mapping[str, float]) -> None:
        self.expression = expression
        self.terms = terms
        self.given = values
        self.nodes: list[Node] = []
        self.steps: list[Step] = []
        self.names = _names(terms)
        self.varies: list[bool] = []
        """Of each node: whether it depends on a name."""
        for term in terms:
            inputs = any(self.varies[place] for place in term.inputs)
            self.varies.append(term.operation == "name" or inputs)

    def graph(self) -> Graph:
        for place in range(len(self.terms)):
            self.forward(place)
        if self.varies[-1]:
            self.backward()
        return Graph(self.expression, tuple(self.nodes), tuple(self.steps))

    def forward(self, place: int) -> None:
        term, name = self.terms[place], self.names[place]
        if term.operation in ("name", "number"):
            value = self.given[term.name] if term.operation == "name" else term.value
            self.nodes.append(Node(name, term.operation, (), name, float(value), None))
            return
        inputs = [self.nodes[i] for i in term.inputs]
        formula = written(term.operation, [node.name for node in inputs])
        numbers = written(term.operation, [shown(node.value) for node in inputs])
        try:
            value = OPERATIONS[term.operation].compute(*(node.value for node in inputs))
        except (ArithmeticError, ValueError) as error:
            raise self.impossible(place, f"{name} = {formula} = {numbers}", error) from None
        if not math.isfinite(value):
            raise self.impossible(place, f"{name} = {formula} = {numbers}", OverflowError())
        self.nodes.append(Node(name, term.operation, term.inputs, formula, value, None))
        text = " = ".join(dict.fromkeys([name, formula, numbers, shown(value)]))
        self.steps.append(Step("forward", place, text))

    def backward(self) -> None:
        last = len(self.nodes) - 1
        result = self.nodes[last].name
        came: list[list[Share]] = [[] for _ in self.nodes]
        self.nodes[last] = replace(self.nodes[last], gradient=1.0)
        self.steps.append(Step("start", last, f"d{result}/d{result} = 1"))
        for place in range(last, -1, -1):
            if not self.varies[place]:
                continue
            if place != last:
                self.add_up(place, came[place], result)
            if self.nodes[place].inputs:
                for share in self.hand_back(place, result):
                    came[share.node].append(share)

    def add_up(self, place: int, shares: Sequence[Share], result: str) -> None:
        node = self.nodes[place]
        gradient = sum(share.gradient for share in shares)
        if not math.isfinite(gradient):
            raise self.impossible(place, f"d{result}/d{node.name}", OverflowError())
        self.nodes[place] = replace(node, gradient=gradient)
        if len(shares) > 1:
            added = " + ".join(
                f"({text})" if text.startswith("-") else text
                for text in (shown(share.gradient) for share in shares)
            )
            text = (
                f"{node.name} is used {len(shares)} times, and the gradients add up: "
                f"d{result}/d{node.name} = {added} = {shown(gradient)}"
            )
            self.steps.append(Step("sum", place, text, tuple(shares)))

    def hand_back(self, place: int, result: str) -> list[Share]:
        """The shares of a node's arguments that depend on a name."""
        node, names = self.nodes[place], self.arguments(place)
        above = node.gradient
        assert above is not None
        values = [self.nodes[i].value for i in node.inputs]
        formula = written(node.operation, names)
        over = f"d({formula})" if OPERATIONS[node.operation].symbol else f"d {formula}"
        shares = []
        for argument, (i, name) in enumerate(zip(node.inputs, names, strict=True)):
            if not self.varies[i]:
                continue
            slope = f"{over}/d{f'({name})' if ' ' in name else name}"
            sides = [f"{n} = {shown(v)}" for n, v in zip(names, values, strict=True)]
            here = " and ".join(
                side for side, n in zip(sides, node.inputs, strict=True) if self.varies[n]
            )
            try:
                local = OPERATIONS[node.operation].local(values, names, argument)
                if not math.isfinite(local.value):
                    raise OverflowError
            except (ArithmeticError, ValueError) as error:
                raise self.impossible(place, f"{slope} at {here}", error) from None
            gradient = above * local.value
            if not math.isfinite(gradient):
                product = written("*", [shown(above), shown(local.value)])
                raise self.impossible(place, f"d{result}/d{name} = {product}", OverflowError())
            words = f"{slope} = {local.formula}"
            if local.formula != shown(local.value):
                words += f" = {shown(local.value)}"
            if local.note:
                words += f" ({local.note})"
            shares.append(Share(i, argument, above, local.value, gradient, words))
        text = f"{node.name} = {node.written}: the gradient from above is {shown(above)}"
        self.steps.append(Step("backward", place, text, tuple(shares)))
        return shares

    def arguments(self, place: int) -> list[str]:
        """What formulas call a node's arguments; if both are one node they are told apart."""
        names = [self.names[i] for i in self.terms[place].inputs]
        if len(names) == 2 and len(set(self.terms[place].inputs)) == 1:
            return [f"first {names[0]}", f"second {names[1]}"]
        return names

    def impossible(self, place: int, what: str, error: Exception) -> UsageError:
        if isinstance(error, OverflowError):
            why = "is too large a number"
        else:
            why = "divides by 0" if isinstance(error, ZeroDivisionError) else "is no real number"
        return pointing_at(
            self.expression,
            self.terms[place].at,
            f"At the node {self.names[place]}: {what} {why}. Choose other values.",
        )


def _names(terms: Sequence[Term]) -> list[str]:
    """What each term is called: names as they are, constants by their digits, the result f, what
    comes between q, or q1, q2 ..., if no name of the expression is in the way."""
    taken = {term.name for term in terms}
    between = [term for term in terms[:-1] if term.inputs]
    numbered = (name for name in (f"q{n}" for n in count(1)) if name not in taken)
    inner = iter(["q"]) if len(between) == 1 and "q" not in taken else numbered
    outer = (name for name in chain(("f", "F"), (f"f{n}" for n in count(1))) if name not in taken)
    names = [
        term.name or (next(inner) if term.inputs else shown(term.value)) for term in terms[:-1]
    ]
    last = terms[-1]
    return [*names, last.name or (next(outer) if last.inputs else shown(last.value))]
