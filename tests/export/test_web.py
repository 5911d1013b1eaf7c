"""A folder that is complete or absent, and a page that predicts as the classifier does."""

import functools
import http.server
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright
from typer.testing import CliRunner

from eyespot.cli.main import app
from eyespot.errors import ExportError, UsageError
from eyespot.export import web
from eyespot.export.onnxruntime_web import FILES, VERSION
from eyespot.export.web import ABOUT, export_web
from eyespot.tasks.classification.classifier import Classifier
from tests.conftest import REPOSITORY
from tests.pictures import patches
from tests.studio.browser import PATIENCE, find_browser, is_wider_than_window, serious_faults

PACKAGE = REPOSITORY / ".venv" / f"onnxruntime-web-{VERSION}.tgz"
HOSTILE = "<img src=x onerror=alert(1)>"
OLD = {ABOUT: json.dumps({"files": [ABOUT, "page.js"]}).encode(), "page.js": b"old"}
TRY_TO_LEAVE = """new Promise((resolve) => {
  document.addEventListener("securitypolicyviolation", (told) => resolve(told.effectiveDirective));
  fetch("http://127.0.0.1:9/").catch(() => {});
})"""
Make = Callable[[str], Classifier]


# --- the folder ---------------------------------------------------------------------------------


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, classifier_of: Make) -> Classifier:
    """A classifier whose conversion takes no time, and passes the check."""
    classifier = classifier_of("prototypes")
    for name, made in (
        ("runtime_files", lambda file, progress: dict.fromkeys(FILES, b"runs")),
        ("checked", lambda *arguments: (b"a graph", None)),
    ):
        monkeypatch.setattr(web, name, made)
    return classifier


def content_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def lay(folder: Path, content: dict[str, bytes]) -> None:
    folder.mkdir(parents=True)
    for name, data in content.items():
        (folder / name).write_bytes(data)


def test_everything_that_the_page_names_is_in_the_folder(quick: Classifier, tmp_path: Path) -> None:
    folder = tmp_path / "sites" / "my pets"
    done = export_web(quick, folder)
    assert done.files == (folder,)
    assert f"--directory '{folder}'" in done.snippet
    found = content_of(folder)
    named = {"index.html", "classifier.onnx", ABOUT, *FILES}
    for name, data in found.items():
        if name.endswith((".html", ".css", ".js")) and name not in FILES:
            text = data.decode()
            named |= set(re.findall(r'(?:src|href)="([^"]+)"', text))
            named |= set(re.findall(r'(?:from|url\(|fetch\() ?"(?:\./)?([^"]+)"', text))
    assert named == set(found) == set(json.loads(found[ABOUT])["files"])
    assert folder.stat().st_mode & 0o055 == 0o055  # a server of files may be somebody else
    export_web(quick, folder)
    assert content_of(folder) == found
    assert [path.name for path in folder.parent.iterdir()] == ["my pets"]


