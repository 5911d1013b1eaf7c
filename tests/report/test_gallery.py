"""The page of misclassified images: complete, safe, and usable on a phone."""

from dataclasses import replace
from pathlib import Path

import pytest

from eyespot.data.photos import MemorySource
from eyespot.data.transforms import Preprocessing
from eyespot.imagenet_eval.evaluate import Failure, ImagenetEvaluation
from eyespot.imagenet_eval.images import LabelledImage
from eyespot.imagenet_eval.views import Views
from eyespot.report import gallery
from eyespot.report.gallery import render
from eyespot.report.html import write_page
from eyespot.weights import zoo
from tests.imagenet_eval.worlds import grey
from tests.report.test_browser import LONG, ask, browser, open_page
from tests.report.test_page import HOSTILE, Page

__all__ = ["browser"]

CLASSES = (LONG, HOSTILE, *(f"class {number}" for number in range(2, 1000)))


def made(count: int) -> ImagenetEvaluation:
    """A judgement with `count` misclassified images, one of them unreadable."""
    failures = tuple(
        Failure(
            LabelledImage(f"{n} {HOSTILE} {LONG}.png", n % 2, MemorySource(data), 1, 1),
            ((2, 0.9 - n / 1000), (1, 0.05), (3, 0.002), (4, 1e-7), (5, 0.0)),
        )
        for n, data in enumerate([b"gone", *(grey(n % 200) for n in range(count - 1))][:count])
    )
    return ImagenetEvaluation(
        network=zoo.find("efficientnet_lite0"),
        views=Views(Preprocessing(224, (0.0,) * 3, (1.0,) * 3)),
        engine="none",
        count=1000,
        top1_error=count / 1000,
        top1_interval=(0.1, 0.3),
        top5_error=0.05,
        top5_interval=(0.04, 0.06),
        failures=failures,
        skipped=(),
        classes=CLASSES,
        asked=1000,
        seconds=1.0,
        journal=None,
    )


def test_everything_is_on_it_and_nothing_breaks_out() -> None:
    text = render(made(6))
    page = Page(text)
    assert not page.unbalanced
    assert page.scripts == []
    images = [a for tag, a in page.elements if tag == "img"]
    assert len(images) == 5
    assert all(a["src"].startswith("data:image/jpeg;base64,") for a in images)
    assert images[0]["alt"] == f"{HOSTILE}, misclassified as class 2"
    assert text.count("no longer readable") == 1
    assert text.count('<ol class="top"') == 6
    assert text.count('class="right"') == 3  # class 1 is the actual class of every second image
    assert "6 misclassified images" in text
    assert not [a for _, a in page.elements if any(v.startswith("http") for v in a.values())]


def test_a_long_page_shows_the_first_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery, "SHOWN", 3)
    text = render(made(7))
    assert text.count('<ol class="top"') == 3
    assert "3 of 7 misclassified images" in text


def test_a_network_without_errors_has_a_page(tmp_path: Path) -> None:
    write_page(tmp_path / "g.html", render(replace(made(1), failures=())))
    assert "No misclassified images" in (tmp_path / "g.html").read_text()


@pytest.mark.browser
def test_a_telephone_shows_it_without_scrolling_sideways(browser: str, tmp_path: Path) -> None:
    page = tmp_path / "g.html"
    write_page(page, render(made(6)))
    script = """return {
      width: page.documentElement.scrollWidth,
      wide: [...page.querySelectorAll("body *")].filter((e) => !e.closest(".skip"))
        .filter((e) => e.getBoundingClientRect().right > window.innerWidth + 1)
        .map((e) => e.outerHTML.slice(0, 80)),
      bars: [...page.querySelectorAll(".top li")].slice(0, 2)
        .map((e) => parseFloat(window.getComputedStyle(e, "::before").width) / e.clientWidth),
      deaf: [...page.querySelectorAll("a")].filter((e) => (e.focus(), page.activeElement !== e))
        .length,
    }"""
    found = ask(browser, page, tmp_path, script, 320)
    assert found["wide"] == []
    assert found["width"] <= 320
    assert found["bars"] == pytest.approx([0.9, 0.05], abs=0.01)
    assert found["deaf"] == 0


@pytest.mark.browser
def test_the_browser_has_nothing_to_complain_of(browser: str, tmp_path: Path) -> None:
    page = tmp_path / "g.html"
    write_page(page, render(made(6)))
    content, said = open_page(browser, page, tmp_path, "--dump-dom")
    assert "</html>" in content
    assert "CONSOLE" not in said
