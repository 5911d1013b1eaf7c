"""The drawing of a graph: nothing on top of anything else, in any graph."""

from itertools import combinations
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eyespot.playground.graph import work_through
from eyespot.playground.graph_drawing import draw
from eyespot.playground.graph_layout import Layout, arrange

SVG = "{http://www.w3.org/2000/svg}"
LETTER = 0.58
"""Width of a letter, as a share of its size; digits of common system fonts are 0.53 to 0.57."""
GRAPHS: list[tuple[str, dict[str, float]]] = [
    ("(x + y) * z", {"x": -2, "y": 5, "z": -4}),
    (
        "1 / (1 + exp(-(w0*x0 + w1*x1 + w2)))",
        {"w0": 2, "x0": -1, "w1": -3, "x1": -2, "w2": -3},
    ),
    ("x*x + max(x, y)^2 + relu(x-3) + abs(y-3) - -2/x", {"x": 3, "y": 3}),
    ("(x + sigmoid(y)) / (sigmoid(x) + (x+y)^2)", {"x": 3, "y": -4}),
    ("+".join(["x"] * 49), {"x": 1}),
    ("max(learning_rate_of_all, 1.2345e-9) * -1e-12 / x", {"learning_rate_of_all": 1e-9, "x": 1}),
    ("2 * 3", {}),
    ("x", {"x": 2}),
]


