"""Arithmetic as people type it, parsed into the nodes of a computation graph.

    sum     = product {("+" | "-") product}
    product = signed {("*" | "/") signed}
    signed  = "-" signed | "+" signed | power
    power   = primary [("^" | "**") signed]          so that -x^2 is -(x^2), and a^b^c is a^(b^c)
    primary = number | name | function "(" sum {"," sum} ")" | "(" sum ")"

Not parsed by Python's `ast`: there ^ has another precedence, and errors have no position here.
"""

import difflib
import math
import re
from collections.abc import Callable
from typing import NamedTuple

from eyespot.errors import UsageError
from eyespot.playground.operations import FUNCTIONS, OPERATIONS

MAX_LENGTH = 500
"""Characters of an expression."""
MAX_NAME = 20
"""Characters of a name."""
MAX_DEPTH = 30
"""Nested parentheses, signs and powers."""
MAX_NODES = 100
"""Nodes of a graph."""
NEAR = 30
"""Characters on either side of an error that a message shows."""

_TYPED = str.maketrans("−–×·⋅÷", "--***/")
"""Signs of print and of telephones, as the keyboard's."""
_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_\u0370-\u03ff][A-Za-z0-9_\u0370-\u03ff]*)"
    r"|(?P<sign>\*\*|[-+*/^(),])"
    r"|(?P<unknown>\S)"
)


class Term(NamedTuple):
    """A node of an expression. `operation`: a key of OPERATIONS, "number" or "name". `at`: its
    position in the text. `inputs`: indices of its arguments among the terms. `value`: of a number.
    `name`: of a name."""

    operation: str
    at: int
    inputs: tuple[int, ...] = ()
    value: float = 0.0
    name: str = ""


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


def parse(text: str) -> tuple[Term, ...]:
    """The terms of an expression, each after its arguments, the whole expression last.

    A name that is used twice is one term; numbers and operations are not shared. Raises UsageError
    with the position if `text` is invalid or exceeds MAX_LENGTH, MAX_DEPTH or MAX_NODES.
    """
    if len(text) > MAX_LENGTH:
        raise UsageError(
            f"The expression has {len(text)} characters, and {MAX_LENGTH} are allowed. "
            "Write a shorter one."
        )
    return _Parser(text).whole()


def number_of(text: str) -> float:
    """A number as typed behind "x=". Raises UsageError if it is not a finite number."""
    try:
        value = float(text.translate(_TYPED)) if text.isprintable() and len(text) < 50 else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UsageError(f"Expected a number such as 2 or -0.5, got {text[:50]!r}.")
    return value


def check_name(name: str) -> None:
    """Raises UsageError if `name` is not a valid name in an expression."""
    found = _TOKEN.fullmatch(name)
    if not found or found.lastgroup != "name" or name in FUNCTIONS or len(name) > MAX_NAME:
        raise UsageError(
            f"Expected a name such as x or w0, got {name[:50]!r}. Names are letters, digits and "
            f"_, at most {MAX_NAME}, and no function ({', '.join(FUNCTIONS)})."
        )


def pointing_at(text: str, at: int, message: str) -> UsageError:
    """`message` over the expression near its character `at`, with a caret under that."""
    start = max(0, at - NEAR)
    before, after = "..." * (start > 0), "..." * (len(text) > at + NEAR)
    near = "".join(c if c.isprintable() else "?" for c in text[start : at + NEAR])
    caret = " " * (len(before) + at - start) + "^"
    return UsageError(f"{message}\n  {before}{near}{after}\n  {caret}")


def _tokens(text: str) -> list[_Token]:
    found = _TOKEN.finditer(text.translate(_TYPED))
    tokens = [_Token(str(match.lastgroup), match[0], match.start()) for match in found]
    for token in tokens:
        if token.kind == "unknown":
            raise pointing_at(
                text,
                token.at,
                f"{text[token.at]!r} means nothing here. Write with + - * / ^ ( ), numbers, "
                f"names and the functions {', '.join(FUNCTIONS)}.",
            )
    return [*tokens, _Token("end", "", len(text.rstrip()))]


