"""Computation graphs: values forward, gradients backward, step by step.

Backpropagation as on the blackboard (Rumelhart, Hinton and Williams, "Learning representations by
back-propagating errors", 1986): each node multiplies its upstream gradient by its local gradients
and passes the products to its arguments. The gradients of a name that is used several times add up.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count
from typing import Literal

from eyespot.errors import UsageError
from eyespot.playground.expression import Term, check_name, parse, pointing_at
from eyespot.playground.operations import OPERATIONS, bracketed, written


@dataclass(frozen=True, slots=True)
class Node:
    """A number of the graph.

    `name`: x, or its name in the steps (q1, f); of a constant its digits. `operation`: a key of
    OPERATIONS, "name" or "number". `inputs`: indices of its arguments among the nodes, all before
    it. `written`: its formula with the names of its arguments. `gradient`: of the last node with
    respect to this one; None where it depends on no name.
    """

    name: str
    operation: str
    inputs: tuple[int, ...]
    written: str
    value: float
    gradient: float | None


@dataclass(frozen=True, slots=True)
class Share:
    """The gradient that a node passes to one of its arguments.

    `node`: index of the argument among the nodes. `argument`: 0 or 1. `above`: the node's upstream
    gradient. `local`: the local gradient. `gradient`: their product. `formula`: of `local`.
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
        return f"{_product(self.above, self.local)} = {shown(self.gradient)}"


@dataclass(frozen=True, slots=True)
class Step:
    """One line on the blackboard.

    `kind`: "forward", a node gets its value; "start", the last node's gradient is 1; "backward", a
    node passes gradients to its arguments; "sum", the gradients of a name that is used several
    times are added. `node`: index of its node. `text`: the line. `shares`: the gradients passed or
    added.
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

    Raises UsageError, with the node and its position, for an invalid expression, for names without
    a value and values without a name, and where a value or gradient is not finite (1/0, log(-1)).
    """
    terms = parse(expression)
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
    return _Blackboard(expression, terms, values).graph()


def shown(value: float) -> str:
    """A number in at most four digits."""
    return f"{value:.4g}" if value else "0"


def _product(one: float, other: float) -> str:
    return written("*", [shown(one), shown(other)])


