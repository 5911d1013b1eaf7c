"""Arithmetic as people type it, parsed into the nodes of a computation graph.

    sum     = product {("+" | "-") product}
    product = signed {("*" | "/") signed}
    signed  = "-" signed | "+" signed | power
    power   = primary [("^" | "**") signed]          so that -x^2 is -(x^2), and a^b^c is a^(b^c)
    primary = number | name | function "(" sum {"," sum} ")" | "(" sum ")"

Nothing is ever evaluated as Python.
"""

import difflib
import math
import re
from dataclasses import dataclass

from eyespot.errors import UsageError
from eyespot.playground.operations import FUNCTIONS, OPERATIONS

MAX_LENGTH = 500
"""Characters of an expression."""
MAX_NAME = 20
"""Characters of a name."""
MAX_DEPTH = 30
"""Parentheses, signs and powers within each other."""
MAX_NODES = 100
"""Nodes of a graph: more cannot be followed on any blackboard."""
NEAR = 30
"""Characters on either side of a fault that a message shows."""

_TYPED = str.maketrans("−–×·⋅÷", "--***/")
"""Signs of print and of telephones, as the keyboard's."""
_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_\u0370-\u03ff][A-Za-z0-9_\u0370-\u03ff]*)"
    r"|(?P<sign>\*\*|[-+*/^(),])"
)
_OPERAND = "a number, a name, a function or '('"


@dataclass(frozen=True, slots=True)
class Term:
    """A node of an expression. `operation`: a key of OPERATIONS, "number" or "name". `inputs`:
    places of its arguments among the terms. `value`: of a number. `name`: of a name. `at`: the
    character it was written at."""

    operation: str
    at: int
    inputs: tuple[int, ...] = ()
    value: float = 0.0
    name: str = ""


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def parse(text: str) -> tuple[Term, ...]:
    """The terms of an expression, each after its arguments, the whole expression last.

    A name that is used twice is one term; everything else is as often there as it was written.
    Raises UsageError, which points at the place, if `text` is no expression or goes beyond
    MAX_LENGTH, MAX_DEPTH or MAX_NODES.
    """
    if len(text) > MAX_LENGTH:
        raise UsageError(
            f"The expression has {len(text)} characters, and {MAX_LENGTH} are allowed. "
            "Write a shorter one."
        )
    return _Parser(text).whole()


def number_of(text: str) -> float:
    """A number as it is typed behind "x=". Raises UsageError if it is none, or not finite."""
    try:
        value = float(text.translate(_TYPED)) if text.isprintable() and len(text) < 50 else None
    except ValueError:
        value = None
    if value is None or not math.isfinite(value):
        raise UsageError(f"Expected a number such as 2 or -0.5, got {text[:50]!r}.")
    return value


def check_name(name: str) -> None:
    """Raises UsageError if nothing in an expression can be called `name`."""
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


class _Parser:
    """Goes through the tokens once, from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = self._split()
        self.place = 0
        self.depth = 0
        self.terms: list[Term] = []
        self.names: dict[str, int] = {}

    def _split(self) -> list[_Token]:
        text = self.text.translate(_TYPED)
        tokens, at = [], 0
        while at < len(text):
            if text[at].isspace():
                at += 1
                continue
            found = _TOKEN.match(text, at)
            if not found:
                raise pointing_at(
                    self.text,
                    at,
                    f"{self.text[at]!r} means nothing here. Write with + - * / ^ ( ), numbers, "
                    f"names and the functions {', '.join(FUNCTIONS)}.",
                )
            tokens.append(_Token(str(found.lastgroup), found[0], at))
            at = found.end()
        return [*tokens, _Token("end", "", len(text.rstrip()))]

    @property
    def token(self) -> _Token:
        return self.tokens[self.place]

    def error(self, message: str, token: _Token | None = None) -> UsageError:
        return pointing_at(self.text, (token or self.token).at, message)

    def expected(self, what: str, hint: str = "") -> UsageError:
        found = f"'{self.token.text}'" if self.token.text else "the end"
        return self.error(f"Expected {what}, found {found}.{hint}")

    def take(self, *signs: str) -> _Token | None:
        """The next token if it is one of `signs`; then it is gone."""
        if self.token.kind == "sign" and self.token.text in signs:
            self.place += 1
            return self.tokens[self.place - 1]
        return None

    def add(self, term: Term) -> int:
        if len(self.terms) == MAX_NODES:
            raise pointing_at(
                self.text,
                term.at,
                f"The expression has more than {MAX_NODES} nodes. Write a shorter one.",
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
        left = self.product()
        while sign := self.take("+", "-"):
            left = self.add(Term(sign.text, sign.at, (left, self.product())))
        return left

    def product(self) -> int:
        left = self.signed()
        while sign := self.take("*", "/"):
            left = self.add(Term(sign.text, sign.at, (left, self.signed())))
        return left

    def signed(self) -> int:
        self.depth += 1  # every way to nest goes through here
        if self.depth > MAX_DEPTH:
            raise self.error(
                f"More than {MAX_DEPTH} parentheses, signs or powers are within each other. "
                "Write a simpler expression."
            )
        if sign := self.take("-", "+"):
            term = self.signed()
            written = self.terms[term]
            if sign.text == "-" and written.operation == "number" and written.at == sign.at + 1:
                self.terms[term] = Term("number", sign.at, value=-written.value)  # -2 is a number
            elif sign.text == "-":
                term = self.add(Term("neg", sign.at, (term,)))
        else:
            term = self.power()
        self.depth -= 1
        return term

    def power(self) -> int:
        base = self.primary()
        if sign := self.take("^", "**"):
            return self.add(Term("^", sign.at, (base, self.signed())))
        return base

    def primary(self) -> int:
        token = self.token
        if self.take("("):
            term = self.sum()
            self.close()
            return term
        if token.kind == "number":
            self.place += 1
            value = float(token.text)
            if math.isinf(value):
                raise self.error("Expected a number below 1.8e308.", token)
            return self.add(Term("number", token.at, value=value))
        if token.kind == "name":
            self.place += 1
            if self.take("("):
                return self.function(token)
            return self.name(token)
        raise self.expected(_OPERAND)

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
        wanted = OPERATIONS[token.text].arguments
        while len(inputs) < wanted:
            if not self.take(","):
                raise self.expected(f"',', as {token.text} takes {wanted}")
            inputs.append(self.sum())
        self.close(token.text)
        return self.add(Term(token.text, token.at, tuple(inputs)))

    def close(self, function: str = "") -> None:
        if self.take(")"):
            return
        if self.token.text == "," and function:
            raise self.expected(f"')', as {function} takes {OPERATIONS[function].arguments}")
        raise self.expected("an operator (+ - * / ^) or ')'")
