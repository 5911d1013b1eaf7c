"""A real browser in front of a real studio."""

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
AXE = Path(__file__).parents[2] / ".venv/node_modules/axe-core/axe.min.js"
FAULTS = ("serious", "critical")

PATIENCE = 300_000
"""Milliseconds after which what takes so long hangs: a busy machine is no fault of the page."""

expect.set_options(timeout=PATIENCE)


@dataclass
class Visit:
    """A running server, seen through a browser. `address`: of its first page, with its token if it
    has one. `complaints`: what the pages' consoles said and their requests to other servers."""

    address: str
    browser: Browser
    complaints: list[str] = field(default_factory=list)

    @contextmanager
    def page(
        self,
        path: str = "/",
        *,
        width: int = 1200,
        scheme: Literal["light", "dark"] = "light",
        camera: bool = False,
        waits: bool = False,
    ) -> Iterator[Page]:
        """A page of the server, fully loaded. What goes wrong on it fails the test. `camera`: it
        may be used. `waits`: the page asks for news all the time."""
        context = self.browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme=scheme,
            permissions=["camera"] if camera else [],
        )
        try:
            page = context.new_page()
            page.set_default_timeout(PATIENCE)
            page.on("console", lambda said: self._hear(said.type, said.text))
            page.on("pageerror", lambda error: self.complaints.append(str(error)))
            page.on("request", lambda request: self._watch(request.url))
            context.request.get(self.address)  # leaves the cookie; quicker than to show the page
            page.goto(self.address.partition("/?")[0].rstrip("/") + path)
            page.wait_for_load_state("load" if waits else "networkidle", timeout=PATIENCE)
            yield page
            assert self.complaints == [], str(self.complaints)
        finally:
            context.close()
            self.complaints.clear()

    def _hear(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)

    def _watch(self, url: str) -> None:
        where = urlsplit(url)
        if where.scheme not in ("blob", "data") and where.netloc != urlsplit(self.address).netloc:
            self.complaints.append(f"requested {url}")


@dataclass
class Studio(Visit):
    """A studio, and its process."""

    process: subprocess.Popen[str] = field(kw_only=True)


def find_browser() -> str | None:
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Skips the test where there is no Chromium."""
    found = find_browser()
    if found is None:
        pytest.skip("there is no Chromium on this machine")
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu", "--use-fake-device-for-media-stream"]
        browser = playwright.chromium.launch(executable_path=found, args=options)
        yield browser
        browser.close()


@contextmanager
def open_studio(*options: str) -> Iterator[Studio]:
    """Start a studio and a browser. Skips the test where there is no Chromium."""
    with open_browser() as browser:
        process, address = start(*options)
        studio = Studio(address, browser, process=process)
        try:
            yield studio
        finally:
            stop(studio.process)  # which may be another one by now


def start(*options: str, port: int | None = None) -> tuple[subprocess.Popen[str], str]:
    """A studio in a process of its own, and the address that it printed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = port or free.getsockname()[1]
    line = [sys.executable, "-m", "eyespot", "studio", "--no-browser", "--port", str(number)]
    process = subprocess.Popen([*line, *options], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, next(text.strip() for text in process.stdout if "http://" in text)


def stop(process: subprocess.Popen[str]) -> None:
    """Kill it, and let nothing of it be left."""
    process.kill()
    process.communicate()


def serious_faults(page: Page, rules: str = "*") -> list[str]:
    """What axe finds that would keep people from using the page. `rules`: a rule of axe, or all."""
    return [fault for impact, fault in _faults(page, rules) if impact in FAULTS]


def all_faults(page: Page) -> list[str]:
    """All that axe finds."""
    return [fault for _, fault in _faults(page, "*")]


def _faults(page: Page, rules: str) -> list[tuple[str, str]]:
    """Violations as (impact, description)."""
    if not AXE.is_file():
        pytest.skip("axe is not installed: make .venv/node")
    page.evaluate(AXE.read_text("utf-8"))
    options = {} if rules == "*" else {"runOnly": [rules]}
    found: dict[str, Any] = page.evaluate("(options) => axe.run(options)", options)
    return [
        (fault["impact"], f"{fault['id']}: {json.dumps([node['html'] for node in fault['nodes']])}")
        for fault in found["violations"]
    ]


def is_wider_than_window(page: Page) -> bool:
    """Whether one would have to scroll sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def check_sizes_and_schemes(studio: Studio, page: Page, *, narrow: int) -> None:
    """Expect a page to fit a desktop and a phone `narrow` pixels wide, and to be accessible there
    in dark and light."""
    faults = []
    for width in (1200, narrow):
        page.set_viewport_size({"width": width, "height": 740})
        assert not is_wider_than_window(page)
        for scheme in ("dark", "light"):
            page.emulate_media(color_scheme=scheme)
            faults += all_faults(page)
    studio.complaints.clear()  # axe itself breaks the policy for styles
    assert not faults, str(faults)