class _Blackboard:
    """Nodes and steps as they are written down."""

    def __init__(self, expression: str, terms: Sequence[Term], values: Mapping[str, float]) -> None:
        self.expression = expression
        self.terms = terms
        self.values = values
        self.nodes: list[Node] = []
        self.steps: list[Step] = []
        self.names = _names(terms)
        self.varies: list[bool] = []
        """Whether each node depends on a name."""
        for term in terms:
            inputs = any(self.varies[i] for i in term.inputs)
            self.varies.append(term.operation == "name" or inputs)

    def graph(self) -> Graph:
        for index in range(len(self.terms)):
            self.forward(index)
        if self.varies[-1]:
            self.backward()
        return Graph(self.expression, tuple(self.nodes), tuple(self.steps))

    def forward(self, index: int) -> None:
        term, name = self.terms[index], self.names[index]
        if not term.inputs:
            value = self.values[term.name] if term.operation == "name" else term.value
            self.nodes.append(Node(name, term.operation, (), name, float(value), None))
            return
        inputs = [self.nodes[i] for i in term.inputs]
        formula = written(term.operation, [node.name for node in inputs])
        numbers = written(term.operation, [shown(node.value) for node in inputs])
        try:
            value = OPERATIONS[term.operation].compute(*(node.value for node in inputs))
            self.check(index, f"{name} = {formula} = {numbers}", value)
        except (ArithmeticError, ValueError) as error:
            raise self.impossible(index, f"{name} = {formula} = {numbers}", error) from None
        self.nodes.append(Node(name, term.operation, term.inputs, formula, value, None))
        text = " = ".join(dict.fromkeys([name, formula, numbers, shown(value)]))
        self.steps.append(Step("forward", index, text))

    def backward(self) -> None:
        last = len(self.nodes) - 1
        result = self.nodes[last].name
        received: list[list[Share]] = [[] for _ in self.nodes]
        self.nodes[last] = replace(self.nodes[last], gradient=1.0)
        self.steps.append(Step("start", last, f"d{result}/d{result} = 1"))
        for index in range(last, -1, -1):
            if not self.varies[index]:
                continue
            if index != last:
                self.add_up(index, received[index], result)
            if self.nodes[index].inputs:
                for share in self.pass_back(index, result):
                    received[share.node].append(share)

    def add_up(self, index: int, shares: Sequence[Share], result: str) -> None:
        node = self.nodes[index]
        gradient = sum(share.gradient for share in shares)
        self.check(index, f"d{result}/d{node.name}", gradient)
        self.nodes[index] = replace(node, gradient=gradient)
        if len(shares) > 1:
            added = " + ".join(bracketed(shown(share.gradient)) for share in shares)
            text = (
                f"{node.name} is used {len(shares)} times, and the gradients add up: "
                f"d{result}/d{node.name} = {added} = {shown(gradient)}"
            )
            self.steps.append(Step("sum", index, text, tuple(shares)))

    def pass_back(self, index: int, result: str) -> list[Share]:
        """The gradients of a node's arguments that depend on a name."""
        node, names, above = self.nodes[index], self.arguments(index), self.nodes[index].gradient
        assert above is not None
        operation = OPERATIONS[node.operation]
        values = [self.nodes[i].value for i in node.inputs]
        formula = written(node.operation, names)
        over = f"d({formula})" if operation.symbol else f"d {formula}"
        shares = []
        for argument, (i, name) in enumerate(zip(node.inputs, names, strict=True)):
            if not self.varies[i]:
                continue
            slope = f"{over}/d{f'({name})' if ' ' in name else name}"
            here = " and ".join(
                f"{n} = {shown(value)}"
                for n, value, input in zip(names, values, node.inputs, strict=True)
                if self.varies[input]
            )
            try:
                local = operation.local(values, names, argument)
                self.check(index, f"{slope} at {here}", local.value)
            except (ArithmeticError, ValueError) as error:
                raise self.impossible(index, f"{slope} at {here}", error) from None
            gradient = above * local.value
            self.check(index, f"d{result}/d{name} = {_product(above, local.value)}", gradient)
            sides = dict.fromkeys([slope, local.formula, shown(local.value)])
            note = f" ({local.note})" if local.note else ""
            shares.append(
                Share(i, argument, above, local.value, gradient, " = ".join(sides) + note)
            )
        text = f"{node.name} = {node.written}: the gradient from above is {shown(above)}"
        self.steps.append(Step("backward", index, text, tuple(shares)))
        return shares

    def arguments(self, index: int) -> list[str]:
        """The names of a node's arguments in formulas; told apart if both are one node."""
        inputs = self.terms[index].inputs
        names = [self.names[i] for i in inputs]
        if len(inputs) == 2 and inputs[0] == inputs[1]:
            return [f"first {names[0]}", f"second {names[1]}"]
        return names

    def check(self, index: int, formula: str, value: float) -> None:
        if not math.isfinite(value):
            raise self.impossible(index, formula, OverflowError())

    def impossible(self, index: int, formula: str, error: Exception) -> UsageError:
        if isinstance(error, OverflowError):
            why = "is too large a number"
        else:
            why = "divides by 0" if isinstance(error, ZeroDivisionError) else "is no real number"
        return pointing_at(
            self.expression,
            self.terms[index].at,
            f"At the node {self.names[index]}: {formula} {why}. Choose other values.",
        )


def _names(terms: Sequence[Term]) -> list[str]:
    """The name of each term: names as they are, constants by their digits, the result f, other
    nodes q, or q1, q2 ..., unless the expression has such a name."""
    taken = {term.name for term in terms}
    between = [term for term in terms[:-1] if term.inputs]
    numbered = (name for name in (f"q{n}" for n in count(1)) if name not in taken)
    inner = iter(["q"]) if len(between) == 1 and "q" not in taken else numbered
    outer = (name for name in chain(("f", "F"), (f"f{n}" for n in count(1))) if name not in taken)
    sources = [*([inner] * (len(terms) - 1)), outer]
    return [
        term.name or (next(source) if term.inputs else shown(term.value))
        for term, source in zip(terms, sources, strict=True)
    ]
