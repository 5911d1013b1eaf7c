"""The report about a detector: complete, harmless, and usable in a browser."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from playwright.sync_api import Browser

from eyespot.data.boxes.dataset import AnnotatedPhoto
from eyespot.data.duplicates import Duplicates
from eyespot.data.finding import Finding
from eyespot.data.photos import MemorySource, Photo, Skipped, Unreadable
from eyespot.evaluation.box_issues import BoxIssue
from eyespot.evaluation.boxes import Detections, Truth
from eyespot.evaluation.detection_calibration import ScoreCalibration
from eyespot.evaluation.detection_metrics import evaluate_detections
from eyespot.features.backbone import load_backbone
from eyespot.report import write_report
from eyespot.report.box_errors import WORST
from eyespot.report.detection import CURVES, MOST_CLASSES, render
from eyespot.tasks.detection.detector import Detector
from eyespot.tasks.detection.result import DetectionResult, DetectionTeachResult
from tests.report.test_page import COMMENT, ESCAPE, HOSTILE, Page
from tests.studio.browser import is_wider_than_window, open_browser, serious_faults

CLASSES = (HOSTILE, ESCAPE, COMMENT)
PHOTOS = 30
WIDTH, HEIGHT = 640, 480
MOST_BYTES = 3_000_000


def scene(rng: np.random.Generator, number: int) -> tuple[AnnotatedPhoto, Truth, Detections]:
    """A photo of noise, the costliest JPEG, with four boxes: three are found, and a false positive
    of each kind is added to some photos."""
    corners = rng.integers(10, 300, (4, 2)).astype(np.float32)
    boxes = np.concatenate([corners, corners + rng.integers(40, 150, (4, 2))], axis=1)
    boxes = boxes.astype(np.float32)
    labels = rng.integers(0, 3, 4)
    found, of = boxes[:3] + rng.normal(0, 2, (3, 4)), labels[:3].copy()
    if number % 3 == 0:
        of[0] = (of[0] + 1) % 3
    if number % 3 == 1:
        found[1] += 45
    extra = np.array([[500, 400, 560, 470]], np.float64)
    found, of = np.concatenate([found, extra]), np.append(of, 0)
    pixels = rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    photo = AnnotatedPhoto(
        Photo(f"{number} {HOSTILE}.png", MemorySource(pixels)),
        boxes,
        tuple(CLASSES[label] for label in labels),
        np.zeros(4, bool),
    )
    scores = rng.uniform(0.3, 1, 4).astype(np.float32)
    return (
        photo,
        Truth(boxes, labels, np.zeros(4, bool)),
        Detections(found.astype(np.float32), of, scores),
    )


@pytest.fixture(scope="module")
def result(network: Path) -> DetectionTeachResult:
    """Something of everything, under hostile names."""
    rng = np.random.default_rng(0)
    photos, truths, detections = zip(*(scene(rng, n) for n in range(PHOTOS)), strict=True)
    detector = Detector(
        classes=CLASSES,
        backbone=load_backbone(str(network)),
        channels=(16, 32, 64),
        width=64,
        head={},
        calibration=ScoreCalibration(np.ones(3), np.zeros(3)),
        thresholds=np.full(3, 0.35),
        trained_on=np.zeros(0, np.uint64),
    )
    corners = tuple(map(float, truths[0].boxes[3].tolist()))
    box = (corners[0], corners[1], corners[2], corners[3])
    return DetectionTeachResult(
        detector=detector,
        evaluation=evaluate_detections(truths, detections, 3, names=CLASSES, resamples=50),
        evaluated_on="held-out photos",
        photos=photos,
        truths=truths,
        detections=detections,
        issues=(
            BoxIssue(0, "missing", (500.0, 400.0, 560.0, 470.0), 0, None, 0.91),
            BoxIssue(0, "misplaced", box, 0, 3, 0.81),
            BoxIssue(1, "wrong class", box, 2, 3, 0.71),
            *(BoxIssue(2, "spurious", box, 1, 3, None, 0.81) for _ in range(20)),
        ),
        skipped=(Skipped(f"broken {ESCAPE}", f"it says {HOSTILE}"),),
        findings=[Finding("a finding", "warning", f"finding {HOSTILE}", f"advice {ESCAPE}")],
        seconds={"load": 0.1, "total": 2.0},
        duplicates=Duplicates(np.arange(PHOTOS), [], [[0, 1]]),
        trained=PHOTOS,
    )


@pytest.fixture(scope="module")
def text(result: DetectionTeachResult) -> str:
    return render(result)


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def test_names_stay_text(text: str, page: Page) -> None:
    assert page.scripts == []
    assert page.unbalanced == []
    assert page.open == []
    for name in CLASSES:
        assert name not in text
        assert " ".join(name.split()) in page.text
    assert not [name for _, a in page.elements for name in a if name.startswith("on")]


def test_nothing_is_fetched(text: str, page: Page) -> None:
    addresses = [a[name] for _, a in page.elements for name in ("src", "href") if name in a]
    assert all(one.startswith(("#", "data:image/jpeg;base64,")) for one in addresses)
    assert "url(" not in text
    assert re.findall(r"https?://", text) == []


def test_its_ids_and_links_are_whole(page: Page) -> None:
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {link["href"][1:] for link in page.all("a")} <= set(ids)


def test_the_metrics_are_on_it(result: DetectionTeachResult, page: Page) -> None:
    precision = result.evaluation.average_precision
    assert f"AP50 {100 * precision.ap50:.1f}% on held-out photos (95% CI " in page.text
    assert "n = 30 photos with 120 boxes" in page.text
    for words in ("AP75", "AP of small objects", "Score threshold", "off by", "near-duplicate"):
        assert words in page.text
    assert len([a for a in page.all("svg") if a.get("aria-labelledby", "").startswith("curve")]) == 3  # fmt: skip  # noqa: E501


def test_each_kind_of_error_is_on_it(result: DetectionTeachResult, page: Page) -> None:
    for kind in result.evaluation.errors[:6]:
        gain = f"{100 * kind.ap50_gain:.1f} points"
        assert f"{kind.count} {gain}" in page.text


def test_the_worst_photos_and_likely_errors_are_drawn(text: str, page: Page) -> None:
    assert len(page.all("img")) == WORST + 12
    assert len(re.findall(r'<path class="missed" d="M[-\d]', text)) == WORST + 1  # and the legend
    assert f"{PHOTOS} photos have errors; {WORST} of those with the most errors" in page.text
    assert f"wrong class: {HOSTILE} instead of" in page.text
    for words in ("an object without a box", "a box in the wrong place", "a box of the wrong class", "a box without an object"):  # fmt: skip  # noqa: E501
        assert words in page.text
    assert "11 more likely errors" in page.text


def test_its_size_is_bounded(text: str) -> None:
    assert len(text) < MOST_BYTES


def test_findings_and_skipped_photos_are_on_it(page: Page) -> None:
    for words in (f"broken {ESCAPE}", f"it says {HOSTILE}", f"advice {ESCAPE}"):
        assert words in page.text


def test_photos_that_cannot_be_read_again_are_left_out(result: DetectionTeachResult) -> None:
    gone = Photo("gone.jpg", Unreadable("it is gone"))
    photos = tuple(replace(one, photo=gone) for one in result.photos)
    page = Page(render(replace(result, photos=photos)))
    assert page.all("img") == []
    assert "23 more likely errors" in page.text


def test_what_is_nan_is_not_measured(result: DetectionTeachResult) -> None:
    """Without a true box and a detection, no metric is defined."""
    truths = [Truth(np.zeros((0, 4), np.float32), np.zeros(0, np.int64), np.zeros(0, bool))]
    none = Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.int64), np.zeros(0, np.float32))
    empty = DetectionResult(
        detector=result.detector,
        evaluation=evaluate_detections(truths, [none], 3, names=CLASSES),
        evaluated_on="these photos",
        photos=result.photos[:1],
        truths=tuple(truths),
        detections=(none,),
        skipped=(),
        findings=[],
        known=("a",),
    )
    page = Page(render(empty))
    assert "AP50 not measured on 1 photo" in page.text
    assert "AP50 was not measured on these photos" in page.text
    assert "No photo has an error." in page.text
    assert "The detector was trained on 1 of these photos; the metrics are inflated." in page.text
    assert not re.search(r"\b(nan|None)\b", page.text)


def test_many_classes(result: DetectionTeachResult) -> None:
    """Rows and curves are bounded."""
    evaluation = result.evaluation
    names = tuple(f"class {number}" for number in range(MOST_CLASSES + 7))
    scores = tuple(replace(evaluation.per_class[0], name=name) for name in names)
    many = replace(evaluation, classes=names, per_class=scores)
    page = Page(render(replace(result, evaluation=many)))
    assert "and 7 more classes." in page.text
    assert f"The {CURVES} classes with the lowest AP50 are shown." in page.text


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as found:
        yield found


@pytest.mark.browser
@pytest.mark.parametrize(
    ("width", "scheme"), [(1200, "light"), (1200, "dark"), (360, "light"), (320, "dark")]
)
def test_a_browser_shows_it(
    browser: Browser,
    result: DetectionTeachResult,
    width: int,
    scheme: Literal["light", "dark"],
    tmp_path: Path,
) -> None:
    write_report(result, tmp_path / "r.html")
    said: list[str] = []
    # The page's policy forbids scripts, also that of axe.
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True
    )
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.goto((tmp_path / "r.html").as_uri())
    assert not is_wider_than_window(page)
    assert serious_faults(page) == []
    sizes = "(all) => all.every((one) => one.clientWidth > 50 && one.clientHeight > 50)"
    assert page.eval_on_selector_all(".boxes img", sizes)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert said == []
    context.close()
