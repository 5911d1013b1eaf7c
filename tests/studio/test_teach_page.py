"""Teach in a real browser: with files, with the camera, and without a mouse."""

import base64
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Locator, Page, Route, expect

from tests.pictures import patches
from tests.studio.browser import PATIENCE, Studio, is_wider_than_window, open_studio, serious_faults

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EYESPOT_PROJECTS", str(tmp_path_factory.mktemp("projects")))
        with open_studio() as studio:
            yield studio


def files(surface: str, count: int) -> list[FilePayload]:
    payloads = []
    for number, patch in enumerate(patches(surface, count, side=64)):
        out = io.BytesIO()
        Image.fromarray(patch).save(out, "PNG")
        name = f"{surface}-{number}.png"
        payloads.append(FilePayload(name=name, mimeType="image/png", buffer=out.getvalue()))
    return payloads


def create(page: Page, name: str) -> None:
    page.get_by_label("Project name").fill(name)
    page.get_by_role("button", name="Create project").click()
    expect(page.get_by_label("Project", exact=True)).to_have_value(name)


def add_class(page: Page, name: str) -> None:
    page.get_by_label("Name of the new class").fill(name)
    page.get_by_role("button", name="Add class").click()
    expect(page.get_by_role("region", name=f"Class {name}")).to_be_visible()


def add_files(page: Page, name: str, chosen: list[FilePayload]) -> None:
    card = page.get_by_role("region", name=f"Class {name}")
    card.locator(".files").set_input_files(chosen)
    expect(card.locator(".thumbs li")).to_have_count(len(chosen))


def hold(page: Page, button: Locator) -> None:
    """Press a button that records; again, if the page moved beneath the mouse meanwhile."""
    while True:
        button.hover()
        page.mouse.down()
        page.wait_for_timeout(100)
        if page.locator(".record:active").count():
            break
        page.mouse.up()
    expect(page.locator(".record.on")).to_have_count(1)


def patiently(route: Route) -> None:
    """A recording without a hand on the button lasts five seconds; on a busy machine, few frames
    come in them."""
    answer = route.fetch()
    longer = answer.text().replace("HANDS_FREE = 5000", f"HANDS_FREE = {PATIENCE}")
    assert longer != answer.text()
    route.fulfill(response=answer, body=longer)


def kept(page: Page) -> int:
    """Photos of a recording on the server, once its last frame has arrived."""
    expect(page.locator(".record.on, .record[aria-busy=true]")).to_have_count(0)
    address, _, project = page.url.partition("#")
    state = page.request.get(urljoin(address, f"/api/projects/{project}")).json()
    return sum(len(of["photos"]) for of in state["classes"])


def test_from_files_to_a_classifier(studio: Studio, tmp_path: Path) -> None:
    gravel = files("gravel", 7)
    with studio.page("/teach.html") as page:
        create(page, "Stones <b>")
        for name, chosen in (("brick", files("brick", 6)), ("gravel", gravel[:6])):
            add_class(page, name)
            add_files(page, name, chosen)
        expect(page.locator("#status")).to_have_text("Trained on 12 photos.")
        expect(page.locator("#evaluation")).to_contain_text("Accuracy ")
        page.locator("#try").set_input_files(gravel[6])
        expect(page.locator("#bars .best")).to_contain_text("gravel")
        expect(page.locator("#similar li")).to_have_count(3)
        expect(page.locator("#similar li").first).to_have_text("gravel")
        bar = page.get_by_role("progressbar", name="Fine-tuning")
        expect(bar).to_be_hidden()
        page.get_by_role("button", name="Fine-tune").click()
        expect(bar).to_be_visible()
        page.get_by_role("button", name="Stop fine-tuning").click()
        expect(page.locator("#fine-tuning")).to_have_text("Fine-tuning was stopped.")
        with page.expect_download() as download:
            page.get_by_role("link", name="Download classifier").click()
        assert download.value.suggested_filename == "Stones _b_.eyespot"
        download.value.save_as(tmp_path / "stones.eyespot")
        assert (tmp_path / "stones.eyespot").stat().st_size > 10_000

        page.reload()  # nothing is lost
        expect(page.get_by_label("Project", exact=True)).to_have_value("Stones <b>")
        expect(page.locator(".thumbs li")).to_have_count(12)
        faults = serious_faults(page)
        studio.complaints.clear()  # axe itself breaks the policy for styles
        assert faults == []


