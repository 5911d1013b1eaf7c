"""Explanations of detections."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from eyespot.cli.main import app
from eyespot.errors import UsageError
from eyespot.explain.boxes import BoxEvidence
from eyespot.explain.dense_steps import DenseSteps
from eyespot.tasks.detection.prediction import Box
from eyespot.tasks.detection.result import DetectionTeachResult
from tests.tasks.detection.shapes import shapes

pytestmark = pytest.mark.usefixtures("small")


def test_the_object_itself_decides(taught: DetectionTeachResult) -> None:
    detector = taught.detector
    photos = [one.photo for one in shapes(6, seed=11)]
    photo = max(photos, key=lambda photo: len(detector.predict(photo).boxes))
    prediction = detector.predict(photo)
    found = detector.explain(photo)
    assert found.prediction == prediction
    assert len(found.evidence) == len(prediction.boxes) > 0
    for one in found.evidence:
        assert one.occlusion.shape == (8, 8)
        assert one.occlusion.max() > 0.1
        left, top, right, bottom = one.region
        area = (one.box.xmax - one.box.xmin) * (one.box.ymax - one.box.ymin)
        assert one.inside is not None
        assert one.inside > 1.2 * area / ((right - left) * (bottom - top))
    steps = found.steps
    assert isinstance(steps, DenseSteps)
    assert len(steps.candidates.labels) > len(prediction.boxes)
    row, column = np.unravel_index(steps.positions.argmax(), steps.positions.shape)
    x, y = (np.array([column, row]) + 0.5) / steps.positions.shape[::-1] * 128
    assert any(b.xmin < x < b.xmax and b.ymin < y < b.ymax for b in prediction.boxes)
    image = found.draw()
    assert image.width > 3 * 420
    answer = found.to_answer()
    assert "path" not in json.loads(json.dumps(answer))
    assert len(answer["explained"]) == len(found.evidence)
    one = detector.explain(photo, box=1)
    assert [each.number for each in one.evidence] == [1]
    with pytest.raises(UsageError, match="There is no box 99: the detector shows"):
        detector.explain(photo, box=99)


def test_no_boxes_are_explained_by_candidates_alone(taught: DetectionTeachResult) -> None:
    found = taught.detector.explain(np.full((128, 128, 3), 128, np.uint8))
    assert found.evidence == ()
    assert "0 shown: none" in found.lines()[1]
    assert found.draw().width > 0


def test_what_decides_in_words() -> None:
    heat = np.zeros((8, 8), np.float32)
    box = Box("cell", 0.9, 20, 20, 60, 60)

    def line(row: int, column: int) -> str:
        heat[:] = 0
        heat[row, column] = 0.4
        return BoxEvidence(2, box, (0, 0, 80, 80), heat).line()

    assert line(3, 3).startswith("2  cell, 90.0%, (20, 20) to (60, 60): covering its centre lowers")
    assert "its upper right lowers the score by up to 40 points. 100%" in line(2, 5)
    assert "its surroundings" in line(0, 0)
    assert "0% of the effect is within the box" in line(0, 0)
    heat[:] = 0
    assert "no covered part" in BoxEvidence(1, box, (0, 0, 80, 80), heat).line()


def test_the_verb(
    taught: DetectionTeachResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    taught.save(Path("shapes.eyespot"))
    photo = shapes(1, seed=11)[0].photo.read()
    assert isinstance(photo, np.ndarray)
    Image.fromarray(photo).save("photo.png")

    def explain(*options: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["explain", "photo.png", "-m", "shapes.eyespot", *options])
        return done.exit_code, done.output

    code, output = explain("--box", "1", "--json")
    assert code == 0
    assert json.loads(output)[0]["image"] == "explained.png"
    assert Path("explained.png").stat().st_size > 1000
    code, output = explain("--class", "disc")
    assert code == 2
    assert "A detector has no option --class. Leave it out." in output
    code, output = explain("--box", "99")
    assert code == 2
    assert "There is no box 99" in output
