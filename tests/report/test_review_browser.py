"""The page of a review in a real browser: light, dark, on a phone, by keyboard, without scripts."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from eyespot.features.backbone import load_backbone
from eyespot.report.review import write_review
from eyespot.review.actions import propose
from tests.report.test_review import a_review
from tests.studio.browser import PATIENCE, find_browser, is_wider_than_window, serious_faults

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = find_browser()
    if found is None:
        pytest.skip("there is no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def page_file(network: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("review") / "page.html"
    review = a_review(load_backbone(str(network)))
    write_review(review, propose(review), path.with_suffix(".actions.csv"), path)
    return path


@contextmanager
def opened(browser: Browser, file: Path, **options: Any) -> Iterator[Page]:
    """The page; whatever the browser complains of or asks for fails the test."""
    said: list[str] = []
    context = browser.new_context(**options)
    try:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda asked: said.append(asked.url))
        page.goto(file.as_uri())
        said.remove(file.as_uri())
        yield page
        assert [line for line in said if not line.startswith("data:image/jpeg;")] == []
    finally:
        context.close()


@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (360, "dark")])
def test_nothing_keeps_people_from_using_it(
    browser: Browser, page_file: Path, width: int, scheme: str
) -> None:
    # axe is a script of its own, which the page's policy would rightly refuse.
    options = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme}
    with opened(browser, page_file, bypass_csp=True, **options) as page:
        assert not is_wider_than_window(page)
        assert serious_faults(page) == []


def test_the_keyboard_walks_zooms_and_leaves(browser: Browser, page_file: Path) -> None:
    with opened(browser, page_file) as page:
        plot, tip = page.locator("#plot"), page.locator("#tip")
        plot.focus()
        page.keyboard.press("ArrowRight")
        first = tip.inner_text()
        place = page.locator("#here").get_attribute("d") or ""
        page.keyboard.press("ArrowRight")
        assert tip.inner_text() != first
        there = page.locator("#here").get_attribute("d") or ""
        assert int(there[1:].split()[0]) > int(place[1:].split()[0])  # it went right
        assert tip.locator("img").count() == 1
        page.keyboard.press("+")
        x, y, width, height = map(float, (plot.get_attribute("viewBox") or "").split())
        assert width == 520
        px, py = map(float, there.removesuffix("h0")[1:].split())
        assert x <= px <= x + width
        assert y <= py <= y + height
        page.keyboard.press("0")
        assert plot.get_attribute("viewBox") == "-20 -20 1040 740"
        page.keyboard.press("Escape")
        assert tip.is_hidden()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == "closer"


def test_pointing_at_a_dot_shows_its_photo(browser: Browser, page_file: Path) -> None:
    with opened(browser, page_file) as page:
        place = page.evaluate(
            """() => {
              const points = JSON.parse(document.getElementById("points").textContent);
              const plot = document.getElementById("plot");
              plot.scrollIntoView({block: "center", behavior: "instant"});
              const box = plot.getBoundingClientRect();
              return {
                x: box.left + (points.x[7] + 20) / 1040 * box.width,
                y: box.top + (points.y[7] + 20) / 740 * box.height,
                name: points.name[7],
              };
            }"""
        )
        page.mouse.move(place["x"], place["y"])
        assert place["name"] in page.locator("#tip").inner_text()
        assert "predicted" in page.locator("#tip").inner_text()


@pytest.mark.parametrize("scripts", [True, False])
def test_the_colours_follow_label_or_group(
    browser: Browser, page_file: Path, scripts: bool
) -> None:
    with opened(browser, page_file, java_script_enabled=scripts) as page:
        label, group = page.locator("#plot .by-label"), page.locator("#plot .by-group")
        shown = [layer.evaluate("e => getComputedStyle(e).display") for layer in (label, group)]
        assert shown == ["inline", "none"]
        page.locator("#by-group").check()
        shown = [layer.evaluate("e => getComputedStyle(e).display") for layer in (label, group)]
        assert shown == ["none", "inline"]


def test_without_scripts_all_but_pointing_is_there(browser: Browser, page_file: Path) -> None:
    with opened(browser, page_file, java_script_enabled=False) as page:
        assert page.locator("#plot .by-label .dots").count() == 3
        assert page.locator(".zoom").is_hidden()
        assert page.locator(".groups img").count() == 12
        assert page.get_by_text("predicted").count() >= 1
