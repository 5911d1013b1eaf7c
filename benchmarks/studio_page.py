"""The studio as somebody at a laptop has it: Chromium, with a video as its camera, on the same
cores as the server. Give three videos, one for each thing to be taught.

From opening the page to a classifier of three things, with pauses for reading and typing; from the
last recorded frame to the updated prediction, among 3 x 200 photos; predictions per
second; how a project of 10,000 photos scrolls, and the memory it takes; the playground's
steps.
"""

import argparse
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
from measure import keep, summary
from playwright.sync_api import Browser, Page, expect, sync_playwright
from studio import frames

from eyespot.studio.projects import Store
from tests.studio.browser import find_browser, start, stop

NAMES = ("bicycle", "driver", "room")
SCENE = 12.0
"""Seconds of each video, one after the other, again and again."""
CAMERA_RATE = 30
"""Pictures a second, as Chromium plays such a file."""
READING = 1.0
"""Seconds before each click."""
TYPING = 150
"""Milliseconds for a letter."""
LONG = 120_000

# From the POST of a frame to the bars that a head has moved which knows it.
LAPS = """() => {
  window.laps = [];
  let sent = 0, version = Infinity;
  const {fetch} = window, {parse} = JSON;
  window.fetch = (path, options) => {
    if (options?.method === "POST" && /photos/.test(path)) sent = performance.now();
    return fetch(path, options);
  };
  let isNewer = false;
  JSON.parse = (text) => {
    const found = parse(text);
    if (found.near) {
      isNewer = found.version > version;
      version = found.version;
    }
    return found;
  };
  new MutationObserver(() => {
    if (sent && isNewer) window.laps.push(performance.now() - sent);
    if (isNewer) [sent, isNewer] = [0, false];
  }).observe(document.getElementById("bars"), {childList: true, subtree: true});
}"""
SCROLL = """async () => {
  const gaps = [];
  let last = performance.now();
  for (let y = 0; y < 240; y++) {
    scrollBy(0, y % 120 < 60 ? 80 : -80);
    await new Promise(requestAnimationFrame);
    gaps.push(performance.now() - last);
    last = performance.now();
  }
  return gaps;
}"""


def film(videos: list[Path], path: Path) -> None:
    """The videos one after the other, each SCENE seconds long, as Chromium's fake camera reads."""
    with path.open("wb") as out:
        for video in videos:
            source = cv2.VideoCapture(str(video))
            for _ in range(int(SCENE * CAMERA_RATE)):
                there, frame = source.read()
                if not there:
                    source.set(cv2.CAP_PROP_POS_FRAMES, 0)
                    there, frame = source.read()
                out.write(cv2.imencode(".jpg", cv2.resize(frame, (640, 480)))[1].tobytes())


@contextmanager
def page(browser: Browser, address: str, path: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1200, "height": 800}, permissions=["camera"])
    try:
        shown = context.new_page()
        shown.goto(address)
        shown.goto(address.partition("/?")[0] + path)
        yield shown
    finally:
        context.close()


def wait_for_scene(began: float, scene: int, needed: float) -> None:
    """Until the scene is shown, and will be for the seconds that are needed."""
    into = (time.monotonic() - began - scene * SCENE) % (SCENE * len(NAMES))
    if not 1 <= into <= SCENE - needed:
        time.sleep((1 - into) % (SCENE * len(NAMES)))


def newcomer(browser: Browser, address: str) -> dict[str, Any]:
    """Teach three things with the camera, then show each: seconds, and what was said of them."""
    with page(browser, address, "/teach.html") as shown:

        def click(name: str) -> None:
            time.sleep(READING)
            shown.get_by_role("button", name=name).click()

        begun = time.monotonic()
        time.sleep(READING)
        shown.get_by_label("Project name").press_sequentially("Three things", delay=TYPING)
        click("Create project")
        click("Start camera")
        camera = time.monotonic()
        for scene, name in enumerate(NAMES):
            time.sleep(READING)
            shown.get_by_label("Name of the new class").press_sequentially(name, delay=TYPING)
            click("Add class")
            wait_for_scene(camera, scene, 6)
            card = shown.get_by_role("region", name=f"Class {name}")
            card.get_by_role("button", name="Hold to record").hover()
            shown.mouse.down()
            time.sleep(4)
            shown.mouse.up()
        expect(shown.locator("#bars li")).to_have_count(len(NAMES) + 1, timeout=LONG)
        expect(shown.locator("#status")).to_contain_text("Trained", timeout=LONG)
        seconds = time.monotonic() - begun
        evaluation = shown.locator("#evaluation").inner_text().splitlines()[0]
        right = 0
        for scene, name in enumerate(NAMES):
            wait_for_scene(camera, scene, 4)
            time.sleep(3)
            right += name in (shown.locator("#bars .best").text_content() or "")
        return {"seconds": seconds, "right of three": right, "evaluation": evaluation}