@pytest.mark.parametrize("old", [None, {}, OLD])
@pytest.mark.parametrize("fails", ["a file", "the folder"])
def test_an_error_leaves_the_folder_as_it_was(
    old: dict[str, bytes] | None,
    fails: str,
    quick: Classifier,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "page"
    if old is not None:
        lay(folder, old)

    def full(path: Path, *rest: Any) -> None:
        if fails == "a file" and path.name != "page.js":
            path.write_bytes(b"whole")
            return
        raise OSError(28, "No space left on device", str(path))

    if fails == "a file":
        monkeypatch.setattr(web, "write_atomically", full)
    else:
        rename = Path.rename
        monkeypatch.setattr(
            Path, "rename", lambda p, to: full(p) if p.suffix == ".part" else rename(p, to)
        )
    with pytest.raises(OSError, match="No space left"):
        export_web(quick, folder)
    assert [path.name for path in tmp_path.iterdir()] == ([] if old is None else ["page"])
    assert old is None or content_of(folder) == old


@pytest.mark.parametrize("content", [{}, OLD])
def test_what_an_export_wrote_is_replaced(
    content: dict[str, bytes], quick: Classifier, tmp_path: Path
) -> None:
    lay(tmp_path / "page", content)
    export_web(quick, tmp_path / "page")
    assert b"classifier" in (tmp_path / "page" / "page.js").read_bytes() or content == {}
    assert [path.name for path in tmp_path.iterdir()] == ["page"]


@pytest.mark.parametrize(
    "content",
    [
        {"diary.txt": b"dear"},
        {**OLD, "diary.txt": b"dear"},
        {"page.js": b"mine"},
        {ABOUT: b"[" * 10_000},
        {ABOUT: b'{"files": 7}'},
    ],
)
def test_the_folders_of_others_are_left_alone(
    content: dict[str, bytes], quick: Classifier, tmp_path: Path
) -> None:
    lay(tmp_path / "page", content)
    with pytest.raises(UsageError, match="which eyespot did not write"):
        export_web(quick, tmp_path / "page")
    assert content_of(tmp_path / "page") == content


def test_where_it_cannot_go(
    quick: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is a file"):
        export_web(quick, tmp_path / "file")
    lay(tmp_path / "here", {})
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(UsageError, match="is the current folder"):
        export_web(quick, ".")


def test_an_export_that_differs_is_not_written(
    quick: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(web, "runtime_files", lambda file, progress: {})
    monkeypatch.setattr(web, "onnx_file", lambda classifier: b"")
    wrong = np.roll(np.eye(3)[0], 1), 0.5, False
    monkeypatch.setattr(web, "run_onnx", lambda content: lambda pixels: wrong)
    with pytest.raises(ExportError, match="Nothing was written"):
        export_web(quick, tmp_path / "page")
    assert list(tmp_path.iterdir()) == []


# --- the page -----------------------------------------------------------------------------------


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of the web server that the command names."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def opened(browser: Browser, address: str) -> Iterator[Page]:
    """The page, loaded; messages on the console, or requests elsewhere, fail the test."""
    said: list[str] = []
    context = browser.new_context(permissions=["camera"])
    try:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        context.on("request", lambda asked: said.append(asked.url))
        page.goto(address)
        expect(page.locator("#speed")).to_have_text("Ready.")
        yield page
        assert [x for x in said if not x.startswith((address, f"blob:{address}"))] == []
    finally:
        context.close()


def shown(page: Page) -> tuple[str, list[float]]:
    """The prediction and the probabilities, once the page shows them."""
    expect(page.locator("#speed")).to_contain_text("ms for this photo")
    meters = "[...document.querySelectorAll('#classes meter')].map((one) => one.value)"
    return page.inner_text("#answer"), page.evaluate(meters)


@pytest.mark.slow
@pytest.mark.browser
def test_the_page_predicts_as_the_classifier(classifier_of: Make, tmp_path: Path) -> None:
    found = find_browser()
    if found is None:
        pytest.skip("there is no Chromium on this machine")
    if not PACKAGE.is_file():
        pytest.skip(f"no {PACKAGE.name} in .venv: make {PACKAGE.relative_to(REPOSITORY)}")
    classifier = replace(classifier_of("logistic"), classes=("brick", HOSTILE, "gravel"))
    (upright,) = patches("grass", 1, side=300, seed=3)
    upright = np.ascontiguousarray(upright[:200])
    upright[:70] //= 4
    upright[:, :, 2] //= 4  # yellow
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    lying = Image.fromarray(np.ascontiguousarray(np.rot90(upright)))
    lying.save(tmp_path / "photo.jpg", quality=95, exif=exif)
    stripes = np.tile(np.repeat([255, 0], 50), (200, 3)).astype(np.uint8)
    Image.fromarray(np.dstack([upright, stripes])).save(tmp_path / "photo.png")
    (tmp_path / "torn.jpg").write_bytes(b"\xff\xd8\xff")
    names = ("photo.jpg", "photo.png")
    known = [classifier.predict(tmp_path / name).ood_score or 0.0 for name in names]
    classifier.ood_threshold = float(np.mean(known))  # one is none of these
    classifier.save(tmp_path / "pets.eyespot")
    folder = tmp_path / "pets-web"
    line = ["export", str(tmp_path / "pets.eyespot"), "--to", "web", "--onnxruntime", str(PACKAGE)]
    done = CliRunner().invoke(app, line)
    assert done.exit_code == 0, done.output
    assert f"python3 -m http.server --bind 127.0.0.1 --directory {folder}" in done.output

    arguments = ["--no-sandbox", "--use-fake-device-for-media-stream"]
    with sync_playwright() as playwright, served(folder) as address:
        browser = playwright.chromium.launch(executable_path=found, args=arguments)
        with opened(browser, address) as page:
            assert page.title() == "pets · eyespot"
            assert HOSTILE in page.inner_text("#classes")
            for name in names:
                page.evaluate("document.getElementById('speed').textContent = ''")
                page.set_input_files("#file", tmp_path / name)
                label, shares = shown(page)
                answer = classifier.predict(tmp_path / name)
                expected = dict(answer.top)
                assert label == (answer.label or "None of these")
                assert shares == pytest.approx([expected[x] for x in classifier.classes], abs=0.01)
            expect(page.locator("#spoken")).to_have_text(label)
            page.set_input_files("#file", tmp_path / "torn.jpg")
            expect(page.locator("#problem")).to_contain_text("cannot read this photo")
            page.locator("#camera").press("Enter")
            expect(page.locator("#speed")).to_contain_text("photos/s")
            expect(page.locator("#problem")).to_be_hidden()
            assert serious_faults(page) == []
            page.locator("#camera").press("Enter")
            expect(page.locator("#camera")).to_have_text(re.compile("^Start"))
            page.emulate_media(color_scheme="dark")
            page.set_viewport_size({"width": 360, "height": 800})
            assert not is_wider_than_window(page)
            assert serious_faults(page) == []
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(address)
        assert page.evaluate(TRY_TO_LEAVE) == "connect-src"
        browser.close()
