"""`eyespot graph`: on the terminal, as JSON, as a drawing."""

import json
import os
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner, Result

from eyespot.cli.main import app


def graph(*arguments: object, width: int = 80) -> Result:
    return CliRunner().invoke(
        app, ["graph", *map(str, arguments)], env={"COLUMNS": str(width)}, catch_exceptions=False
    )


def test_the_blackboard_in_the_terminal() -> None:
    done = graph("(x+y)*z", "x=-2", "y=5", "z=-4")
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["node", "computes", "value", "gradient", "of", "f"]
    assert [line.split() for line in lines[1:6]] == [
        ["x", "-2", "-4"],
        ["y", "5", "-4"],
        ["q", "x", "+", "y", "3", "-4"],
        ["z", "-4", "3"],
        ["f", "q", "*", "z", "-12", "1"],
    ]
    assert lines[7:10] == [
        "Forward",
        "  1. q = x + y = -2 + 5 = 3",
        "  2. f = q * z = 3 * (-4) = -12",
    ]
    assert lines[11] == "Backward"
    assert "     to q: d(q * z)/dq = z = -4, and 1 * (-4) = -4" in lines


def test_long_lines_are_folded() -> None:
    done = graph("relu(x) + x*x", "x=0", width=50)
    assert max(map(len, done.stdout.splitlines())) <= 50
    text = " ".join(done.stdout.split())
    assert "a kink at 0: any number from 0 to 1 is a subgradient; 0 is taken" in text
    assert "x is used 3 times, and the gradients add up: df/dx = 0 + 0 + 0 = 0" in text


def test_json() -> None:
    found = json.loads(graph("(x+y)*z", "x=-2", "y=5", "z=-4", "--json").stdout)
    assert found["value"] == -12
    assert found["gradients"] == {"x": -4, "y": -4, "z": 3}
    assert [node["name"] for node in found["nodes"]] == ["x", "y", "q", "z", "f"]
    assert [step["kind"] for step in found["steps"]] == [
        "forward", "forward", "start", "backward", "backward",
    ]  # fmt: skip


def test_a_drawing(tmp_path: Path) -> None:
    drawing = tmp_path / "g.svg"
    done = graph("x * 2", "x=4", "--svg", drawing)
    assert (done.exit_code, done.stdout) == (0, f"{drawing}\n")
    assert ElementTree.parse(drawing).getroot().tag.endswith("svg")
    both = graph("x * 2", "x=4", "--svg", tmp_path / "h.svg", "--json")
    assert json.loads(both.stdout)["value"] == 8
    assert (tmp_path / "h.svg").exists()


@pytest.mark.parametrize("text", ["-x", "--x", "-log(x)", "- x"])
def test_an_expression_may_begin_with_a_minus(text: str) -> None:
    done = graph(text, "x=1", "--json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["expression"] == text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["(x+y", "x=1", "y=2"], "eyespot: Expected an operator"),
        (["x+y", "x=1"], "y has no value. Give it one: y=1\n  x+y\n    ^\n"),
        (["x", "+", "y"], "Expected NAME=NUMBER such as x=-2, got '+'"),
        (["x", "x=1", "x=2"], "x has two values"),
        (["x", "x="], "Expected a number such as 2 or -0.5, got ''"),
        (["x", "x=nan"], "got 'nan'"),
        (["x", "1=x"], "Expected a name such as x or w0, got '1'"),
        (["x", "x=1", "y=2"], "y has a value, but is not in the expression"),
        (["x", "x=1", "--jsn"], "got '--jsn'"),
        (["1/x", "x=0"], "At the node f: f = 1 / x = 1 / 0 divides by 0"),
        (["x", "x=1", "--svg", "x.png"], "Choose a name that ends in .svg"),
        (["x", "x=1", "--svg", os.sep], "is a folder"),
        (["x\x1b[2J", "x=1"], "means nothing here"),
        (["x", "\x1b[2J=1"], "Expected a name"),
        (["x", "x=\x1b[2J"], "Expected a number"),
    ],
)
def test_bad_use_is_explained(arguments: list[str], said: str) -> None:
    done = graph(*arguments)
    assert done.exit_code == 2
    assert done.stderr.startswith("eyespot: ")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stderr
    assert not done.stdout


def test_without_a_name_there_is_no_gradient() -> None:
    done = graph("2 * 3")
    assert done.exit_code == 0
    assert "f = 2 * 3 = 6" in done.stdout
    assert "There is no name, so there is no gradient." in done.stdout
