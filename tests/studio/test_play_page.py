"""The playground in a real browser: learning, changing, sharing, and one's own points."""

import re
from collections.abc import Iterator
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Page, expect

from tests.studio.browser import Studio, open_studio, serious_faults

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def studio() -> Iterator[Studio]:
    with open_studio() as studio:
        yield studio


def shared(page: Page) -> dict[str, str]:
    """What the address holds."""
    found = parse_qs(page.url.partition("#")[2], keep_blank_values=True)
    return {name: texts[0] for name, texts in found.items()}


def wait_for_shared(page: Page, expected: dict[str, str]) -> None:
    """The address changes once the server has taken a change."""
    for _ in range(6_000):  # five minutes
        if shared(page) == expected:
            return
        page.wait_for_timeout(50)
    assert shared(page) == expected


def pixel(page: Page, selector: str) -> list[int]:
    """Red, green and blue in the middle of a canvas."""
    found: list[int] = page.evaluate(
        """selector => {
          const canvas = document.querySelector(selector);
          const x = Math.floor(canvas.width / 2), y = Math.floor(canvas.height / 2);
          return [...canvas.getContext("2d").getImageData(x, y, 1, 1).data.slice(0, 3)];
        }""",
        selector,
    )
    return found


def pieces(page: Page) -> tuple[int, int]:
    """Hidden and output units, and edges, that are drawn."""
    return page.locator("#net .unit").count(), page.locator("#net path").count()


def test_it_learns_and_pauses(studio: Studio) -> None:
    with studio.page("/play.html#features=x^2,y^2&hidden=&learning_rate=0.3") as page:
        expect(page.locator("#steps")).to_have_text("0")  # nothing moves by itself
        page.get_by_role("button", name="One step").click()
        expect(page.locator("#steps")).to_have_text("1")
        page.get_by_role("button", name="One epoch").click()
        expect(page.locator("#epochs")).to_have_text("1")
        page.get_by_role("button", name="Run", exact=True).click()
        expect(page.locator("#test-accuracy")).to_have_text("100%")
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_role("button", name="Run", exact=True)).to_be_visible()
        expect(page.get_by_role("status")).to_contain_text("Test accuracy 100%")
        red, _, blue = pixel(page, "#net .unit.large canvas")
        assert blue > red  # the disc in the middle is blue, 1
        expect(page.get_by_role("img", name="Plane coloured")).to_be_visible()
        page.get_by_role("button", name="Reset").click()
        expect(page.locator("#steps")).to_have_text("0")
        page.wait_for_timeout(300)
        expect(page.locator("#steps")).to_have_text("0")


def test_layers_and_units_without_a_mouse(studio: Studio) -> None:
    with studio.page("/play.html") as page:
        assert pieces(page) == (7, 2 * 4 + 4 * 2 + 2)
        page.get_by_role("button", name="Add a unit to layer 1").focus()
        for count in (5, 6):  # the button keeps the focus
            page.keyboard.press("Enter")
            expect(page.locator("#net .unit")).to_have_count(count + 3)
        wait_for_shared(page, {"hidden": "6,2"})
        page.get_by_role("button", name="Add a hidden layer").click()
        expect(page.locator("#layers-text")).to_have_text("3 hidden layers")
        page.get_by_role("button", name="xy").click()
        expect(page.get_by_role("button", name="xy")).to_have_attribute("aria-pressed", "true")
        wait_for_shared(page, {"hidden": "6,2,2", "features": "x,y,xy"})
        assert pieces(page) == (11, 3 * 6 + 6 * 2 + 2 * 2 + 2)
        for _ in range(3):
            page.get_by_role("button", name="Remove a hidden layer").click()
        expect(page.locator("#layers-text")).to_have_text("0 hidden layers")
        assert pieces(page) == (1, 3)
        expect(page.get_by_role("button", name="Remove a hidden layer")).to_be_disabled()


