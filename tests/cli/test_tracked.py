"""`eyespot predict --video` with tracks."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from eyespot.cli.main import app
from eyespot.evaluation.detection_calibration import ScoreCalibration
from eyespot.features.backbone import Backbone
from eyespot.tasks.classification.classifier import Classifier
from eyespot.tasks.detection.detector import Detector
from eyespot.tasks.detection.frame import Frame
from eyespot.tasks.detection.prediction import Box, DetectionPrediction

cv2 = pytest.importorskip("cv2")
FRAMES, WIDTH, HEIGHT = 12, 160, 96


class Bright(Detector):
    """Finds a bright rectangle in each half of a photo, if there is one."""

    def predict_frame(self, name: str, frame: Frame) -> DetectionPrediction:
        found = []
        half = frame.pixels.shape[0] // 2
        for top in (0, half):
            bright = frame.pixels[top : top + half].min(axis=2) > 128
            if bright.any():
                rows, columns = (np.flatnonzero(bright.any(axis)) for axis in (1, 0))
                corners = [columns[0], top + rows[0], columns[-1] + 1, top + rows[-1] + 1]
                sides = frame.to_photo(np.array([corners], np.float32))[0].tolist()
                found.append(Box("cell", 0.9, *sides))
        return DetectionPrediction(name, tuple(found), frame.width, frame.height)


@pytest.fixture
def video(tmp_path: Path, backbone: Backbone, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One rectangle moves through all frames above; below, one leaves and another comes."""
    calibration = ScoreCalibration(np.ones(1), np.zeros(1))
    training = np.zeros(0, np.uint64)
    widths = (16, 32, 64)
    detector = Bright(("cell",), backbone, widths, 64, {}, calibration, np.full(1, 0.5), training)
    monkeypatch.setattr("eyespot.cli.predict.open_model", lambda model: detector)
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "walk.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10, (WIDTH, HEIGHT))
    for number in range(FRAMES):
        frame = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        frame[8:32, 5 * number : 5 * number + 32] = 255
        left = 8 if number < FRAMES // 2 else 100
        frame[56:88, left : left + 32] = 255
        writer.write(frame)
    writer.release()
    return path


def predict(*options: object) -> Result:
    return CliRunner().invoke(app, ["predict", "-m", "cells.eyespot", *map(str, options)])


def test_json_has_the_tracks_of_each_frame(video: Path) -> None:
    done = predict("--video", video, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["tracks"] == {"cell": 3}
    assert [one["frame"] for one in found["frames"]] == list(range(1, FRAMES + 1))
    numbers = [[box["track"] for box in one["boxes"]] for one in found["frames"]]
    assert numbers == [[1, 2]] * (FRAMES // 2) + [[1, 3]] * (FRAMES // 2)
    assert found["frames"][0]["width"] == WIDTH


def test_the_annotated_video_has_boxes_and_the_same_frames(video: Path, tmp_path: Path) -> None:
    before = video.read_bytes()
    done = predict("--video", video, "--annotated", "ann")
    assert done.exit_code == 0, done.output
    assert "12 frames, tracks: 3 cell" in done.stdout
    assert [path.name for path in Path("ann").iterdir()] == ["walk.mp4"]
    opened = cv2.VideoCapture("ann/walk.mp4")
    assert opened.get(cv2.CAP_PROP_FPS) == pytest.approx(10)
    count = 0
    while True:
        there, frame = opened.read()
        if not there:
            break
        count += 1
        assert frame.shape == (HEIGHT, WIDTH, 3)
        assert np.ptp(frame.astype(int), axis=2).max() > 60  # the colour of the boxes
    assert count == FRAMES
    done = predict("--video", video, "--annotated", tmp_path)
    assert done.exit_code == 2
    assert "would overwrite" in done.stderr
    assert video.read_bytes() == before


def test_errors(video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "no.mp4").write_text("no video")
    done = predict("--video", "no.mp4", "--annotated", "ann")
    assert done.exit_code == 1
    assert "not a video that can be read" in done.stderr
    assert list((tmp_path / "ann").iterdir()) == []
    classifier = object.__new__(Classifier)
    monkeypatch.setattr("eyespot.cli.predict.open_model", lambda model: classifier)
    done = predict("--video", video, "--json")
    assert done.exit_code == 2
    assert "for detectors without --then" in done.stderr


def test_lines_count_the_tracks(video: Path) -> None:
    done = predict("--video", video)
    assert done.exit_code == 0
    assert "2  cell" in done.stdout
