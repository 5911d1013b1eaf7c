"""Pages and projects when the studio is killed or the disk is full."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.studio.browser import Studio, open_studio, start, stop

pytestmark = pytest.mark.browser


@pytest.fixture
def studio(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Studio]:
    monkeypatch.setenv("EYESPOT_PROJECTS", str(tmp_path_factory.mktemp("projects")))
    with open_studio() as studio:
        yield studio


def create(page: Page) -> None:
    page.get_by_label("Project name").fill("Kept")
    page.get_by_role("button", name="Create project").click()
    page.get_by_label("Name of the new class").fill("mug")
    page.get_by_role("button", name="Add class").click()
    expect(page.get_by_role("region", name="Class mug")).to_be_visible()


def noise(path: Path, side: int) -> Path:
    """A photo that no format can compress."""
    pixels = np.random.default_rng(side).integers(0, 256, (side, side, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, quality=95)
    return path


def test_killed_and_started_again(studio: Studio) -> None:
    with studio.page("/teach.html") as page:
        create(page)
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
        studio.complaints.clear()  # the browser logs that nobody answered


@pytest.mark.slow
def test_a_photo_of_50_megabytes(studio: Studio, tmp_path: Path) -> None:
    photo = noise(tmp_path / "wall.jpg", 6600)
    assert photo.stat().st_size > 50_000_000
    with studio.page("/teach.html") as page:
        create(page)
        page.locator(".files").set_input_files(photo)
        expect(page.locator(".thumbs li")).to_have_count(1)
        expect(page.get_by_role("alert")).to_be_hidden()


def test_no_camera(studio: Studio) -> None:
    with studio.page("/teach.html", camera=True) as page:
        create(page)
        page.evaluate(
            "() => { navigator.mediaDevices.getUserMedia ="
            " () => Promise.reject(new DOMException('none', 'NotFoundError')); }"
        )
        page.get_by_role("button", name="Hold to record").click()
        expect(page.get_by_role("alert")).to_contain_text("has no camera")
        expect(page.get_by_role("button", name="Hold to record")).to_be_visible()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of little more than 1 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    line = ["mount", "-t", "tmpfs", "-o", "size=1200k", "none", str(folder)]
    try:
        mounted = subprocess.run(line, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("a small disk can be made only by root, on Linux")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk(small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EYESPOT_PROJECTS", str(small_disk))
    photos = [noise(tmp_path / f"{side}.jpg", side) for side in (300, 310, 320, 900, 910, 60)]
    with open_studio() as studio, studio.page("/teach.html") as page:
        create(page)
        page.locator(".files").set_input_files(photos[:3])
        expect(page.locator(".thumbs li")).to_have_count(3)
        page.locator(".files").set_input_files(photos[3:5])
        expect(page.get_by_role("alert")).to_contain_text("full")
        kept = page.locator(".thumbs li")
        with_some = kept.count()
        assert 3 <= with_some < 5
        page.reload()
        expect(kept).to_have_count(with_some)
        studio.complaints.clear()  # the browser logs the errors