def test_units_and_edges_in_words(studio: Studio) -> None:
    with studio.page("/play.html") as page:
        page.get_by_role("button", name="One step").click()
        page.get_by_role("button", name="Output unit").focus()
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowDown")
        expect(page.get_by_role("button", name="Unit 2 of layer 1", exact=True)).to_be_focused()
        expect(page.locator("#unit-name")).to_have_text("Unit 2 of layer 1")
        edges = page.locator("#unit-edges button")
        expect(edges).to_have_count(2)
        expect(edges.first).to_have_text(re.compile(r"x: weight −?\d.*, gradient −?\d"))
        edges.first.focus()
        assert page.locator("#net path.marked").count() == 1
        page.get_by_role("button", name="Output unit").focus()
        page.locator("#unit-edges button").first.click()
        expect(page.locator("#unit-name")).to_have_text("Unit 1 of layer 2")
        broken = page.locator("#net path.negative").count()
        page.get_by_label("Lines show").select_option("gradients")
        expect(page.locator("#lines-about")).to_contain_text("gradient of the loss")
        assert page.locator("#net path.negative").count() != broken


def test_a_shared_link_shows_the_same(studio: Studio) -> None:
    with studio.page("/play.html") as page:
        page.get_by_role("button", name="spiral").click()
        page.get_by_label("Activation").select_option("relu")
        page.get_by_label("Schedule").select_option("cosine")
        page.get_by_label("Over epochs").select_option("100")
        page.get_by_label("Noise").focus()
        page.keyboard.press("ArrowRight")
        page.get_by_label("Batch norm").check()
        page.get_by_role("button", name="Draw new data").click()
        expect(page.locator("#problem")).to_be_hidden()
        page.get_by_role("button", name="One epoch").click()
        expect(page.locator("#epochs")).to_have_text("1")
        link, loss = page.url, page.locator("#test-loss").inner_text()
    found = {"data": "spiral", "activation": "relu", "schedule": "cosine", "epochs": "100"}
    with studio.page("/play.html#" + link.partition("#")[2]) as page:
        assert found.items() <= shared(page).items()
        assert page.get_by_label("Batch norm").is_checked()
        expect(page.locator(".value", has_text="5%").first).to_be_visible()
        page.get_by_role("button", name="One epoch").click()
        expect(page.locator("#test-loss")).to_have_text(loss)


def test_broken_links(studio: Studio) -> None:
    with studio.page("/play.html#hidden=99") as page:
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("This link is broken: A hidden layer has 1 to 8 units")
        wait_for_shared(page, {})
        page.evaluate("location.hash = 'problem=<b>&data=own'")
        expect(alert).to_contain_text("problem cannot be '<b>'")
        page.evaluate("location.hash = 'nothing=1'")
        expect(alert).to_contain_text("There is no setting 'nothing'")
        # An answer to what was asked before may change the address before the link is opened.
        page.evaluate("location.hash = 'late=1'; history.replaceState(null, '', 'play.html')")
        expect(alert).to_contain_text("This link is broken: There is no setting 'late'")
        page.evaluate("location.hash = 'data=xor'")
        expect(page.get_by_role("button", name="xor")).to_have_attribute("aria-pressed", "true")
        expect(alert).to_be_hidden()
        page.get_by_role("button", name="One step").click()
        expect(page.locator("#steps")).to_have_text("1")


