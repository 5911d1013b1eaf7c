"""The page that one tries a server with, in a real browser."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Page, Route, expect

from tests.serve.test_app import jpeg
from tests.serve.test_server import serving
from tests.studio.browser import Visit, is_wider_than_window, open_browser, serious_faults

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def visit(surfaces: Path) -> Iterator[Visit]:
    with open_browser() as browser, serving(surfaces) as running:
        yield Visit(running.address, browser)


def payload(name: str, data: bytes) -> FilePayload:
    return FilePayload(name=name, mimeType="image/jpeg", buffer=data)


def choose(page: Page, **files: bytes) -> None:
    page.set_input_files("#file", [payload(name, data) for name, data in files.items()])


def test_asking_about_photos(visit: Visit) -> None:
    with visit.page() as page:
        addresses = page.locator("#addresses > li")
        expect(addresses).to_have_count(7)
        expect(addresses.first).to_have_text(
            "POST /v1/models/{name}:predict: Classify photos, or find objects in them"
        )
        expect(page.locator("#labels")).to_have_text("brick, grass")
        expect(page.locator("#about")).to_contain_text("2 classes. Backbone efficientnet_lite0")
        expect(page.locator("#curl")).to_contain_text(f"{visit.address}v1/models/surfaces:predict")
        choose(page, **{"<b>wall</b>.jpg": jpeg("brick"), "lawn.jpg": jpeg("grass"), "no": b"no"})
        cards = page.locator("#answers > li")
        expect(cards).to_have_count(3)
        expect(cards.nth(0)).to_contain_text("<b>wall</b>.jpg")
        expect(cards.nth(0).locator("ol li").first).to_contain_text("brick")
        expect(cards.nth(1).locator("ol li").first).to_contain_text("grass")
        expect(cards.nth(2)).to_contain_text("not an image")
        choose(page, only=b"no")
        expect(page.get_by_role("alert")).to_contain_text("cannot be used")
        expect(cards).to_have_count(0)
        assert any("422" in said for said in visit.complaints)  # the browser's own line
        visit.complaints.clear()


def test_asking_why(visit: Visit) -> None:
    file = io.BytesIO()
    Image.new("RGB", (1600, 400)).save(file, "PNG")
    asked: list[str | None] = []

    def answer(route: Route) -> None:  # what the server draws is tried elsewhere; it takes seconds
        asked.append(route.request.header_value("accept"))
        route.fulfill(body=file.getvalue(), content_type="image/png")

    with visit.page(width=360) as page:
        page.route("**/v1/models/surfaces:explain", answer)
        choose(page, **{"a.jpg": jpeg(), "b": b"no"})
        page.get_by_role("button", name="Explain").click()
        photo = page.get_by_role("img", name="Explanation for a.jpg")
        expect(photo).to_be_visible()
        assert photo.evaluate("image => image.naturalWidth") == 1600
        assert asked == ["image/png"]
        assert not is_wider_than_window(page)
        choose(page, **{"b.jpg": jpeg()})
        expect(photo).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_can_use_it_on_a_phone_and_at_night(visit: Visit, scheme: str) -> None:
    with visit.page(width=360, scheme="dark" if scheme == "dark" else "light") as page:
        choose(page, a=jpeg(), b=b"no")
        expect(page.locator("#answers > li")).to_have_count(2)
        assert not is_wider_than_window(page)
        faults = serious_faults(page)
        visit.complaints.clear()  # axe itself breaks the policy for styles
        assert faults == []


def test_a_key_is_asked_for(visit: Visit, surfaces: Path, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("secret\n")
    with serving(surfaces, "--api-keys", tmp_path / "keys") as running:
        locked = Visit(running.address, visit.browser)
        with locked.page() as page:
            expect(page.get_by_role("alert")).to_contain_text("Expected a key")
            page.get_by_label("API key").fill("secret")
            page.keyboard.press("Enter")
            expect(page.locator("#labels")).to_have_text("brick, grass")
            expect(page.get_by_label("API key")).to_be_hidden()
            choose(page, a=jpeg())
            expect(page.locator("#answers > li")).to_have_count(1)
            assert any("401" in said for said in locked.complaints)
            locked.complaints.clear()
