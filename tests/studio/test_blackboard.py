"""The blackboard: what its route says, and a walk through a graph in a browser."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Page, Route, expect

from eyespot.playground.graph import shown, work_through
from tests.studio.browser import Studio, is_wider_than_window, open_studio

HOME = "http://127.0.0.1:8765"
NEURON = "1 / (1 + exp(-(w0*x0 + w1*x1 + w2)))"
FIRST = {"x": "-2", "y": "5", "z": "-4"}


def ask(client: TestClient, expression: str, values: dict[str, str]) -> dict[str, Any]:
    question = {"expression": expression, "values": values}
    answer = client.post("/api/blackboard", json=question)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def test_it_says_what_the_library_says(client: TestClient) -> None:
    found = ask(client, "(x + y) * z", FIRST)
    graph = work_through("(x + y) * z", {"x": -2, "y": 5, "z": -4})
    assert [step["text"] for step in found["steps"]] == [step.text for step in graph.steps]
    share = graph.steps[3].shares[0]
    assert found["steps"][3]["shares"][0] == {
        "to": "q",
        "formula": share.formula,
        "product": share.product,
        "above": "1",
        "local": "-4",
        "gradient": "-4",
    }
    assert found["result"] == {"name": "f", "value": "-12"}
    assert found["gradients"] == {name: shown(g) for name, g in graph.gradients.items()}


def test_the_drawing_obeys_the_policy_for_styles(client: TestClient) -> None:
    svg = ElementTree.fromstring(ask(client, NEURON, {})["drawing"])
    assert not [part for part in svg.iter() if part.tag.endswith("style") or "style" in part.attrib]


def test_new_names_get_a_value_and_old_ones_are_left_alone(client: TestClient) -> None:
    found = ask(client, "b + a", {"a": "−3", "gone": "no number"})
    assert list(found["values"].items()) == [("b", "1"), ("a", "−3")]
    assert found["result"]["value"] == "-2"


@pytest.mark.parametrize(
    ("expression", "values", "said"),
    [
        ("x +", {}, "Expected a number, a name, a function or '(', found the end.\n  x +\n     ^"),
        ("x y", {}, "A product needs its sign"),
        ("1 / x", {"x": "0"}, "divides by 0"),
        ("x", {"x": ""}, "x: Expected a number such as 2"),
        ("x" * 501, {}, "500 are allowed"),
        ("__import__('os')", {}, "means nothing here"),
    ],
)
def test_what_is_wrong_is_an_answer(
    client: TestClient, expression: str, values: dict[str, str], said: str
) -> None:
    found = ask(client, expression, values)
    assert said in found["error"]
    assert "drawing" not in found


def test_names_are_known_where_only_a_value_is_wrong(client: TestClient) -> None:
    assert ask(client, "y / x", {"x": "0"})["values"] == {"y": "1", "x": "0"}


def test_questions_of_strangers_are_refused(client: TestClient) -> None:
    question = {"expression": "x", "values": {f"x{n}": "1" for n in range(1000)}}
    for wrong in (question, {"expression": 3}, {"expression": "x", "values": [], "more": 1}):
        assert client.post("/api/blackboard", json=wrong).status_code == 400


# --- in a browser ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def studio() -> Iterator[Studio]:
    with open_studio() as studio:
        yield studio


def numbers(page: Page, kind: str) -> list[str]:
    """Those that can be seen in the drawing."""
    found = page.locator(f"#drawing text.{kind}[data-step]:not(.unknown)")
    return sorted(found.all_text_contents())


@pytest.mark.browser
def test_a_walk_with_the_arrow_keys(studio: Studio) -> None:
    with studio.page("/blackboard.html") as page:
        step = page.get_by_role("status")
        expect(step).to_contain_text("Inputs: x = −2, y = 5, z = −4.")
        assert numbers(page, "value") == sorted(["−2", "5", "−4"])
        page.keyboard.press("ArrowRight")
        expect(step).to_have_text("q = x + y = −2 + 5 = 3")
        expect(page.locator("#drawing .current > title")).to_have_text("x + y")
        expect(page.locator("#drawing .wire.flows")).to_have_count(2)
        assert numbers(page, "value") == sorted(["−2", "5", "−4", "3"])
        assert numbers(page, "gradient") == []
        page.keyboard.press("End")
        expect(page.locator("#place")).to_have_text("Backward · step 5 of 5")
        expect(step).to_contain_text("to x −4")
        expect(step).to_contain_text("f = −12")
        assert numbers(page, "gradient") == sorted(["−4", "−4", "3", "−4", "1"])
        page.keyboard.press("ArrowLeft")
        expect(step).to_contain_text("d(q × z)/dq = z = −4")
        page.keyboard.press("Home")
        expect(page.locator("#drawing .current")).to_have_count(0)


@pytest.mark.browser
def test_buttons_go_the_same_way(studio: Studio) -> None:
    with studio.page("/blackboard.html") as page:
        place = page.locator("#place")
        page.get_by_role("button", name="Next").click()
        expect(place).to_have_text("Forward · step 1 of 5")
        page.get_by_role("button", name="Last step").click()
        page.get_by_role("button", name="Back").click()
        expect(place).to_have_text("Backward · step 4 of 5")
        page.get_by_text("All steps").click()
        page.get_by_role("button", name="df/df = 1").click()
        expect(place).to_have_text("Backward · step 3 of 5")
        page.get_by_role("button", name="Play").click()
        expect(place).to_have_text("Backward · step 5 of 5")  # a step a second, and it ends
        expect(page.locator("#play")).to_have_text("Play")


@pytest.mark.browser
def test_fields_follow_the_expression(studio: Studio) -> None:
    with studio.page("/blackboard.html") as page:
        page.get_by_label("y", exact=True).fill("7")
        page.get_by_role("textbox", name="Expression", exact=True).fill("y * other")
        expect(page.locator("#values label")).to_have_text(["y", "other"])
        expect(page.get_by_label("y", exact=True)).to_have_value("7")
        expect(page.get_by_label("other", exact=True)).to_have_value("1")
        page.get_by_role("textbox", name="Expression", exact=True).press(
            "ArrowLeft"
        )  # moves the cursor alone
        expect(page.locator("#place")).to_have_text("Start, 3 steps to go")


@pytest.mark.browser
def test_a_fault_shows_its_place_and_leaves_the_drawing(studio: Studio) -> None:
    with studio.page("/blackboard.html", width=360) as page:
        expect(page.locator("#drawing svg")).to_have_count(1)
        page.get_by_role("textbox", name="Expression", exact=True).fill("(x + y) * ")
        expect(page.get_by_role("alert")).to_contain_text("found the end")
        expect(page.locator("#fault-place")).to_have_text("  (x + y) * \n           ^")
        expect(page.locator("#drawing svg title").first).to_contain_text("(x + y) * z")
        page.get_by_role("textbox", name="Expression", exact=True).fill("<script>alert(1)</script>")
        expect(page.get_by_role("alert")).to_contain_text("'<' means nothing here")
        page.get_by_role("textbox", name="Expression", exact=True).fill("x / y")
        expect(page.get_by_role("alert")).to_have_count(0)
        page.get_by_label("y", exact=True).fill("0")
        expect(page.get_by_role("alert")).to_contain_text("divides by 0")
        assert not is_wider_than_window(page)


@pytest.mark.browser
def test_an_answer_that_comes_late_is_left_alone(studio: Studio) -> None:
    with studio.page("/blackboard.html") as page:
        held: list[Route] = []
        page.route("**/api/blackboard", lambda route: held.append(route))
        expression = page.get_by_role("textbox", name="Expression", exact=True)
        for number, text in enumerate(("a", "a + b"), start=1):
            expression.fill(text)
            while len(held) < number:
                page.wait_for_timeout(20)
        for route in reversed(held):
            with page.expect_response("**/api/blackboard"):
                route.continue_()
        expect(page.locator("#values label")).to_have_text(["a", "b"])
        page.wait_for_url("**expression=a+%2B+b*")
        assert "f = a + b" in str(page.locator("#drawing title").first.text_content())


@pytest.mark.browser
def test_a_link_shows_the_same(studio: Studio) -> None:
    with studio.page("/blackboard.html", width=360) as page:
        page.get_by_role("button", name="Sigmoid neuron").click()
        expect(page.get_by_label("w2", exact=True)).to_have_value("-3")
        for _ in range(12):
            page.keyboard.press("ArrowRight")
        page.wait_for_url("**step=12")
        address = page.url
        drawing = page.locator("#drawing")
        drawing.scroll_into_view_if_needed()
        expect(drawing.locator(".current")).to_be_in_viewport()  # within the drawing, too
        assert not is_wider_than_window(page)
    with studio.page("/" + address.split("/", 3)[3]) as page:
        expect(page.locator("#place")).to_have_text("Backward · step 12 of 17")
        expect(page.get_by_role("textbox", name="Expression", exact=True)).to_have_value(NEURON)
        page.evaluate("location.hash = 'expression=a*a&value=a%3D3'")
        expect(page.locator("#values label")).to_have_text(["a"])


@pytest.mark.browser
def test_a_broken_link_is_an_error(studio: Studio) -> None:
    with studio.page("/blackboard.html#what=x") as page:
        for state, said in (
            ({"what": "x"}, "what is unknown"),
            ({"expression": "x +"}, "expression cannot be read"),
            ({"expression": "x", "value": "x=many"}, '"x=many" is not a name with a number'),
            ({"expression": "x", "step": "-1"}, "step is not a whole number"),
        ):
            page.evaluate("link => { location.hash = link }", urlencode(state))
            expect(page.locator("#problem")).to_contain_text(f"This link is broken: {said}")
            expect(page.get_by_role("textbox", name="Expression", exact=True)).to_have_value(
                "(x + y) * z"
            )
            expect(page.locator("#drawing svg")).to_have_count(1)