def rate(shown: Page, seconds: int = 15) -> list[float]:
    """Pictures a second as the page says them, once a second."""
    found = []
    for _ in range(seconds):
        time.sleep(1)
        said = re.search(r"(\d+) photos", shown.locator("#speed").text_content() or "")
        found += [float(said[1])] if said else []
    return found


def recorded(browser: Browser, address: str, id: str, rounds: int) -> dict[str, Any]:
    """Frame to prediction (ms), and predictions per second while nothing is recorded."""
    with page(browser, address, f"/teach.html#{id}") as shown:
        expect(shown.locator("#status")).to_contain_text("Trained", timeout=LONG)
        shown.get_by_role("button", name="Start camera").click()
        shown.get_by_text("Recording settings").click()
        shown.get_by_label("Frames per second").select_option("2")
        time.sleep(5)
        shown.evaluate(LAPS)
        button = shown.get_by_role("button", name="Hold to record").first
        button.hover()
        for done in range(rounds):
            shown.mouse.down()
            shown.get_by_role("button", name="Recording …").wait_for()
            shown.mouse.up()
            shown.wait_for_function("count => window.laps.length > count", arg=done)
            expect(shown.locator("#status")).to_contain_text("Trained", timeout=LONG)
        time.sleep(3)
        return {
            "frame to prediction, ms": summary(shown.evaluate("window.laps")),
            "live, photos/s": summary(rate(shown)),
        }


def large(browser: Browser, address: str, id: str, server: int) -> dict[str, Any]:
    """A project of many photos: seconds of training, scrolling, memory."""
    with page(browser, address, f"/teach.html#{id}") as shown:
        start = time.monotonic()
        expect(shown.locator("#status")).to_contain_text("Trained", timeout=1_200_000)
        trained = time.monotonic() - start
        for more in shown.locator(".more").all():
            more.click()
        time.sleep(2)
        gaps = shown.evaluate(SCROLL)
        peak = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{server}/status").read_text())
        heap = shown.evaluate("performance.memory.usedJSHeapSize")
    return {
        "seconds until trained": trained,
        "between frames while scrolling, ms": summary(gaps),
        "server's peak, MB": int(peak[1]) / 1024 if peak else None,
        "page's heap, MB": heap / 2**20,
    }


def look(browser: Browser, address: str) -> dict[str, Any]:
    with page(browser, address, "/look.html") as shown:
        shown.get_by_role("button", name="Start camera").click()
        expect(shown.locator("#speed")).to_contain_text("photos/s", timeout=LONG)
        time.sleep(5)
        return {"live, photos/s": summary(rate(shown))}


def play(browser: Browser, address: str) -> dict[str, Any]:
    """Steps per second of the default network."""
    found = {}
    for pace in (20, 1):
        with page(browser, address, "/play.html") as shown:
            slider = shown.locator("#pace")
            slider.fill(str([1, 2, 5, 10, 20].index(pace)))
            shown.get_by_role("button", name="Run").click()

            def steps(shown: Page = shown) -> int:
                return int((shown.locator("#steps").text_content() or "0").replace(",", ""))

            time.sleep(3)
            rates = []
            for _ in range(10):
                before, begun = steps(), time.monotonic()
                time.sleep(1)
                rates.append((steps() - before) / (time.monotonic() - begun))
            found[f"steps a second, {pace} per frame"] = summary(rates)
    return found


def fill(store: Store, count: int) -> str:
    """A project of three classes, `count` photos each, recorded in bursts."""
    project = store.create(f"{count} each")
    for kind, name in enumerate(NAMES):
        id = project.add_class(name)
        for burst, data in frames(kind, count, seed=kind):
            project.add_photos(id, [("frame", data)], burst)
    return project.id


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("videos", type=Path, nargs=3)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--newcomers", type=int, default=3)
    parser.add_argument("--large", type=int, default=3334, help="photos of each of three classes")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        os.environ["EYESPOT_PROJECTS"] = folder
        os.environ["EYESPOT_CACHE"] = f"{folder}/cache"
        film(asked.videos, Path(folder) / "camera.mjpeg")
        store = Store(Path(folder))
        small, big = fill(store, 200), fill(store, asked.large)
        results: dict[str, Any] = {"newcomer": []}

        def browser() -> Browser:
            arguments = ["--no-sandbox", "--use-fake-device-for-media-stream"]
            arguments.append(f"--use-file-for-fake-video-capture={folder}/camera.mjpeg")
            return playwright.chromium.launch(executable_path=find_browser(), args=arguments)

        server, address = start()
        try:
            for _ in range(asked.newcomers):  # each with a camera that begins anew
                with browser() as fresh:
                    results["newcomer"].append(newcomer(fresh, address))
            with browser() as one:
                results["3 x 200"] = recorded(one, address, small, asked.rounds)
                results["look"] = look(one, address)
                results["play"] = play(one, address)
        finally:
            stop(server)
        server, address = start()
        try:
            with browser() as one:
                results[f"3 x {asked.large}"] = large(one, address, big, server.pid)
        finally:
            stop(server)
    keep("studio-page", results)


if __name__ == "__main__":
    main()