def test_a_folder_of_folders(studio: Studio, tmp_path: Path) -> None:
    for name, count in (("brick", 3), ("gravel", 2)):
        (tmp_path / "walls" / name).mkdir(parents=True)
        for file in files(name, count):
            (tmp_path / "walls" / name / file["name"]).write_bytes(file["buffer"])
    (tmp_path / "walls" / ".DS_Store").write_bytes(b"\0")
    (tmp_path / "walls" / "gravel" / "notes.txt").write_text("Dear aunt")
    with studio.page("/teach.html") as page:
        page.get_by_label("Import a folder").set_input_files(tmp_path / "walls")
        expect(page.get_by_label("Project", exact=True)).to_have_value("walls")
        for name, count in (("brick", 3), ("gravel", 2)):
            card = page.get_by_role("region", name=f"Class {name}")
            expect(card.locator(".thumbs li")).to_have_count(count)
        expect(page.get_by_role("alert")).to_contain_text("Not added: notes.txt")
        expect(page.locator(".card")).to_have_count(2)


def test_a_table_whose_columns_are_named(studio: Studio, tmp_path: Path) -> None:
    photos = files("brick", 2) + files("gravel", 2)
    rows = "".join(f"{n}.jpg,{'ab'[n // 2]},{'xy'[n % 2]}\n" for n in range(4))
    with zipfile.ZipFile(tmp_path / "walls.zip", "w") as archive:
        archive.writestr("walls.csv", f"file,stone,light\n{rows}")
        for n, file in enumerate(photos):
            archive.writestr(f"{n}.jpg", file["buffer"])
    with studio.page("/teach.html", width=360) as page:
        page.get_by_label("Import a .zip file").set_input_files(tmp_path / "walls.zip")
        expect(page.get_by_role("alert")).to_contain_text("stone (a, b) and light (x, y)")
        page.get_by_text("Columns of a table").press("Enter")
        page.get_by_label("Label column").fill("stone")
        page.get_by_label("Import a .zip file").set_input_files(tmp_path / "walls.zip")
        for name in ("a", "b"):
            card = page.get_by_role("region", name=f"Class {name}")
            expect(card.locator(".thumbs li")).to_have_count(2)
        expect(page.get_by_role("alert")).to_contain_text("label column: stone")
        studio.complaints.clear()  # the refusal was an answer of 400


def test_photos_are_removed_moved_and_restored(studio: Studio) -> None:
    with studio.page("/teach.html", width=360, scheme="dark") as page:
        create(page, "Changes")
        add_class(page, "one")
        add_files(page, "one", files("brick", 3))
        add_class(page, "two")
        one, two = (page.get_by_role("region", name=f"Class {name}") for name in ("one", "two"))
        one.locator(".thumbs button").first.press("ArrowRight")
        page.keyboard.press("Enter")
        expect(one.locator(".selected-count")).to_have_text("1 selected")
        large = one.get_by_alt_text("The photo selected last")
        expect(large).to_have_js_property("naturalWidth", 64)
        page.keyboard.press("Delete")
        expect(one.locator(".thumbs li")).to_have_count(2)
        one.locator(".thumbs button").first.click()
        one.get_by_label("Move to").select_option("two")
        expect(two.locator(".thumbs li")).to_have_count(1)
        two.get_by_role("button", name="Delete").click()
        expect(two).to_have_count(0)
        expect(page.locator(".thumbs li")).to_have_count(1)
        for of_one, of_two in ((1, 1), (2, 0), (3, 0)):
            page.locator("#undo").click()
            expect(one.locator(".thumbs li")).to_have_count(of_one)
            expect(two.locator(".thumbs li")).to_have_count(of_two)
        assert not is_wider_than_window(page)


@pytest.mark.slow
def test_recording_with_the_camera(studio: Studio) -> None:
    with studio.page("/teach.html", camera=True) as page:
        page.route("**/recorder.js", patiently)
        page.reload()
        create(page, "Camera")
        add_class(page, "here")
        button = page.get_by_role("button", name="Hold to record")
        hold(page, button)
        thumbs = page.locator(".thumbs li")
        expect(thumbs.nth(4)).to_be_attached()
        page.mouse.up()
        with_mouse = kept(page)
        expect(thumbs).to_have_count(with_mouse)
        button.focus()
        page.keyboard.down("Space")
        expect(thumbs.nth(with_mouse + 3)).to_be_attached()
        page.keyboard.up("Space")
        kept(page)
        page.locator("#undo").click()  # all of the second hold
        expect(thumbs).to_have_count(with_mouse)
        page.get_by_text("Recording settings").click()
        page.locator("#countdown").select_option("3")
        button.click()
        expect(page.get_by_text("Recording in")).to_be_visible()
        expect(thumbs.nth(with_mouse + 2)).to_be_attached()
        page.get_by_role("button", name="Recording").click()
        expect(button).to_be_visible()