class Box(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float
    what: str

    def meets(self, other: "Box") -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


def texts(svg: ElementTree.Element) -> list[Box]:
    """Where the letters are; each from 0.75 of its size above the foot."""
    boxes = []
    for text in svg.iter(f"{SVG}text"):
        classes = text.get("class", "").split()
        size = 12 if "name" in classes else 17 if "heading" in classes else 15
        wide = LETTER * size * len(text.text or "")
        x, y = float(text.get("x", "")), float(text.get("y", ""))
        left = x - wide / 2 if "middle" in classes else x
        boxes.append(Box(left, y - 0.75 * size, left + wide, y + 1, text.text or ""))
    return boxes


def nodes(svg: ElementTree.Element) -> list[Box]:
    return [
        Box(x, y, x + float(rect.get("width", "")), y + float(rect.get("height", "")), "box")
        for rect in svg.iter(f"{SVG}rect")
        if rect.get("class") == "box"
        for x, y in [(float(rect.get("x", "")), float(rect.get("y", "")))]
    ]


def check(drawing: str) -> ElementTree.Element:
    """Nothing overlaps, all is inside; a text that stands in a box is all in it."""
    svg = ElementTree.fromstring(drawing)
    _, _, width, height = map(float, svg.get("viewBox", "").split())
    letters, boxes = texts(svg), nodes(svg)
    for one, other in [*combinations(letters, 2), *combinations(boxes, 2)]:
        assert not one.meets(other), (one, other)
    for text in letters:
        assert text.left >= 0
        assert text.top >= 0
        assert text.right <= width
        assert text.bottom <= height
        for box in boxes:
            if text.meets(box):
                assert box.left < text.left
                assert text.right < box.right
    return svg


@pytest.mark.parametrize(("text", "values"), GRAPHS)
def test_nothing_is_on_top_of_anything_else(text: str, values: dict[str, float]) -> None:
    check(draw(work_through(text, values)))


@st.composite
def expressions(draw: st.DrawFn) -> str:
    """Sums of products of few names: many forks, many long wires."""
    factors = st.sampled_from(("x", "y", "z", "relu(x)", "2", "sin(y + z)", "(x * y)"))
    products = st.lists(factors, min_size=1, max_size=3).map(" * ".join)
    return " - ".join(draw(st.lists(products, min_size=1, max_size=6)))


@settings(max_examples=60, deadline=None)
@given(expressions())
def test_nothing_is_on_top_of_anything_else_in_any_graph(text: str) -> None:
    values = {"x": -1.2345e-7, "y": 3.0, "z": 0.5}
    check(draw(work_through(text, {name: v for name, v in values.items() if name in text})))


def numbers(svg: ElementTree.Element, kind: str) -> list[str]:
    found = [text for text in svg.iter(f"{SVG}text") if text.get("class") == f"{kind} middle"]
    return [text.text or "" for text in found]


def test_values_and_gradients_are_those_of_the_graph() -> None:
    svg = check(draw(work_through("(x + y) * z", {"x": -2, "y": 5, "z": -4})))
    assert sorted(numbers(svg, "value")) == sorted(["−2", "5", "−4", "3", "−12"])
    assert sorted(numbers(svg, "gradient")) == sorted(["−4", "−4", "3", "−4", "1"])


def test_a_fork_shows_what_comes_back_on_each_wire_and_the_sum() -> None:
    svg = check(draw(work_through("x * x + x", {"x": 3})))
    assert sorted(numbers(svg, "gradient")) == sorted(["3", "3", "1", "7", "1", "1"])
    assert len(list(svg.iter(f"{SVG}circle"))) == 1


def test_every_number_knows_the_step_that_writes_it_down() -> None:
    graph = work_through("x * x + y", {"x": 3, "y": 4})
    svg = check(draw(graph))
    steps = {
        kind: sorted(
            (int(text.get("data-step", "")), text.text)
            for text in svg.iter(f"{SVG}text")
            if text.get("class") == f"{kind} middle"
        )
        for kind in ("value", "gradient")
    }
    assert [step.kind for step in graph.steps] == [
        "forward", "forward", "start", "backward", "backward", "sum",
    ]  # fmt: skip
    assert steps["value"] == [(0, "3"), (0, "4"), (1, "9"), (2, "13")]
    assert steps["gradient"] == [(3, "1"), (4, "1"), (4, "1"), (5, "3"), (5, "3"), (6, "6")]


def test_nodes_and_wires_know_their_places_in_the_graph() -> None:
    graph = work_through("x * x + 2 * y", {"x": 3, "y": 4})
    svg = check(draw(graph))
    titles = {int(g.get("data-node", "")): g[0].text for g in svg.iter(f"{SVG}g")}
    drawn = {place: node for place, node in enumerate(graph.nodes) if node.operation != "number"}
    assert titles == {place: node.written for place, node in drawn.items()}
    ends = sorted(
        (int(path.get("data-from", "")), int(path.get("data-to", "")))
        for path in svg.iter(f"{SVG}path")
        if path.get("data-to")
    )
    inputs = sorted((i, place) for place, node in drawn.items() for i in node.inputs if i in drawn)
    assert ends == inputs
    assert len(ends) == 5


def test_a_page_with_its_own_style_gets_none() -> None:
    graph = work_through("x * 2", {"x": 3})
    assert "<style>" in draw(graph)
    assert "style" not in draw(graph, styled=False)


def test_constants_stand_in_the_boxes() -> None:
    values = {"x": 2.0, "y": 1.0}
    svg = check(draw(work_through("max(x, 2) + (1 / y) ^ 2 - (-3) - y * -4 + -x", values)))
    shown = {text.what for text in texts(svg)}
    assert {"max(·, 2)", "1 /", "^ 2", "− (−3)", "× (−4)", "× (−1)"} <= shown


def test_the_first_argument_comes_in_above_the_second() -> None:
    svg = check(draw(work_through("(x - y) / (y - x)", {"x": 1, "y": 2})))
    paths = [path.get("d", "") for path in svg.iter(f"{SVG}path")]
    arrivals = [float(d.rpartition("H")[0].split()[-1]) for d in paths if "C" in d]
    assert len(arrivals) == 6
    for first, second in zip(arrivals[::2], arrivals[1::2], strict=True):
        assert first < second


@given(st.lists(st.integers(0, 100), min_size=1, max_size=20))
def test_wires_of_a_tree_do_not_cross(picks: list[int]) -> None:
    # Each pick joins two neighbours of the row of what is not joined yet.
    row = list(range(len(picks) + 1))
    edges: list[tuple[int, int, int]] = []
    for node, pick in enumerate(picks, start=len(row)):
        place = pick % (len(row) - 1)
        edges += [(row[place], node, 0), (row[place + 1], node, 1)]
        row[place : place + 2] = [node]
    layout = arrange(edges, range(len(picks) * 2 + 1), 60, 30, 15)
    assert all(place.height <= place.y * 2 for column in layout.columns for place in column)
    assert crossings(layout) == 0


def test_wires_that_need_not_cross_do_not() -> None:
    # (z - sin(x + y)) * y: in the order of writing, the long wire of y would cross.
    z, x, y, plus, sine, minus, times = range(7)
    edges = [(x, plus, 0), (y, plus, 1), (plus, sine, 0), (z, minus, 0), (sine, minus, 1)]
    edges += [(minus, times, 0), (y, times, 1)]
    assert crossings(arrange(edges, range(7), 60, 30, 15)) == 0


def crossings(layout: Layout) -> int:
    """Pairs of wires that cross between two columns."""
    return sum(
        (one.y - other.y) * (end.y - far.y) < 0
        for column in layout.columns
        for one, other in combinations(column, 2)
        for end in one.after
        for far in other.after
    )


def test_the_documentation_shows_what_is_drawn_today() -> None:
    drawing = Path(__file__).resolve().parents[2] / "docs/images/blackboard.svg"
    assert drawing.read_text(encoding="utf-8") == draw(work_through(*GRAPHS[1]))


def test_it_says_what_it_shows_to_those_who_hear_it() -> None:
    svg = check(draw(work_through("(x + y) * z", {"x": -2, "y": 5, "z": -4})))
    assert svg.get("role") == "img"
    assert svg.get("aria-labelledby") == "title desc"
    by_id = {element.get("id"): element.text for element in svg.iter()}
    assert by_id["title"] == "Computation graph of f = (x + y) * z"
    assert "q = x + y = 3, gradient -4" in str(by_id["desc"])
    assert "prefers-color-scheme: dark" in draw(work_through("x", {"x": 1}))
