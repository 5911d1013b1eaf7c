"""What a computation graph can compute, and the local gradient of each operation.

The subgradients taken at kinks are torch's: 0 for relu and abs at 0, half for each of two equal
arguments of max and min. Where there is no finite number, computing and differentiating raise
ValueError, ZeroDivisionError or OverflowError, as Python's `math` does.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Local:
    """How fast a result changes with one argument: the `formula` with the arguments' names, its
    `value`, and a `note` why it is this one where the formula does not say so."""

    formula: str
    value: float
    note: str = ""


Derivative = Callable[[Sequence[float], Sequence[str], int], Local]
"""From the arguments' values and names, and the number of the argument that changes."""


@dataclass(frozen=True, slots=True)
class Operation:
    """`symbol`: written between two arguments, or before one; empty for functions."""

    arguments: int
    compute: Callable[..., float]
    local: Derivative
    symbol: str = ""


def sigmoid(x: float) -> float:
    """1 / (1 + exp(-x)), float64."""
    small = math.exp(-abs(x))  # exp(-x) itself could overflow
    return 1 / (1 + small) if x >= 0 else small / (1 + small)


def _function(
    compute: Callable[[float], float], derivative: Callable[[float], float], formula: str
) -> Operation:
    """A function of one number. In `formula` @ stands for the argument's name."""

    def local(values: Sequence[float], names: Sequence[str], number: int) -> Local:
        return Local(formula.replace("@", names[0]), derivative(values[0]))

    return Operation(1, compute, local)


def _multiply(values: Sequence[float], names: Sequence[str], number: int) -> Local:
    return Local(names[1 - number], values[1 - number])


def _divide(values: Sequence[float], names: Sequence[str], number: int) -> Local:
    (a, b), (top, bottom) = values, names
    if number == 0:
        return Local(f"1 / {bottom}", 1 / b)
    return Local(f"{written('neg', [top])} / {bottom}^2", -(a / b) / b)


def _power(values: Sequence[float], names: Sequence[str], number: int) -> Local:
    (base, exponent), (a, b) = values, names
    if number == 0:
        slope = exponent * math.pow(base, exponent - 1) if exponent else 0.0
        return Local(f"{b} * {a}^({b} - 1)", slope)
    formula = f"log({a}) * {a}^{b}"
    if base == 0 and exponent > 0:
        return Local(formula, 0.0, f"{a} is 0, and so are its powers above 0")
    return Local(formula, math.log(base) * math.pow(base, exponent))


def _chosen(sign: int) -> Derivative:
    """Of the larger of two numbers (`sign` 1), or of the smaller (-1)."""

    def local(values: Sequence[float], names: Sequence[str], number: int) -> Local:
        mine, other = sign * values[number], sign * values[1 - number]
        if mine == other:
            return Local(
                "1/2",
                0.5,
                "a kink, as both are equal: any two shares that add up to 1 are a subgradient; "
                "half each is taken",
            )
        larger = values[number] > values[1 - number]
        return Local(
            f"{int(mine > other)}",
            float(mine > other),
            f"{names[number]} is the {'larger' if larger else 'smaller'}",
        )

    return local


def _relu(values: Sequence[float], names: Sequence[str], number: int) -> Local:
    if values[0] == 0:
        return Local("0", 0.0, "a kink at 0: any number from 0 to 1 is a subgradient; 0 is taken")
    above = values[0] > 0
    return Local(f"{int(above)}", float(above), f"{names[0]} is {'above' if above else 'below'} 0")


def _absolute(values: Sequence[float], names: Sequence[str], number: int) -> Local:
    if values[0] == 0:
        return Local("0", 0.0, "a kink at 0: any number from -1 to 1 is a subgradient; 0 is taken")
    above = values[0] > 0
    return Local(
        "1" if above else "-1",
        1.0 if above else -1.0,
        f"{names[0]} is {'above' if above else 'below'} 0",
    )


OPERATIONS: dict[str, Operation] = {
    "+": Operation(2, lambda a, b: a + b, lambda v, n, i: Local("1", 1.0), "+"),
    "-": Operation(
        2, lambda a, b: a - b, lambda v, n, i: Local("-1", -1.0) if i else Local("1", 1.0), "-"
    ),
    "*": Operation(2, lambda a, b: a * b, _multiply, "*"),
    "/": Operation(2, lambda a, b: a / b, _divide, "/"),
    "^": Operation(2, math.pow, _power, "^"),
    "neg": Operation(1, lambda a: -a, lambda v, n, i: Local("-1", -1.0), "-"),
    "max": Operation(2, max, _chosen(1)),
    "min": Operation(2, min, _chosen(-1)),
    "relu": Operation(1, lambda a: max(0.0, a), _relu),
    "abs": Operation(1, abs, _absolute),
    "exp": _function(math.exp, math.exp, "exp(@)"),
    "log": _function(math.log, lambda x: 1 / x, "1 / @"),
    "sqrt": _function(math.sqrt, lambda x: 0.5 / math.sqrt(x), "1 / (2 * sqrt(@))"),
    "sin": _function(math.sin, math.cos, "cos(@)"),
    "cos": _function(math.cos, lambda x: -math.sin(x), "-sin(@)"),
    "tanh": _function(math.tanh, lambda x: 1 - math.tanh(x) ** 2, "1 - tanh(@)^2"),
    "sigmoid": _function(
        sigmoid, lambda x: sigmoid(x) * sigmoid(-x), "sigmoid(@) * (1 - sigmoid(@))"
    ),
}
"""By the name that a graph's node has."""

FUNCTIONS = tuple(sorted(name for name, operation in OPERATIONS.items() if not operation.symbol))
"""Those that are written name(...)."""


def written(name: str, arguments: Sequence[str]) -> str:
    """An operation over the names or numbers of its arguments, as one writes it."""
    symbol = OPERATIONS[name].symbol
    if not symbol:
        return f"{name}({', '.join(arguments)})"
    first, *rest = (f"({text})" if text.startswith("-") else text for text in arguments)
    if not rest:
        return f"{symbol}{first}"
    # A negative number may stand first, but not under a power: -2^2 is -4.
    return f"{first if symbol == '^' else arguments[0]} {symbol} {rest[0]}"
