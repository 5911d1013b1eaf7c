"""Operations of a computation graph, and their local gradients.

The subgradients at kinks are torch's: 0 for relu and abs at 0, half for each of two equal arguments
of max and min. Without a finite result, computing and differentiating raise ValueError,
ZeroDivisionError or OverflowError, as Python's `math` does.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Local(NamedTuple):
    """The derivative of a result by one argument: the `formula` with the arguments' names, its
    `value`, and a `note` where the formula does not show why."""

    formula: str
    value: float
    note: str = ""


Derivative = Callable[[Sequence[float], Sequence[str], int], Local]
"""From the arguments' values and names, and the index of the argument that changes."""


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
    return Operation(
        1, compute, lambda v, n, i: Local(formula.replace("@", n[0]), derivative(v[0]))
    )


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


def _select(larger: bool) -> Derivative:
    """Of max (`larger`) or min."""

    def local(values: Sequence[float], names: Sequence[str], number: int) -> Local:
        mine, other = values[number], values[1 - number]
        if mine == other:
            return Local(
                "1/2",
                0.5,
                "a kink, as both are equal: any two shares that add up to 1 are a subgradient; "
                "half each is taken",
            )
        slope = int((mine > other) == larger)
        word = "larger" if mine > other else "smaller"
        return Local(str(slope), float(slope), f"{names[number]} is the {word}")

    return local


def _kink(below: int) -> Derivative:
    """Of relu or abs: 1 above 0, `below` below 0."""

    def local(values: Sequence[float], names: Sequence[str], number: int) -> Local:
        if values[0] == 0:
            note = f"a kink at 0: any number from {below} to 1 is a subgradient; 0 is taken"
            return Local("0", 0.0, note)
        slope, side = (1, "above") if values[0] > 0 else (below, "below")
        return Local(str(slope), float(slope), f"{names[0]} is {side} 0")

    return local


OPERATIONS: dict[str, Operation] = {
    "+": Operation(2, lambda a, b: a + b, lambda v, n, i: Local("1", 1.0), "+"),
    "-": Operation(
        2, lambda a, b: a - b, lambda v, n, i: Local("-1", -1.0) if i else Local("1", 1.0), "-"
    ),
    "*": Operation(2, lambda a, b: a * b, lambda v, n, i: Local(n[1 - i], v[1 - i]), "*"),
    "/": Operation(2, lambda a, b: a / b, _divide, "/"),
    "^": Operation(2, math.pow, _power, "^"),
    "neg": Operation(1, lambda a: -a, lambda v, n, i: Local("-1", -1.0), "-"),
    "max": Operation(2, max, _select(larger=True)),
    "min": Operation(2, min, _select(larger=False)),
    "relu": Operation(1, lambda a: max(0.0, a), _kink(0)),
    "abs": Operation(1, abs, _kink(-1)),
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
"""By the operation's name in a graph."""

FUNCTIONS = tuple(sorted(name for name, operation in OPERATIONS.items() if not operation.symbol))
"""Operations that are written name(...)."""


def bracketed(text: str) -> str:
    """A negative number in parentheses."""
    return f"({text})" if text.startswith("-") else text


def written(name: str, arguments: Sequence[str]) -> str:
    """An operation with the names or numbers of its arguments, as people write it."""
    symbol = OPERATIONS[name].symbol
    if not symbol:
        return f"{name}({', '.join(arguments)})"
    if len(arguments) == 1:
        return f"{symbol}{bracketed(arguments[0])}"
    # A negative number may stand first, but not under a power: -2^2 is -4.
    first = bracketed(arguments[0]) if symbol == "^" else arguments[0]
    return f"{first} {symbol} {bracketed(arguments[1])}"