def test_from_one_class_to_the_next(studio: Studio) -> None:
    with studio.page("/teach.html", camera=True, width=360) as page:
        create(page, "Two")
        for name in ("one", "two", "one"):
            card = page.get_by_role("region", name=f"Class {name}")
            if not card.count():
                add_class(page, name)
            before = card.locator(".thumbs li").count()
            hold(page, card.locator(".record"))
            expect(card.locator(".thumbs li").nth(before + 4)).to_be_attached()
            expect(page.locator("#drop")).to_have_class("seen pinned")  # it is far below
            page.mouse.up()
            # Until the page shows them all, it moves, and the next button with it.
            expect(page.locator(".thumbs li")).to_have_count(kept(page))


def test_a_file_that_is_not_a_photo_is_skipped(studio: Studio) -> None:
    with studio.page("/teach.html") as page:
        create(page, "Mixed")
        add_class(page, "one")
        text = FilePayload(name="aunt.jpg", mimeType="image/jpeg", buffer=b"Dear aunt")
        page.locator(".files").set_input_files([text, *files("brick", 2)])
        expect(page.get_by_role("alert")).to_contain_text("aunt.jpg")
        expect(page.locator(".thumbs li")).to_have_count(2)
        add = page.get_by_label("Name of the new class")
        add.fill("one")
        add.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("A class named 'one' already exists")
        studio.complaints.clear()  # the browser logs the error


GIVE = """([card, event, files]) => {
  const data = new DataTransfer();
  for (const [name, content] of files) {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    data.items.add(new File([bytes], name, { type: "image/png" }));
  }
  const options = { bubbles: true, cancelable: true };
  card.dispatchEvent(event === "drop"
    ? new DragEvent("drop", { ...options, dataTransfer: data })
    : new ClipboardEvent("paste", { ...options, clipboardData: data }));
}"""
"""What the browser does with files that are dropped or pasted."""


def test_dropped_pasted_disabled_and_duplicated(studio: Studio) -> None:
    with studio.page("/teach.html") as page:
        create(page, "Originals")
        add_class(page, "one")
        card = page.get_by_role("region", name="Class one")
        parts = files("brick", 5)
        encoded = [[part["name"], base64.b64encode(part["buffer"]).decode()] for part in parts]
        for event, given, count in (("drop", encoded[:3], 3), ("paste", encoded[3:], 5)):
            page.evaluate(GIVE, [card.element_handle(), event, given])
            expect(card.locator(".thumbs li")).to_have_count(count)
        card.get_by_role("button", name="Disable").click()
        expect(card.locator(".count")).to_contain_text("disabled")
        card.get_by_role("button", name="Enable").click()
        expect(card.locator(".count")).to_have_text("5 photos")
        page.get_by_role("link", name="All projects").click()
        listed = page.locator("#projects li").filter(has_text="Originals")
        listed.get_by_role("button", name="Duplicate").click()
        expect(listed).to_have_count(2)
        expect(listed.filter(has_text="1 class, 5 photos")).to_have_count(2)


def test_two_tabs_show_the_same(studio: Studio) -> None:
    with studio.page("/teach.html") as page:
        create(page, "Twice")
        path = f"/teach.html{page.evaluate('location.hash')}"
        with studio.page(path, waits=True) as other:
            add_class(page, "one")
            expect(other.get_by_role("region", name="Class one")).to_be_visible()
            other.get_by_label("Name of the class").fill("uno")
            other.keyboard.press("Enter")
            expect(page.get_by_role("region", name="Class uno")).to_be_visible()


def test_projects_can_be_deleted_and_restored(studio: Studio) -> None:
    with studio.page("/teach.html") as page:
        create(page, "Lost")
        page.get_by_role("link", name="All projects").click()
        lost = page.locator("#projects li").filter(has_text="Lost")
        lost.get_by_role("button", name="Delete").click()
        expect(lost).to_have_count(0)
        page.get_by_text("Deleted projects").click()
        page.get_by_role("button", name="Restore").first.click()
        expect(lost).to_have_count(1)
