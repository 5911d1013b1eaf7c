"""What happens to a page whose studio is killed, and to what was taught."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.studio.browser import Studio, open_studio, start, stop

pytestmark = pytest.mark.browser


@pytest.fixture
def studio(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Studio]:
    monkeypatch.setenv("EYESPOT_PROJECTS", str(tmp_path_factory.mktemp("projects")))
    with open_studio() as studio:
        yield studio


def test_killed_and_started_again(studio: Studio) -> None:
    with studio.page("/teach.html") as page:
        page.get_by_label("Its name").fill("Kept")
        page.get_by_role("button", name="Begin").click()
        page.get_by_label("Another class").fill("mug")
        page.get_by_role("button", name="Add it").click()
        expect(page.get_by_role("region", name="Class mug")).to_be_visible()
        place = page.url
        stop(studio.process)
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("Is it still running?")
        port = urlsplit(studio.address).port
        studio.process, studio.address = start(port=port)
        expect(alert).to_contain_text("Open the address that `eyespot studio` printed")
        page.goto(studio.address)
        page.goto(place)
        expect(page.get_by_role("region", name="Class mug")).to_be_visible()
        studio.complaints.clear()  # the browser says that nobody answered
