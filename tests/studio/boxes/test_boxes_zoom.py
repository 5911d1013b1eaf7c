"""The zoom of Boxes: what is drawn in a part of the photo is in pixels of the whole."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.studio.boxes.test_boxes_page import create
from tests.studio.browser import Studio

pytestmark = pytest.mark.browser


def shown(page: Page) -> list[float]:
    """The part of the photo that is in view: left, top, width, height in its pixels."""
    return [float(value) for value in (page.get_attribute("#canvas", "viewBox") or "").split()]


def point(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where a place of the photo is in the window. `x`, `y`: in pixels of the photo."""
    there = page.evaluate(
        "([x, y]) => { const at = new DOMPoint(x, y).matrixTransform(canvas.getScreenCTM());"
        " return [at.x, at.y]; }",
        [x, y],
    )
    return there[0], there[1]


def test_the_mouse_zooms_pans_and_draws(studio: Studio) -> None:
    with studio.page("/boxes.html", waits=True) as page:
        create(page, "Zoom", 1)
        page.mouse.move(*point(page, 75, 50))
        page.mouse.wheel(0, -347)  # exp(0.002 * 347) = 2.0
        expect(page.locator("#zoom")).to_have_text("200%")
        assert shown(page) == pytest.approx([37.5, 25, 150, 100], abs=0.2)  # (75, 50) stays
        expect(page.locator("#zoomed")).to_have_text("Zoom 200%")
        expect(page.locator("#canvas image")).to_have_attribute("href", re.compile("full=true$"))

        start, end = point(page, 60, 40), point(page, 100, 80)
        page.mouse.move(*start)
        page.mouse.down()
        page.mouse.move(*end, steps=3)
        page.mouse.up()
        box = page.locator("#canvas .box")
        expect(box).to_have_attribute("aria-label", "RBC, box 1 of 1, at 60, 40, 40 × 40 pixels")
        handle = page.locator("#canvas .handle").first.bounding_box()
        assert handle is not None
        assert handle["width"] == pytest.approx(11, abs=0.1)  # 9, and its line

        start, end = point(page, 60, 100), point(page, 50, 80)
        for button, key in (("middle", None), ("left", " ")):
            page.mouse.move(*start)
            if key:
                page.keyboard.down(key)
            page.mouse.down(button=button)  # type: ignore[arg-type]
            page.mouse.move(*end, steps=3)
            page.mouse.up(button=button)  # type: ignore[arg-type]
            if key:
                page.keyboard.up(key)
        assert shown(page) == pytest.approx([57.5, 65, 150, 100], abs=0.2)
        expect(box).to_have_count(1)
        page.get_by_role("button", name="Fit, zoom 200%").click()
        assert shown(page) == [0, 0, 300, 200]


def test_keys_zoom_pan_and_bring_a_box_into_view(studio: Studio) -> None:
    with studio.page("/boxes.html", waits=True) as page:
        create(page, "Keys", 2)
        page.locator("#draw").focus()
        for _ in range(3):
            page.keyboard.press("+")
        expect(page.locator("#zoom")).to_have_text("338%")
        left = shown(page)[0]
        page.keyboard.press("ArrowRight")
        assert shown(page)[0] == pytest.approx(left + 0.2 * 300 / 1.5**3)
        expect(page.locator("#photo-title")).to_have_text("gravel 0.png")
        page.keyboard.press("n")
        box = page.locator("#canvas .box")
        expect(box).to_be_focused()
        for _ in range(12):
            page.keyboard.press("ArrowLeft")
        x, _, width, _ = shown(page)
        label = box.get_attribute("aria-label") or ""
        place = float(label.split(" at ")[1].split(",")[0])
        assert x <= place + 0.5
        assert place <= x + width
        page.keyboard.press("Escape")
        page.keyboard.press("0")
        expect(page.locator("#zoomed")).to_have_text("Whole photo")
        page.keyboard.press("ArrowRight")
        expect(page.locator("#photo-title")).to_have_text("gravel 1.png")


def test_two_fingers_zoom_and_draw_nothing(studio: Studio) -> None:
    with studio.page("/boxes.html", waits=True) as page:
        create(page, "Fingers", 1)
        devtools = page.context.new_cdp_session(page)

        def touch(kind: str, *places: tuple[float, float]) -> None:
            points = [{"x": x, "y": y, "id": id} for id, (x, y) in enumerate(places)]
            devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        (x, y), (right, _) = point(page, 100, 100), point(page, 200, 100)
        far = right - x
        touch("touchStart", (x, y))
        touch("touchMove", (x + 20, y + 20))  # the first finger began to draw
        touch("touchMove", (x, y))
        touch("touchStart", (x, y), (right, y))
        touch("touchMove", (x - far / 4, y), (right + far / 4, y))
        touch("touchMove", (x - far / 2, y), (right + far / 2, y))
        touch("touchEnd")
        expect(page.locator("#zoom")).to_have_text("200%")
        assert shown(page) == pytest.approx([75, 50, 150, 100], abs=1)
        expect(page.locator("#canvas .box")).to_have_count(0)
