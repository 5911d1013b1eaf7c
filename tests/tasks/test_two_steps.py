"""A classifier names the boxes of a detector."""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from eyespot.cli.main import app
from eyespot.data.photos import MemorySource, Photo
from eyespot.errors import PhotoError
from eyespot.evaluation.detection_calibration import ScoreCalibration
from eyespot.features.backbone import Backbone
from eyespot.tasks.classification.classifier import Classifier
from eyespot.tasks.detection.detector import Detector
from eyespot.tasks.detection.prediction import Box, DetectionPrediction
from eyespot.tasks.two_steps import NamedBox, NamedPrediction, two_steps
from tests.export.conftest import classifier_of
from tests.pictures import patches

__all__ = ["classifier_of"]

BOXES = (Box("plate", 0.9, 0, 0, 64, 64), Box("plate", 0.8, 64, 0, 128, 64))


class Known(Detector):
    """Finds BOXES in every photo that can be read."""

    def predict_batch(self, photos: Iterable[object]) -> Iterator[DetectionPrediction]:
        return (one for _, one in self._stream(photos))  # type: ignore[arg-type]

    def _stream(self, photos: Iterable[Photo]) -> Iterator[tuple[int, DetectionPrediction]]:
        for number, photo in enumerate(photos):
            try:
                photo.read()
                yield number, DetectionPrediction(photo.name, BOXES, 128, 64)
            except PhotoError as error:
                yield number, DetectionPrediction(photo.name, error=str(error))


@pytest.fixture
def detector(backbone: Backbone) -> Detector:
    calibration = ScoreCalibration(np.ones(1), np.zeros(1))
    training = np.zeros(0, np.uint64)
    widths = (16, 32, 64)
    return Known(("plate",), backbone, widths, 64, {}, calibration, np.full(1, 0.5), training)


@pytest.fixture
def classifier(classifier_of: Callable[[str], Classifier]) -> Classifier:
    found = classifier_of("prototypes")
    found.ood_threshold = 2.0  # nothing is unknown
    return found


@pytest.fixture
def pixels() -> np.ndarray:
    """Brick on the left, gravel on the right."""
    return np.hstack([patches(name, 1, side=64)[0] for name in ("brick", "gravel")])


def test_each_box_has_the_classifiers_prediction_of_its_part(
    detector: Detector, classifier: Classifier, pixels: np.ndarray
) -> None:
    both = two_steps(detector, classifier)
    (found,) = both.predict_batch([Photo("a", MemorySource(pixels))])
    for box, part in zip(found.boxes, (pixels[:, :64], pixels[:, 64:]), strict=True):
        assert isinstance(box, NamedBox)
        expected = classifier.predict(np.ascontiguousarray(part))
        assert box.then_label == expected.label
        assert box.then_probability == pytest.approx(expected.probability, abs=1e-4)
    assert found.line() == "1 plate: brick, 1 plate: gravel"
    assert "90.0%  plate: brick" in found.details().lines[0]
    assert NamedPrediction.from_row(found.to_row()) == found
    assert json.loads(json.dumps(found.to_dict()))["boxes"][1]["then_label"] == "gravel"
    classifier.ood_threshold = -1.0
    (found,) = both.predict_batch([Photo("a", MemorySource(pixels))])
    assert found.counts() == {"plate: none of these": 2}
    assert found.to_dict()["boxes"][0]["then_label"] is None


def test_the_verb(
    detector: Detector,
    classifier: Classifier,
    pixels: np.ndarray,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    Image.fromarray(pixels).save("photos/a.png")
    Path("photos/torn.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    models = {"d": detector, "c": classifier}
    monkeypatch.setattr("eyespot.cli.predict.open_model", lambda name: models[name])

    def predict(model: str, then: str, *options: str) -> Result:
        line = ["predict", "photos", "-m", model, "--then", then, *options]
        return CliRunner().invoke(app, line)

    done = predict("d", "c", "--csv", "t.csv", "--annotated", "ann", "--crops", "cut")
    assert done.exit_code == 0, done.output
    assert '""then_label"": ""brick""' in Path("t.csv").read_text()
    assert len(list(Path("cut/plate").iterdir())) == 2
    assert Path("ann/1-a.jpg").is_file()
    found = json.loads(predict("d", "c", "--json").stdout)
    assert [box["then_label"] for box in found[0]["boxes"]] == ["brick", "gravel"]
    assert found[1]["error"]
    done = predict("d", "d")
    assert done.exit_code == 2
    assert "--then takes a classifier, and this one is a detector." in done.stderr
    done = predict("c", "c")
    assert done.exit_code == 2
    assert "names the boxes of a detector, and -m is a classifier" in done.stderr
