"""Exported detectors give the boxes of eyespot, without eyespot; a file that differs is not
written."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from PIL import Image
from playwright.sync_api import expect, sync_playwright
from typer.testing import CliRunner

import eyespot
from eyespot.cli.main import app
from eyespot.errors import ExportError, UsageError
from eyespot.export.detection import check, graph, write
from eyespot.features import dense
from eyespot.tasks.detection import detect
from eyespot.tasks.detection.detector import Detector
from eyespot.tasks.detection.method import METHODS
from eyespot.tasks.detection.result import DetectionTeachResult
from tests.conftest import REPOSITORY
from tests.export.test_web import PACKAGE, opened, served
from tests.export.test_write import run_snippet
from tests.studio.browser import find_browser, serious_faults
from tests.tasks.detection.shapes import shapes

pytestmark = pytest.mark.usefixtures("small")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six photos of shapes, which differ in size and proportions."""
    folder = tmp_path_factory.mktemp("shapes")
    for number, photo in enumerate(shapes(6, seed=11)):
        pixels: Any = photo.photo.read()
        Image.fromarray(pixels).resize((300, 200 + 40 * number)).save(folder / f"{number}.png")
    return folder


@pytest.fixture(params=["taught", "taught_rcnn"])
def detector(request: pytest.FixtureRequest) -> Detector:
    """A detector of each kind of head."""
    result: DetectionTeachResult = request.getfixturevalue(request.param)
    return result.detector


def export(detector: Detector, to: str, path: Path, photos: Path) -> Any:
    return detector.export(to, path, check_with=photos)


def by_boxes(detector: Detector, photos: Path) -> list[Path]:
    """The photos, those with the most boxes last."""
    return sorted(photos.iterdir(), key=lambda photo: len(detector.predict(photo).boxes))


def check_format(detector: Detector, to: str, path: Path, photos: Path) -> None:
    """Export, and run the printed program on a photo."""
    done = export(detector, to, path, photos)
    agreement = done.agreement
    assert agreement.photos == agreement.same == 6
    assert agreement.boxes > 2
    assert agreement.difference < 1e-3
    assert agreement.distance < 0.1
    photo = path.parent / "photo.jpg"
    fullest = by_boxes(detector, photos)[-1]
    Image.open(fullest).save(photo, quality=100, subsampling=0)
    said = run_snippet(done.snippet, path.parent).splitlines()
    expected = detector.predict(photo).boxes
    assert len(said) == len(expected) > 0
    for line, box in zip(said, expected, strict=True):
        label, share, *corners = line.replace("(", "").replace(")", "").replace("to ", "").split()
        assert label == box.label
        assert float(share.rstrip("%")) / 100 == pytest.approx(box.probability, abs=0.02)
        found = [float(corner.rstrip(",")) for corner in corners]
        assert found == pytest.approx([box.xmin, box.ymin, box.xmax, box.ymax], abs=3)


def test_every_method_has_its_steps() -> None:
    assert graph.STEPS.keys() == METHODS.keys()


def test_onnx(detector: Detector, photos: Path, tmp_path: Path) -> None:
    path = tmp_path / "shapes.onnx"
    check_format(detector, "onnx", path, photos)
    assert str(REPOSITORY).encode() not in path.read_bytes()
    session = onnxruntime.InferenceSession(path)
    facts = session.get_modelmeta().custom_metadata_map
    assert json.loads(facts["labels"]) == list(detector.classes)
    assert json.loads(facts["thresholds"]) == detector.thresholds.tolist()
    assert session.get_inputs()[0].shape == [1, "height", "width", 3]
    assert [one.name for one in session.get_outputs()] == ["boxes", "labels", "scores", "shown"]


def test_openvino(detector: Detector, photos: Path, tmp_path: Path) -> None:
    check_format(detector, "openvino", tmp_path / "shapes.xml", photos)