def test_what_cannot_be_is_said_and_changes_nothing(studio: Studio) -> None:
    with studio.page("/play.html#features=x") as page:
        page.get_by_role("button", name="x", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("Choose at least one feature")
        wait_for_shared(page, {"features": "x"})
        page.get_by_role("button", name="y", exact=True).click()
        expect(page.get_by_role("alert")).to_be_hidden()


def test_own_points_by_mouse_and_keyboard(studio: Studio) -> None:
    with studio.page("/play.html") as page:
        page.get_by_role("button", name="custom").click()
        expect(page.get_by_role("button", name="Run", exact=True)).to_be_disabled()
        expect(page.locator("#own-about")).to_contain_text("Add 3 more points")
        plane = page.locator("#plane")
        plane.click(position={"x": 60, "y": 60})
        plane.click(position={"x": 120, "y": 60})
        page.get_by_label("Orange").check()
        plane.focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Run", exact=True)).to_be_enabled()
        expect(page.locator("#own-about")).to_have_text(re.compile("^Click"))
        page.get_by_role("button", name="One step").click()
        expect(page.locator("#steps")).to_have_text("1")
        points = shared(page)["own"].split(";")
        assert [point.split(",")[2] for point in points] == ["1", "1", "-1"]
        assert points[2] == "0.5,-0.5,-1"
        plane.click(position={"x": 121, "y": 61})  # a point is there: it goes
        expect(page.locator("#own-about")).to_contain_text("Add 1 more point ")
        own = f"{points[0]};{points[2]}"
        wait_for_shared(page, {"data": "own", "train_share": "0.8", "own": own})
        page.get_by_role("button", name="Remove all").click()
        wait_for_shared(page, {"data": "own", "train_share": "0.8"})


def test_regression(studio: Studio) -> None:
    with studio.page("/play.html#data=xor") as page:
        page.get_by_label("Problem").select_option("regression")
        expect(page.get_by_role("button", name="plane")).to_have_attribute("aria-pressed", "true")
        wait_for_shared(page, {"problem": "regression", "data": "plane"})
        expect(page.locator("#test-accuracy")).to_be_hidden()
        page.get_by_role("button", name="custom").click()
        page.get_by_label("Value").fill("-0.5")
        for x in (60, 90, 120):
            page.locator("#plane").click(position={"x": x, "y": 60})
        expect(page.get_by_role("button", name="Run", exact=True)).to_be_enabled()
        page.get_by_label("Problem").select_option("classification")
        expect(page.locator("#test-accuracy")).to_be_visible()
        page.get_by_role("button", name="One step").click()
        expect(page.locator("#steps")).to_have_text("1")
        assert [p.split(",")[2] for p in shared(page)["own"].split(";")] == ["-1"] * 3


def test_a_run_that_went_astray(studio: Studio) -> None:
    wild = "/play.html#problem=regression&data=plane&activation=linear&learning_rate=10"
    with studio.page(wild) as page:
        page.get_by_role("button", name="Run", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("diverged")
        expect(page.get_by_role("button", name="Run", exact=True)).to_be_visible()
        page.get_by_label("Learning rate").select_option("0.01")
        page.get_by_role("button", name="Reset").click()
        page.get_by_role("button", name="One epoch").click()
        expect(page.locator("#epochs")).to_have_text("1")
        expect(page.get_by_role("alert")).to_be_hidden()


def test_a_studio_that_was_closed_is_said_and_nothing_is_lost(studio: Studio) -> None:
    with studio.page() as page:
        page.add_init_script(
            """const Real = WebSocket;
            WebSocket = class extends Real {
              constructor(to) { super(to); window.line = this; }
            };"""
        )
        page.goto(studio.address.partition("/?")[0] + "/play.html#hidden=3")
        page.get_by_role("button", name="Run", exact=True).click()
        expect(page.locator("#epochs")).not_to_have_text("0")
        page.evaluate("line.close()")
        expect(page.get_by_role("alert")).to_contain_text("Is it still running?")
        page.get_by_role("button", name="One step").click()  # it was started again
        expect(page.locator("#steps")).to_have_text("1")
        assert pieces(page) == (4, 9)
        expect(page.get_by_role("alert")).to_be_hidden()


def test_own_points_can_be_placed_by_all(studio: Studio) -> None:
    with studio.page("/play.html#data=own", width=360, scheme="dark") as page:
        faults = serious_faults(page)
        studio.complaints.clear()  # axe itself breaks the policy for styles
        assert faults == []
