"""`eyespot graph`."""

import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from eyespot.cli.options import Json, argument, option
from eyespot.cli.outputs import check_ending, check_outputs
from eyespot.cli.show import print_json, say
from eyespot.errors import UsageError

if TYPE_CHECKING:
    from eyespot.playground.graph import Graph


def graph(
    expression: Annotated[str, argument("An expression such as (x+y)*z, in quotes.")],
    values: Annotated[list[str] | None, argument("A number for each name, such as x=-2.")] = None,
    svg: Annotated[Path | None, option("Draw the graph into this SVG file.")] = None,
    as_json: Json = False,
) -> None:
    """Compute an expression and its gradients step by step.

    Operators: + - * / ^ and parentheses.

    Functions: abs, cos, exp, log, max, min, relu, sigmoid, sin, sqrt, tanh.

    Example: eyespot graph "(x+y)*z" x=-2 y=5 z=-4
    """
    from eyespot.playground.graph import work_through

    check_outputs([svg])
    check_ending(svg, ".svg")
    worked = work_through(expression, _numbers(values or ()))
    if svg is not None:
        from eyespot.atomic import write_atomically
        from eyespot.playground.graph_drawing import draw

        write_atomically(svg, draw(worked).encode("utf-8"))
    if as_json:
        print_json({**asdict(worked), "value": worked.result.value, "gradients": worked.gradients})
    elif svg is not None:
        say(svg)
    else:
        _show(worked)


def _numbers(values: Sequence[str]) -> dict[str, float]:
    """Numbers by name, from texts such as x=-2."""
    from eyespot.playground.expression import check_name, number_of

    numbers: dict[str, float] = {}
    for text in values:
        name, sign, number = (part.strip() for part in text.partition("="))
        if not sign:
            raise UsageError(
                f"Expected NAME=NUMBER such as x=-2, got {text[:50]!r}. An expression with spaces "
                "needs quotes."
            )
        check_name(name)
        if name in numbers:
            raise UsageError(f"{name} has two values. Give it one.")
        numbers[name] = number_of(number)
    return numbers


def _show(worked: "Graph") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from eyespot.playground.graph import shown

    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, padding=(0, 2))
    result = worked.result
    table.add_column("node")
    table.add_column("computes")
    table.add_column("value", justify="right", style="green")
    table.add_column(f"gradient of {result.name}", justify="right", style="red")
    for node in worked.nodes:
        if node.operation == "number":
            continue  # it is shown where it is used
        gradient = "-" if node.gradient is None else shown(node.gradient)
        computes = node.written if node.inputs else ""
        table.add_row(node.name, computes, shown(node.value), gradient)
    console.print(table)
    part = ""
    for number, step in enumerate(worked.steps, start=1):
        if part != (part := "Forward" if step.kind == "forward" else "Backward"):
            console.print(Text(f"\n{part}", style="bold"))
        lines = [(f"{number:>3}. ", step.text)]
        for share in step.shares if step.kind == "backward" else ():  # a sum's were shown before
            name = worked.nodes[share.node].name
            lines.append(("     ", f"to {name}: {share.formula}, and {share.product}"))
        for start, text in lines:
            filled = textwrap.fill(start + text, console.width, subsequent_indent=" " * 5)
            console.print(Text(filled))
    if result.gradient is None:
        console.print("\nThere is no name, so there is no gradient.")
