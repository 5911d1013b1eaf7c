"""What is an expression, and what is said of what is none."""

import pytest

from eyespot.errors import UsageError
from eyespot.playground.expression import (
    MAX_DEPTH,
    MAX_LENGTH,
    MAX_NAME,
    MAX_NODES,
    check_name,
    number_of,
    parse,
)


def structure(text: str) -> str:
    """An expression with all its parentheses."""
    terms = parse(text)

    def show(place: int) -> str:
        term = terms[place]
        if term.operation in ("name", "number"):
            return term.name or f"{term.value:g}"
        return f"({term.operation} {' '.join(map(show, term.inputs))})"

    return show(len(terms) - 1)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("x - y - z", "(- (- x y) z)"),
        ("x + y * z", "(+ x (* y z))"),
        ("x / y * z", "(* (/ x y) z)"),
        ("x ^ y ^ z", "(^ x (^ y z))"),
        ("x ** 2", "(^ x 2)"),
        ("-x^2", "(neg (^ x 2))"),
        ("-2^2", "(neg (^ 2 2))"),
        ("x^-2", "(^ x -2)"),
        ("x - -2", "(- x -2)"),
        ("-x * y", "(* (neg x) y)"),
        ("--x", "(neg (neg x))"),
        ("-(2)", "(neg 2)"),
        ("+x", "x"),
        ("2 * (x + 1) ^ 2", "(* 2 (^ (+ x 1) 2))"),
        ("max(x, min(y, 2)) / exp(-x)", "(/ (max x (min y 2)) (exp (neg x)))"),
        ("1.5e-3 + .5 + 2.", "(+ (+ 0.0015 0.5) 2)"),
        ("expo + e1", "(+ expo e1)"),
        ("σ·w_0 − x÷2", "(- (* σ w_0) (/ x 2))"),
        ("\tx\n+ y ", "(+ x y)"),
    ],
)
def test_how_an_expression_is_read(text: str, meant: str) -> None:
    assert structure(text) == meant


def test_a_name_is_one_term_and_a_number_many() -> None:
    assert [term.operation for term in parse("x*x + 2*x + 2")] == [
        "name", "*", "number", "*", "+", "number", "+",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "at", "said"),
    [
        ("", 0, "Expected a number, a name, a function or '(', found the end"),
        ("x +", 3, "Expected a number, a name"),
        ("x + * y", 4, "found '*'"),
        ("(x + y", 6, "Expected an operator (+ - * / ^) or ')', found the end"),
        ("x)", 1, "found ')'"),
        ("2x", 1, "A product needs its sign: 2 * x"),
        ("(x)(y)", 3, "A product needs its sign"),
        ("x y", 2, "found 'y'"),
        ("x, y", 1, "found ','"),
        ("(x, y)", 2, "found ','"),
        ("x $ y", 2, "'$' means nothing here"),
        ("x²", 1, "'²' means nothing here"),
        ("__import__('os')", 11, "means nothing here"),
        ("x.real", 1, "means nothing here"),
        ("sigmod(x)", 0, "Did you mean sigmoid?"),
        ("eval(x)", 0, "There is no function 'eval'"),
        ("exp", 3, "Expected '(' after the function exp"),
        ("exp x", 4, "Expected '(' after the function exp"),
        ("exp()", 4, "found ')'"),
        ("exp(x, y)", 5, "Expected ')', as exp takes 1"),
        ("max(x)", 5, "Expected ',', as max takes 2"),
        ("max(x, y, z)", 8, "Expected ')', as max takes 2"),
        ("x + 1e999", 4, "Expected a number below 1.8e308"),
        ("y + " + "x" * (MAX_NAME + 1), 4, f"{MAX_NAME} characters"),
    ],
)
def test_a_fault_is_pointed_at(text: str, at: int, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    message, expression, caret = str(caught.value).split("\n")
    assert said in message
    assert expression == f"  {text}"
    assert caret == "  " + " " * at + "^"


def test_a_fault_far_to_the_right_is_shown_with_what_is_near() -> None:
    with pytest.raises(UsageError) as caught:
        parse("x + " * 20 + "$" + " + x" * 20)
    _, expression, caret = str(caught.value).split("\n")
    assert len(expression) < 75
    assert expression[caret.index("^")] == "$"


def test_control_characters_do_not_reach_the_terminal() -> None:
    with pytest.raises(UsageError) as caught:
        parse("x \x1b[31m y")
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    ("fits", "goes_beyond", "said"),
    [
        ("x".ljust(MAX_LENGTH), "x".ljust(MAX_LENGTH + 1), f"{MAX_LENGTH} are allowed"),
        ("-" * (MAX_DEPTH - 1) + "x", "-" * MAX_DEPTH + "x", f"More than {MAX_DEPTH}"),
        ("(" * 29 + "x" + ")" * 29, "(" * 30 + "x" + ")" * 30, f"More than {MAX_DEPTH}"),
        ("x^" * 29 + "x", "x^" * 30 + "x", f"More than {MAX_DEPTH}"),
        ("(" * 499, "exp(" * 125, f"More than {MAX_DEPTH}"),
        ("+".join("x" * MAX_NODES), "+".join("x" * (MAX_NODES + 1)), f"more than {MAX_NODES}"),
    ],
)
def test_limits(fits: str, goes_beyond: str, said: str) -> None:
    if set(fits) != {"("}:
        parse(fits)
    with pytest.raises(UsageError, match=said):
        parse(goes_beyond)


def test_numbers_of_names() -> None:
    assert [number_of(text) for text in ("2", "-0.5", "−4", "1e-3", " 7 ")] == [
        2, -0.5, -4, 0.001, 7,
    ]  # fmt: skip
    for wrong in ("", "two", "nan", "inf", "1e999", "1,5", "2x", "1" * 5000):
        with pytest.raises(UsageError, match="Expected a number such as"):
            number_of(wrong)


def test_names() -> None:
    for right in ("x", "w0", "_a", "θ"):
        check_name(right)
    for wrong in ("", "0w", "x y", "exp", "x=", "x" * (MAX_NAME + 1), "<b>"):
        with pytest.raises(UsageError, match="Expected a name such as"):
            check_name(wrong)
