"""`eyespot predict --annotated` and `--crops`."""

import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

import eyespot.cli.images
from eyespot.cli.main import app
from eyespot.data.photos import Photo
from eyespot.errors import PhotoError
from eyespot.evaluation.detection_calibration import ScoreCalibration
from eyespot.features.backbone import Backbone
from eyespot.tasks.classification.classifier import Classifier
from eyespot.tasks.detection.detector import Detector
from eyespot.tasks.detection.prediction import Box, DetectionPrediction

HOSTILE = "../up & <b>"
CLASSES = ("cell", HOSTILE)
BOXES = (
    Box("cell", 0.9, 10.4, 20.6, 49.2, 60.0),
    Box("cell", 0.8, -3.0, -2.0, 30.0, 30.0),
    Box(HOSTILE, 0.7, 90.0, 70.0, 130.0, 200.0),
)
WIDTH, HEIGHT = 120, 80


class Known(Detector):
    """Finds BOXES in every photo."""

    def _stream(self, photos: Iterable[Photo]) -> Iterator[tuple[int, DetectionPrediction]]:
        for number, photo in enumerate(photos):
            try:
                photo.read()
            except PhotoError as error:
                yield number, DetectionPrediction(photo.name, error=str(error))
            else:
                yield number, DetectionPrediction(photo.name, BOXES, WIDTH, HEIGHT)


@pytest.fixture
def folder(tmp_path: Path, backbone: Backbone, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two photos and a link to nothing."""
    detector = Known(
        CLASSES,
        backbone,
        (16, 32, 64),
        64,
        {},
        ScoreCalibration(np.ones(2), np.zeros(2)),
        np.full(2, 0.5),
        np.zeros(0, np.uint64),
    )
    monkeypatch.setattr("eyespot.cli.predict.open_model", lambda model: detector)
    monkeypatch.chdir(tmp_path)
    photos = tmp_path / "photos"
    photos.mkdir()
    for name, grey in (("a", 40), ("b", 200)):
        Image.new("RGB", (WIDTH, HEIGHT), (grey, grey, grey)).save(photos / f"{name}.png")
    return photos


def predict(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["predict", *map(str, arguments), "-m", "cells.eyespot"])


def size_of(file: Path) -> tuple[int, int]:
    with Image.open(file) as image:
        return image.size


def test_annotated_photos_are_the_photos_with_boxes(folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir()}
    done = predict(folder, "--annotated", folder)
    assert done.exit_code == 0
    assert f"Wrote {folder}" in done.stdout
    assert {path: path.read_bytes() for path in before} == before
    assert {path.name for path in folder.iterdir()} == {"a.png", "b.png", "1-a.jpg", "2-b.jpg"}
    with Image.open(folder / "1-a.jpg") as drawn:
        assert drawn.size == (WIDTH, HEIGHT)
        assert (np.abs(np.asarray(drawn, int) - 40).max(2) > 60).mean() > 0.05


def test_crops_are_the_boxes_in_a_folder_for_each_class(folder: Path, tmp_path: Path) -> None:
    done = predict(folder, "--crops", "cut", "--json")
    assert done.exit_code == 0
    assert len(json.loads(done.stdout)) == 2
    found = {path.relative_to(tmp_path / "cut") for path in (tmp_path / "cut").rglob("*.jpg")}
    (hostile,) = {path.parent.name for path in found} - {"cell"}
    assert re.fullmatch(r"_up _ _b_-[0-9a-f]{6}", hostile)
    assert {str(path) for path in found if path.parent.name == "cell"} == {
        f"cell/{number}-{name}-{box}.jpg" for number, name in ((1, "a"), (2, "b")) for box in (1, 2)
    }
    assert size_of(tmp_path / "cut" / "cell" / "1-a-1.jpg") == (40, 40)
    assert size_of(tmp_path / "cut" / "cell" / "1-a-2.jpg") == (30, 30)
    assert size_of(tmp_path / "cut" / hostile / "2-b-1.jpg") == (30, 10)


def test_a_photo_is_never_overwritten(folder: Path, tmp_path: Path) -> None:
    photo = tmp_path / "cut" / "cell" / "1-a-1.jpg"
    photo.parent.mkdir(parents=True)
    os.link(folder / "a.png", photo)
    before = photo.read_bytes()
    done = predict(folder, "--crops", "cut")
    assert done.exit_code == 2
    assert "is a photo that is read" in done.stderr
    assert photo.read_bytes() == before
    (folder / "1-a.jpg").write_bytes(before)  # named like the annotated photo, and the first photo
    done = predict(folder / "1-a.jpg", "--annotated", folder)
    assert done.exit_code == 0
    done = predict(folder / "a.png", folder / "1-a.jpg", "--annotated", folder)
    assert done.exit_code == 2
    assert "would overwrite" in done.stderr
    assert (folder / "1-a.jpg").read_bytes() == before


def test_a_table_and_pictures(folder: Path, tmp_path: Path) -> None:
    done = predict(folder, "--csv", "t.csv", "--annotated", "ann", "--crops", "cut")
    assert done.exit_code == 0
    assert len((tmp_path / "t.csv").read_text().splitlines()) == 3
    assert len(list((tmp_path / "ann").iterdir())) == 2
    assert len(list((tmp_path / "cut").rglob("*.jpg"))) == 6
    done = predict(folder, "--csv", "s.csv", "--share", "1/2", "--crops", "cut")
    assert done.exit_code == 2
    assert "without --share" in done.stderr


def test_the_number_of_crops_is_bounded(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eyespot.cli.images, "MOST", 4)
    done = predict(folder, "--crops", "cut")
    assert done.exit_code == 0
    assert len(list((tmp_path / "cut").rglob("*.jpg"))) == 4
    assert "only the first 4 crops" in done.stderr


def test_folders_that_cannot_be_written(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "cell").write_text("no folder")
    for option, name in (("--annotated", "file"), ("--crops", "file"), ("--crops", "cut")):
        done = predict(folder, option, name)
        assert done.exit_code != 0
        assert done.exception is None or isinstance(done.exception, SystemExit)
        assert len(done.stderr.strip().splitlines()) == 1
    done = predict("--camera", "--crops", "cut")
    assert "--parquet and --crops" in done.stderr


def test_a_classifier_has_no_boxes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = object.__new__(Classifier)  # it is asked for nothing but its options
    monkeypatch.setattr("eyespot.cli.predict.open_model", lambda model: classifier)
    for option in ("--annotated", "--crops"):
        done = predict("a.png", option, tmp_path / "new")
        assert done.exit_code == 2
        assert f"A classifier has no option {option}. Leave it out." in done.stderr
    assert not (tmp_path / "new").exists()
