"""Boxes in a real browser: drawn with the mouse, corrected without it."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.studio.boxes.test_box_projects import photos
from tests.studio.browser import Studio, check_sizes_and_schemes, start, stop

pytestmark = pytest.mark.browser


def create(page: Page, name: str, count: int) -> None:
    """A project with the classes RBC and WBC and `count` photos of 300 x 200 pixels."""
    page.get_by_label("Project name").fill(name)
    page.get_by_role("button", name="Create project").click()
    for of in ("RBC", "WBC"):
        page.get_by_label("Name of the new class").fill(of)
        page.get_by_role("button", name="Add class").click()
        expect(page.locator("#chips button", has_text=of)).to_have_count(1)
    for number, (file, data) in enumerate(photos(count, 300, 200), 1):
        page.set_input_files("#files", FilePayload(name=file, mimeType="image/png", buffer=data))
        expect(page.locator("#strip li")).to_have_count(number)


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """With the mouse, in shares of the photo."""
    place = page.locator("#canvas image").bounding_box()
    assert place is not None
    points = [
        (place["x"] + x * place["width"], place["y"] + y * place["height"]) for x, y in (start, end)
    ]
    page.mouse.move(*points[0])
    page.mouse.down()
    page.mouse.move(*points[1], steps=3)
    page.mouse.up()


def test_a_photo_is_annotated(studio: Studio) -> None:
    with studio.page("/boxes.html", waits=True) as page:
        create(page, "Cells", 2)
        box = page.locator("#canvas .box")
        drag(page, (0.1, 0.1), (0.4, 0.6))
        expect(box).to_have_attribute("aria-label", "RBC, box 1 of 1, at 30, 20, 90 × 100 pixels")
        expect(box).to_be_focused()
        page.keyboard.press("2")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Shift+ArrowDown")
        moved = "WBC, box 1 of 1, at 31, 20, 90 × 101 pixels"
        expect(box).to_have_attribute("aria-label", moved)
        drag(page, (0.4, 0.605), (0.6, 0.8))  # the lower right handle
        expect(box).to_have_attribute("aria-label", "WBC, box 1 of 1, at 31, 20, 150 × 140 pixels")
        expect(page.locator("#counts li").nth(1)).to_have_text("WBC1")
        page.get_by_role("button", name="Undo").click()
        expect(box).to_have_attribute("aria-label", moved)
        page.get_by_role("button", name="Done, next photo").click()
        expect(page.locator("#strip .mark").first).to_have_text("✓")
        expect(page.locator("#photo-title")).to_have_text("gravel 1.png")
        expect(box).to_have_count(0)
        page.keyboard.press("n")
        expect(box).to_be_focused()
        page.keyboard.press("Delete")
        expect(box).to_have_count(0)
        page.get_by_role("button", name="No objects").click()
        expect(page.locator("#strip .mark").nth(1)).to_have_text("no objects")
        expect(page.locator("#training")).to_contain_text("2 photos of 5 done")
        page.reload()
        expect(box).to_have_attribute("aria-label", moved)


def test_a_box_drawn_without_a_studio_is_saved_by_the_next(studio: Studio) -> None:
    with studio.page("/boxes.html", waits=True) as page:
        create(page, "Lost", 1)
        port = urlsplit(page.url).port
        stop(studio.process)
        expect(page.locator("#problem")).to_contain_text("The studio does not answer.")
        drag(page, (0.1, 0.1), (0.4, 0.6))
        studio.process, studio.address = start(port=port)
        expect(page.locator("#problem")).to_contain_text("Open the address")  # it has a new key
        page.context.new_page().goto(studio.address)
        expect(page.locator("#problem")).to_be_hidden()
        expect(page.get_by_role("button", name="Undo")).to_have_attribute(
            "title", "Undo changing gravel 0.png"
        )
        page.reload()
        expect(page.locator("#canvas .box")).to_have_attribute(
            "aria-label", "RBC, box 1 of 1, at 30, 20, 90 × 100 pixels"
        )
        studio.complaints.clear()  # of requests without an answer


def test_proposals_are_accepted_corrected_and_discarded(studio: Studio) -> None:
    with studio.page("/boxes.html", waits=True) as page:
        page.add_init_script(PRETENDED)
        page.reload()
        create(page, "Proposals", 2)
        box = page.locator("#canvas .box")
        expect(box).to_have_count(3)
        expect(page.locator(".figure")).to_have_text("75.0%")
        box.first.focus()
        page.keyboard.press("Enter")
        expect(page.locator("#canvas .box.proposed")).to_have_count(2)
        page.keyboard.press("Tab")
        page.keyboard.press("Delete")
        expect(box).to_have_count(2)
        page.get_by_role("button", name="Accept all and next").click()
        expect(page.locator("#strip button").first).to_have_accessible_name(
            "gravel 0.png, done, 2 boxes"
        )
        check_sizes_and_schemes(studio, page, narrow=375)


PRETENDED = """
const summary = {
  key: "1", photos: 5, boxes: 9, evaluated_on: "", evaluated: 5, issues: [], per_class: [],
  classes: {}, ap50: 0.75, ap50_interval: [0.5, 0.9],
  count_mae: 0.5, count_mae_interval: [0.2, 0.9], count_mean: 2,
};
let classes = [];
const real = window.fetch;
window.fetch = async (address, options) => {
  if (address.endsWith("/proposals")) {
    const class_id = classes[0].id, sides = { ymin: 20, ymax: 80 };
    const boxes = [10, 100, 200].map((x) => (
      { class_id, probability: 0.9, xmin: x, xmax: x + 60 - x / 10, ...sides }));
    return Response.json({ boxes });
  }
  const answer = await real(address, options);
  if (!address.includes("?seen=")) return answer;
  const state = await answer.json();
  classes = state.classes ?? classes;
  return Response.json({ ...state, training: { ...state.training, summary, current: true } });
};
"""
"""Answers of a studio whose detector proposes three boxes on each photo."""