class _Parser:
    """Recursive descent: a method per rule of the grammar, each returning the index of its term."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.following = _tokens(text)[::-1]
        self.depth = 0
        self.terms: list[Term] = []
        self.names: dict[str, int] = {}

    @property
    def token(self) -> _Token:
        return self.following[-1]

    def error(self, message: str, place: _Token | Term | None = None) -> UsageError:
        return pointing_at(self.text, (place or self.token).at, message)

    def expected(self, what: str, hint: str = "") -> UsageError:
        found = f"'{self.token.text}'" if self.token.text else "the end"
        return self.error(f"Expected {what}, found {found}.{hint}")

    def take(self, *signs: str) -> _Token | None:
        """Consume and return the next token if it is one of `signs`."""
        if self.token.kind == "sign" and self.token.text in signs:
            return self.following.pop()
        return None

    def add(self, term: Term) -> int:
        if len(self.terms) == MAX_NODES:
            raise self.error(
                f"The expression has more than {MAX_NODES} nodes. Write a shorter one.", term
            )
        self.terms.append(term)
        return len(self.terms) - 1

    def whole(self) -> tuple[Term, ...]:
        self.sum()
        if self.token.kind != "end":
            operand = self.token.kind != "sign" or self.token.text == "("
            hint = " A product needs its sign: 2 * x." if operand else ""
            raise self.expected("an operator (+ - * / ^) or the end", hint)
        return tuple(self.terms)

    def sum(self) -> int:
        return self.left_to_right(self.product, "+", "-")

    def product(self) -> int:
        return self.left_to_right(self.signed, "*", "/")

    def left_to_right(self, operand: Callable[[], int], *signs: str) -> int:
        left = operand()
        while sign := self.take(*signs):
            left = self.add(Term(sign.text, sign.at, (left, operand())))
        return left

    def signed(self) -> int:
        self.depth += 1  # every way to nest goes through here
        if self.depth > MAX_DEPTH:
            raise self.error(
                f"More than {MAX_DEPTH} parentheses, signs or powers are within each other. "
                "Write a simpler expression."
            )
        if sign := self.take("-", "+"):
            index = self.signed()
            term = self.terms[index]
            if sign.text == "-" and term.operation == "number" and term.at == sign.at + 1:
                self.terms[index] = Term("number", sign.at, value=-term.value)  # -2 is a number
            elif sign.text == "-":
                index = self.add(Term("neg", sign.at, (index,)))
        else:
            index = self.power()
        self.depth -= 1
        return index

    def power(self) -> int:
        base = self.primary()
        if sign := self.take("^", "**"):
            return self.add(Term("^", sign.at, (base, self.signed())))
        return base

    def primary(self) -> int:
        token = self.token
        if self.take("("):
            index = self.sum()
            self.close()
            return index
        if token.kind not in ("number", "name"):
            raise self.expected("a number, a name, a function or '('")
        self.following.pop()
        if token.kind == "number":
            value = float(token.text)
            if math.isinf(value):
                raise self.error("Expected a number below 1.8e308.", token)
            return self.add(Term("number", token.at, value=value))
        return self.function(token) if self.take("(") else self.name(token)

    def name(self, token: _Token) -> int:
        if token.text in FUNCTIONS:
            raise self.expected(f"'(' after the function {token.text}")
        if len(token.text) > MAX_NAME:
            raise self.error(f"A name may have {MAX_NAME} characters. Choose a shorter one.", token)
        if token.text not in self.names:
            self.names[token.text] = self.add(Term("name", token.at, name=token.text))
        return self.names[token.text]

    def function(self, token: _Token) -> int:
        if token.text not in FUNCTIONS:
            near = difflib.get_close_matches(token.text.lower(), FUNCTIONS, 1)
            hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(FUNCTIONS)}."
            raise self.error(
                f"There is no function '{token.text}'. {hint} A product needs its sign: x * (y).",
                token,
            )
        inputs = [self.sum()]
        count = OPERATIONS[token.text].arguments
        while len(inputs) < count:
            if not self.take(","):
                raise self.expected(f"',', as {token.text} takes {count}")
            inputs.append(self.sum())
        if self.token.text == ",":
            raise self.expected(f"')', as {token.text} takes {count}")
        self.close()
        return self.add(Term(token.text, token.at, tuple(inputs)))

    def close(self) -> None:
        if not self.take(")"):
            raise self.expected("an operator (+ - * / ^) or ')'")