def test_a_photo_without_any_detection(
    taught: DetectionTeachResult,
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(detect, "LEAST_SCORE", 0.9999)
    for to, name in (("onnx", "none.onnx"), ("openvino", "none.xml")):
        done = export(taught.detector, to, tmp_path / name, photos)
        assert done.agreement.detections == 0
        assert "finds nothing" in done.lines()[0]


def test_an_export_that_differs_is_not_written(
    taught: DetectionTeachResult, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = replace(taught.detector, thresholds=np.full(2, 0.9999))
    content = write.onnx_content(other)
    monkeypatch.setattr(write, "onnx_content", lambda detector: content)
    with pytest.raises(ExportError, match="differ from those of the detector"):
        export(taught.detector, "onnx", tmp_path / "shapes.onnx", photos)
    monkeypatch.setattr(detect, "VOTE", 0.3)
    with pytest.raises(ExportError, match="Nothing was written"):
        export(taught.detector, "onnx", tmp_path / "shapes.onnx", photos)
    assert list(tmp_path.iterdir()) == []


def test_boxes_correspond_within_the_tolerances() -> None:
    from eyespot.evaluation.boxes import Detections

    box = np.array([[10, 10, 30, 40]], np.float32)
    one = Detections(box, np.array([1]), np.array([0.8], np.float32))
    yes = np.array([True])

    def compare(boxes: Any, label: int, score: float, shown: bool) -> Any:
        found = boxes, np.array([label]), np.array([score], np.float32), np.array([shown])
        return check._compare(one, found, yes)

    close = compare(box + 0.5, 1, 0.805, True)
    assert close.same
    assert close.distance == pytest.approx(0.5)
    assert close.difference == pytest.approx(0.005, abs=1e-6)
    for other in (
        compare(box + 2, 1, 0.8, True),
        compare(box, 0, 0.8, True),
        compare(box, 1, 0.7, True),
        compare(box, 1, 0.8, False),
    ):
        assert other.differs
        assert not other.same


def test_errors(taught: DetectionTeachResult, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"ends in \.onnx"):
        taught.detector.export("onnx", tmp_path / "shapes.xml")
    with pytest.raises(UsageError, match="onnx, openvino, web, not 'torch'"):
        taught.detector.export("torch", tmp_path / "shapes.pt2")
    with pytest.raises(UsageError, match="not quantized"):
        eyespot.export(taught.detector, "onnx", tmp_path / "x.onnx", max_loss=0.1)  # type: ignore[operator]
    taught.save(tmp_path / "shapes.eyespot")
    for options, words in (
        (["--to", "torch"], "A detector is exported to onnx, openvino, web, not to torch."),
        (["--int8", "--calibrate", "p"], "A detector has no option --calibrate."),
    ):
        done = CliRunner().invoke(app, ["export", str(tmp_path / "shapes.eyespot"), *options])
        assert done.exit_code == 2
        assert words in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["shapes.eyespot"]


@pytest.mark.slow
@pytest.mark.browser
def test_the_page_draws_the_boxes(
    detector: Detector, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = find_browser()
    if found is None:
        pytest.skip("there is no Chromium on this machine")
    if not PACKAGE.is_file():
        pytest.skip(f"no {PACKAGE.name} in .venv: make {PACKAGE.relative_to(REPOSITORY)}")
    folder = tmp_path / "shapes-web"
    done = detector.export("web", folder, check_with=photos, onnxruntime=PACKAGE, name="shapes")
    assert done.files == (folder,)
    monkeypatch.setattr(dense, "computes_bf16", lambda: False)  # no browser computes in bf16
    exact = replace(detector, _engine=None)
    resized = tmp_path / "resized"  # the browser would resize in its own way
    resized.mkdir()
    for photo in photos.iterdir():
        Image.open(photo).resize((96, 96)).save(resized / photo.name)
    arguments = ["--no-sandbox", "--use-fake-device-for-media-stream"]
    with sync_playwright() as playwright, served(folder) as address:
        browser = playwright.chromium.launch(executable_path=found, args=arguments)
        with opened(browser, address) as page:
            assert page.title() == "shapes · eyespot"
            assert "classifier" not in page.inner_text("body").lower()
            for photo in by_boxes(exact, resized)[-2:]:
                page.evaluate("document.getElementById('speed').textContent = ''")
                page.set_input_files("#file", photo)
                expect(page.locator("#speed")).to_contain_text("ms for this photo")
                drawn = page.evaluate(
                    "[...document.querySelectorAll('.boxes rect:not(.edge)')].map((one) => "
                    "['x', 'y', 'width', 'height'].map((key) => Number(one.getAttribute(key))))"
                )
                expected = exact.predict(photo).boxes
                own = [
                    [box.xmin, box.ymin, box.xmax - box.xmin, box.ymax - box.ymin]
                    for box in expected
                ]
                assert len(drawn) == len(own) > 0
                np.testing.assert_allclose(drawn, own, atol=0.01)
                said = [
                    text.rsplit(" ", 1) for text in page.locator(".boxes text").all_text_contents()
                ]
                assert [label for label, _ in said] == [box.label for box in expected]
                shares = [float(share.rstrip("%")) / 100 for _, share in said]
                assert shares == pytest.approx([box.probability for box in expected], abs=1e-3)
            page.locator("#camera").press("Enter")
            expect(page.locator("#speed")).to_contain_text("photos/s")
            assert serious_faults(page) == []
        browser.close()
