"""The report in a real browser: no error, no sideways scrolling on a phone, usable by keyboard.

`test_review_browser.py` tests the map.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from eyespot.data.photos import Dataset, MemorySource, Photo, Skipped
from eyespot.report import write_report
from eyespot.tasks.classification.teach import teach
from tests.pictures import patches

pytestmark = pytest.mark.browser

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
LONG = "a_class_whose_name_is_longer_than_any_phone_is_wide_and_has_no_space_in_it"


@pytest.fixture(scope="module")
def browser() -> str:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("there is no Chromium on this machine")
    return found


@pytest.fixture(scope="module")
def report(
    browser: str, converted_networks: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A page with long names, duplicates, skipped files and a learning curve."""
    folder = tmp_path_factory.mktemp("report")
    (folder / "networks").symlink_to(converted_networks, target_is_directory=True)
    names = (LONG, "<script>throw 1</script>", *(f"class {number}" for number in range(10)))
    surfaces = ("brick", "grass", "gravel")
    photos = [
        Photo(f"{label}/{number} {LONG}.png", MemorySource(patch), label)
        for place, label in enumerate(names)
        for number, patch in enumerate(patches(surfaces[place % 3], 5, seed=place))
    ]
    photos.append(Photo("copy", photos[0].source, LONG))
    skipped = (Skipped(LONG, f"it says {LONG}"),)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EYESPOT_CACHE", str(folder))
        result = teach(Dataset(tuple(photos), skipped))
        write_report(result, folder / "r.html")
        yield folder / "r.html"


def open_page(browser: str, page: Path, folder: Path, *more: str) -> tuple[str, str]:
    """The document once it is loaded, and the log of the browser."""
    done = subprocess.run(
        [
            browser,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--no-first-run",
            "--hide-scrollbars",
            "--allow-file-access-from-files",
            "--enable-logging=stderr",
            "--v=0",
            f"--user-data-dir={folder / 'profile'}",
            *more,
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    return done.stdout, done.stderr


def ask(browser: str, report: Path, folder: Path, script: str, width: int = 360) -> Any:
    """Return the value of `script`, the body of a function of the report's `page` and `window`.

    The report is in a frame `width` pixels wide, as on a phone.
    """
    wrapper = folder / "wrapper.html"
    wrapper.write_text(
        f"""<!doctype html><meta charset="utf-8"><pre id="answer"></pre>
        <iframe id="frame" src="{report.as_uri()}" width="{width}" height="640"
            style="border:0"></iframe>
        <script>
        document.getElementById("frame").onload = (event) => {{
          const window = event.target.contentWindow;
          const answer = ((page, window) => {{ {script} }})(window.document, window);
          document.getElementById("answer").textContent = JSON.stringify(answer);
        }};
        </script>""",
        encoding="utf-8",
    )
    content, _ = open_page(
        browser,
        wrapper,
        folder,
        "--dump-dom",
        "--virtual-time-budget=5000",
        "--window-size=900,700",
    )
    found = re.search(r'<pre id="answer">(.*?)</pre>', content, re.S)
    assert found
    return json.loads(unescape(found[1]))


def test_the_browser_has_nothing_to_complain_of(browser: str, report: Path, tmp_path: Path) -> None:
    content, said = open_page(browser, report, tmp_path, "--dump-dom")
    assert "</html>" in content
    assert "CONSOLE" not in said


def test_a_complaint_would_be_seen(browser: str, tmp_path: Path) -> None:
    page = tmp_path / "bad.html"
    page.write_text("<script>throw new Error('seen')</script>")
    assert "seen" in open_page(browser, page, tmp_path, "--dump-dom")[1]


def test_every_photo_is_a_dot_of_the_map(browser: str, report: Path, tmp_path: Path) -> None:
    script = """return [...page.querySelectorAll("#plot .by-label .dots")]
      .map((e) => e.getAttribute("d").split("h0").length - 1)"""
    assert sum(ask(browser, report, tmp_path, script)) == 61


@pytest.mark.parametrize("width", [320, 360])
def test_a_phone_shows_it_without_scrolling_sideways(
    browser: str, report: Path, tmp_path: Path, width: int
) -> None:
    script = """return {
      width: page.documentElement.scrollWidth,
      wide: [...page.querySelectorAll("body *")]
        .filter((e) => !e.closest(".scroll") && !e.closest(".skip"))
        .filter((e) => e.getBoundingClientRect().right > window.innerWidth + 1)
        .map((e) => e.outerHTML.slice(0, 80)),
    }"""
    found = ask(browser, report, tmp_path, script, width)
    assert found["wide"] == []
    assert found["width"] <= width


@pytest.mark.parametrize("width", [360, 1200])
def test_no_words_of_charts_and_tables_are_cut_off(
    browser: str, report: Path, tmp_path: Path, width: int
) -> None:
    script = """
    const inside = (e, of) => {
      const own = e.getBoundingClientRect(), whole = of.getBoundingClientRect();
      return own.left >= whole.left - 1 && own.right <= whole.right + 1
        && own.top >= whole.top - 1 && own.bottom <= whole.bottom + 1;
    };
    const words = [...page.querySelectorAll(".chart .plot span, figure > svg text")];
    const names = [...page.querySelectorAll(".matrix thead span")];
    const whole = (e) => inside(e, e.closest("th")) && e.scrollHeight <= e.clientHeight + 1;
    const cut = words.filter((e) => !inside(e, e.closest("section")));
    cut.push(...names.filter((e) => !whole(e)));
    return {
      count: [words.length, names.length],
      cut: cut.map((e) => e.textContent),
    };"""
    found = ask(browser, report, tmp_path, script, width)
    assert found["count"][0] > 8
    assert found["count"][1] == 12
    assert found["cut"] == []


def test_everything_interactive_takes_the_focus(browser: str, report: Path, tmp_path: Path) -> None:
    script = """
    page.querySelectorAll("details").forEach((e) => { e.open = true; });
    const all = [...page.querySelectorAll(
      "a, button, input, select, textarea, summary, [tabindex], [role=listbox], .scroll")];
    return {
      count: all.length,
      deaf: all.filter((e) => {
        e.focus();
        return page.activeElement !== e || e.tabIndex < 0;
      }).map((e) => e.outerHTML.slice(0, 80)),
    }"""
    found = ask(browser, report, tmp_path, script)
    assert found["count"] > 10
    assert found["deaf"] == []


def test_what_scrolls_can_be_scrolled_by_keyboard(
    browser: str, report: Path, tmp_path: Path
) -> None:
    script = """return [...page.querySelectorAll("*")]
      .filter((e) => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0)
      .filter((e) => ["auto", "scroll"].includes(window.getComputedStyle(e).overflowX))
      .filter((e) => e.tabIndex < 0 || !e.getAttribute("aria-label"))
      .map((e) => e.outerHTML.slice(0, 80))"""
    assert ask(browser, report, tmp_path, script) == []


def test_it_can_be_read(browser: str, report: Path, tmp_path: Path) -> None:
    """A screenshot is neither blank nor all of one colour."""
    picture = tmp_path / "page.png"
    open_page(browser, report, tmp_path, f"--screenshot={picture}", "--window-size=900,1200")
    with Image.open(picture) as shown:
        assert shown.size == (900, 1200)
        colours = shown.convert("RGB").getcolors(1 << 24)
    assert colours
    assert len(colours) > 50
    assert max(count for count, _ in colours) < 0.97 * 900 * 1200
