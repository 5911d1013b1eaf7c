"""Every page of the studio in a real browser: on a phone, in the dark, without a mouse."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Page, expect

from eyespot.weights.importers import import_weights
from tests.pictures import patches
from tests.studio.browser import (
    Studio,
    Visit,
    is_wider_than_window,
    open_studio,
    serious_faults,
    start,
    stop,
)

pytestmark = pytest.mark.browser

PAGES = (
    "/",
    "/boxes.html",
    "/look.html",
    "/play.html",
    "/blackboard.html",
    "/convolution.html",
    "/zoo.html#lenet5",
    "/search.html",
)


@pytest.fixture(scope="module")
def studio() -> Iterator[Studio]:
    with open_studio() as studio:
        yield studio


@pytest.mark.parametrize("path", PAGES)
def test_pages_fit_a_phone_and_are_accessible(studio: Studio, path: str) -> None:
    with studio.page(path, width=360, scheme="dark") as page:
        assert not is_wider_than_window(page)
        page.set_viewport_size({"width": 1200, "height": 800})
        assert not is_wider_than_window(page)
        faults = serious_faults(page)
        page.emulate_media(color_scheme="light")
        faults += serious_faults(page, "color-contrast")
        studio.complaints.clear()  # axe itself breaks the policy for styles
        assert faults == []


def test_the_zoo_without_a_mouse(studio: Studio) -> None:
    with studio.page("/zoo.html") as page:
        rows = page.locator("#rows tr")
        assert rows.count() > 70
        button = page.get_by_role("button", name="Multiply-adds")
        button.focus()
        page.keyboard.press("Enter")
        expect(rows.first.locator("th")).to_have_text("mnist_linear")
        page.keyboard.press("Enter")
        expect(rows.first.locator("th")).to_have_text("resnet152_c")
        bubble = page.get_by_role("link", name="resnet50:")
        bubble.focus()
        page.keyboard.press("Enter")
        expect(page.locator("#one-title")).to_have_text("resnet50")
        expect(page.locator("#one")).to_be_focused()
        page.locator("#layers tr").first.wait_for()
        assert page.locator("#layers tr").count() > 100


def test_families_can_be_left_out(studio: Studio) -> None:
    with studio.page("/zoo.html") as page:
        bubbles = page.locator("#chart circle")
        before = bubbles.count()
        page.get_by_label("vgg", exact=True).uncheck()
        assert 0 < bubbles.count() < before
        page.get_by_label("vgg", exact=True).check()
        assert bubbles.count() == before


def test_a_closed_studio_is_reported(studio: Studio) -> None:
    with studio.page("/zoo.html") as page:
        page.route("**/api/**", lambda route: route.abort())
        page.reload()
        expect(page.get_by_role("alert")).to_contain_text("Is it still running?")
        assert any("net::ERR_FAILED" in said for said in studio.complaints)
        studio.complaints.clear()


def choose_photo(page: Page) -> None:
    out = io.BytesIO()
    Image.fromarray(patches("gravel", 1, side=200)[0]).save(out, "PNG")
    files = [FilePayload(name="gravel.png", mimeType="image/png", buffer=out.getvalue())]
    page.set_input_files("#file", files)


def test_looking_at_a_photo(studio: Studio) -> None:
    with studio.page("/look.html") as page:
        choose_photo(page)
        expect(page.locator("#guesses li")).to_have_count(5)
        page.get_by_role("button", name="stage4", exact=True).click()
        expect(page.locator("#within-about")).to_have_text("stage4: 80 activation maps of 14 × 14.")
        expect(page.get_by_alt_text("Activation maps of stage4")).to_be_visible()
        page.get_by_role("button", name="Grad-CAM").click()
        expect(page.get_by_alt_text("support the first prediction")).to_be_visible()
        expect(page.get_by_alt_text("First-layer filters")).to_have_js_property("complete", True)


def test_looking_for_faces(
    studio: Studio, shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a studio of its own, with the detector's weights."""
    monkeypatch.setenv("EYESPOT_WEIGHTS", str(tmp_path))
    manifest = shared_data / "weights" / "tiny_face_detector_model-weights_manifest.json"
    import_weights("tiny_yolo_face", manifest)
    process, address = start()
    try:
        with Visit(address, studio.browser).page("/look.html") as page:
            page.set_input_files("#file", shared_data / "faces" / "bbt4.jpg")
            page.get_by_role("button", name="Faces").click()
            expect(page.get_by_alt_text("a box around each face")).to_be_visible()
            expect(page.locator("#within-about")).to_contain_text("not whose they are")
    finally:
        stop(process)


def test_looking_through_the_camera(studio: Studio) -> None:
    with studio.page("/look.html", camera=True) as page:
        page.get_by_role("button", name="Start camera").click()
        expect(page.locator("#guesses li")).to_have_count(5)
        expect(page.locator("#speed")).to_contain_text("photos/s")
        page.get_by_role("button", name="Stop camera").click()
        expect(page.locator("#empty")).to_be_visible()


def test_a_camera_that_is_not_allowed(studio: Studio) -> None:
    with studio.page("/look.html") as page:
        page.get_by_role("button", name="Start camera").click()
        expect(page.get_by_role("alert")).to_contain_text("may not use the camera")
        choose_photo(page)
        expect(page.locator("#guesses li")).to_have_count(5)
        expect(page.get_by_role("alert")).to_be_hidden()


def test_a_file_that_is_not_a_photo(studio: Studio) -> None:
    with studio.page("/look.html") as page:
        text = FilePayload(name="holiday.jpg", mimeType="image/jpeg", buffer=b"Dear aunt")
        page.set_input_files("#file", [text])
        expect(page.get_by_role("alert")).to_contain_text("not an image")
