"""Exported files predict as the classifier without eyespot; a file that differs is not written."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import onnx
import onnxruntime
import pytest
from PIL import Image

from eyespot.data.decode import decode
from eyespot.errors import DatasetError, ExportError, MissingExtraError, UsageError
from eyespot.export import formats, int8
from eyespot.export.check import check
from eyespot.export.formats import FORMATS, run_onnx
from eyespot.export.int8 import to_int8
from eyespot.export.write import export_file
from eyespot.tasks.classification.classifier import Classifier
from tests.export.conftest import KINDS
from tests.pictures import patches, write_folder

Make = Callable[[str], Classifier]


def run_snippet(text: str, folder: Path) -> str:
    """The output of the program in a folder from which neither eyespot nor these tests can be
    imported."""
    program = folder / "use.py"
    blocked = "import sys; sys.modules['eyespot'] = None\n"
    program.write_text(blocked + text)
    done = subprocess.run(
        [sys.executable, "use.py"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def check_format(to: str, classifier: Classifier, folder: Path) -> None:
    """Export, and run the printed program on a rotated photo."""
    (upright,) = patches("grass", 1, side=160, seed=3)
    upright[:80] //= 4
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    lying = Image.fromarray(np.ascontiguousarray(np.rot90(upright)))
    lying.save(folder / "photo.jpg", quality=100, subsampling=0, exif=exif)
    done = export_file(classifier, folder / f"pets{FORMATS[to].suffix}", to)
    assert done.agreement.same == done.agreement.photos == 10
    assert done.agreement.difference < 0.01
    assert all(file.stat().st_size > 1000 for file in done.files)
    answer = classifier.predict(folder / "photo.jpg")
    said = run_snippet(done.snippet, folder)
    label, share = said.split()[-2:] if answer.label is None else said.rsplit(maxsplit=1)
    assert (label == "these") == answer.unknown
    assert answer.unknown or label == answer.label
    assert float(share.rstrip("%\n")) / 100 == pytest.approx(answer.probability, abs=0.01)


def test_onnx(classifier_of: Make, tmp_path: Path) -> None:
    classifier = classifier_of("knn")
    check_format("onnx", classifier, tmp_path)
    model = onnx.load(tmp_path / "pets.onnx")
    about = {prop.key: prop.value for prop in model.metadata_props}
    assert json.loads(about["labels"]) == list(classifier.classes)
    assert float(about["ood_threshold"]) == classifier.ood_threshold
    assert float(about["temperature"]) == classifier.temperature
    assert [(o.domain, o.version) for o in model.opset_import if not o.domain] == [
        ("", int(about["opset"]))
    ]
    content = (tmp_path / "pets.onnx").read_bytes()
    session = onnxruntime.InferenceSession(content)
    (image,) = session.get_inputs()
    assert (image.name, image.type) == ("image", "tensor(uint8)")
    assert image.shape == ["batch", "height", "width", 3]
    several = np.stack(patches("brick", 3, 160))
    many = session.run(None, {"image": several})
    ones = [session.run(None, {"image": pixels[None]}) for pixels in several]
    for found, single in zip(many, zip(*ones, strict=True), strict=True):
        np.testing.assert_allclose(found, np.concatenate(single), atol=1e-4)
    assert [o.name for o in session.get_outputs()] == ["probabilities", "ood_score", "unknown"]

    other = replace(classifier, temperature=0.1)
    with pytest.raises(ExportError, match="of 10 photos, a probability"):
        check(run_onnx(content), other)


@pytest.mark.slow
def test_int8(classifier_of: Make, tmp_path: Path) -> None:
    """It needs photos of the same classes."""
    classifier = classifier_of("knn")
    export_file(classifier, tmp_path / "pets.onnx", "onnx")
    content = (tmp_path / "pets.onnx").read_bytes()
    photos = write_folder(tmp_path / "photos", 8, classifier.classes)
    (photos / "brick" / "empty.jpg").touch()
    rounded, loss = to_int8(content, classifier, photos, 1.0)
    assert loss.calibrated + loss.measured == 24
    assert [Path(skipped.path).name for skipped in loss.skipped] == ["empty.jpg"]
    (photos / "brick" / "empty.jpg").unlink()
    assert 0 <= loss.after <= 1
    assert loss.interval[0] <= loss.loss == loss.before - loss.after <= loss.interval[1]
    convolutions = [n for n in onnx.load_from_string(rounded).graph.node if n.op_type == "Conv"]
    kernels = {n.input[1] for n in convolutions}
    assert convolutions
    assert all("Dequantize" in kernel for kernel in kernels)
    with pytest.raises(ExportError, match="a loss of"):
        to_int8(content, classifier, photos, -1.0)
    (photos / "brick").rename(photos / "concrete")
    with pytest.raises(DatasetError, match="also labelled concrete"):
        to_int8(content, classifier, photos)


def unusual_photos(folder: Path) -> list[Path]:
    """Photos of other pixel formats than 8-bit RGB."""
    (pixels,) = patches("gravel", 1, side=160, seed=4)
    grey = pixels.mean(axis=2)
    clear = np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
    clear[:, :80] = 0
    pictures = {
        "16.png": Image.fromarray((grey * 257).astype(np.uint16)),
        "12.tif": Image.fromarray((grey * 16).astype(np.uint16)),
        "float.tif": Image.fromarray((grey / 255).astype(np.float32)),
        "clear.png": Image.fromarray(clear),
        "palette.png": Image.fromarray(pixels).quantize(32),
        "grey-alpha.png": Image.fromarray(clear).convert("LA"),
        "cmyk.jpg": Image.fromarray(pixels).convert("CMYK"),
    }
    for name, image in pictures.items():
        image.save(folder / name)
    return [folder / name for name in pictures]


def test_the_program_reads_photos_as_eyespot_does(tmp_path: Path) -> None:
    text = (resources.files("eyespot.export") / "snippets" / "read_photo.py").read_text("utf-8")
    program: dict[str, Any] = {}
    exec(text, program)
    for path in unusual_photos(tmp_path):
        found = program["read_photo"](path).astype(int)
        expected = decode(path.read_bytes()).pixels.astype(int)
        assert found.shape == expected.shape, path.name
        assert np.abs(found - expected).max() <= 1, path.name


def test_openvino(classifier_of: Make, tmp_path: Path) -> None:
    check_format("openvino", classifier_of("logistic"), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("to", FORMATS)
def test_every_head_in_every_format(
    to: str, kind: str, classifier_of: Make, tmp_path: Path
) -> None:
    check_format(to, classifier_of(kind), tmp_path)
    for file in tmp_path.glob("pets.*"):
        assert b"/site-packages/" not in file.read_bytes()  # no path of this machine


def test_an_export_that_differs_is_not_written(
    classifier_of: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    classifier = classifier_of("prototypes")
    wrong = np.roll(np.eye(3)[0], 1), 0.5, False
    broken = np.full(3, np.nan), np.nan, False
    for answer, message in ((wrong, "Nothing was written"), (broken, "10 of 10")):
        run = Mock(return_value=Mock(return_value=answer))
        monkeypatch.setitem(FORMATS, "openvino", FORMATS["openvino"]._replace(run=run))
        with pytest.raises(ExportError, match=message):
            export_file(classifier, tmp_path / "pets.xml", "openvino")
    assert list(tmp_path.iterdir()) == []


def test_it_is_checked_with_the_photos_named(classifier_of: Make, tmp_path: Path) -> None:
    classifier = classifier_of("logistic")
    photos = write_folder(tmp_path / "photos", 3)
    (photos / "brick" / "torn.jpg").write_bytes(b"\xff\xd8\xff")

    def run(pixels: np.ndarray) -> tuple[np.ndarray, float, bool]:
        answer = classifier.predict(pixels)
        shares = np.array([dict(answer.top)[name] for name in classifier.classes])
        return shares, float(answer.ood_score or 0), answer.unknown

    found = check(run, classifier, photos)
    assert (found.photos, found.same, found.edge, found.difference) == (6, 6, 0, 0.0)
    assert [one.path.endswith("torn.jpg") for one in found.skipped] == [True]
    for photo in photos.rglob("*.png"):
        photo.unlink()
    with pytest.raises(DatasetError, match="None of the photos"):
        check(run, classifier, photos)


def test_errors(classifier_of: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = classifier_of("logistic")
    with pytest.raises(UsageError, match=r"ends in \.onnx, not 'pets\.xml'"):
        export_file(classifier, tmp_path / "pets.xml")
    monkeypatch.setattr(formats, "MOST_BYTES", 1000)
    with pytest.raises(ExportError, match="at most 1,000"):
        export_file(classifier, tmp_path / "pets.onnx")
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(MissingExtraError, match=r"eyespot\[export\]"):
        export_file(classifier, tmp_path / "pets.onnx")
    assert list(tmp_path.iterdir()) == []
    assert int8.MAX_LOSS == 0.02
