"""A model of one task, given to a verb or an option that needs another."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from eyespot.cli.main import app
from eyespot.tasks.classification.classifier import Classifier
from eyespot.tasks.detection.detector import Detector
from tests.pictures import write_folder
from tests.tasks.detection.shapes import shapes, write_voc


def run(*arguments: object) -> str:
    """The one line that the command ends with."""
    done = CliRunner().invoke(app, list(map(str, arguments)))
    assert done.exit_code == 2
    (line,) = done.stderr.strip().splitlines()
    return line


def test_evaluate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    boxes = write_voc(tmp_path / "boxes", shapes(2))
    monkeypatch.setattr("eyespot.cli.evaluate.open_model", lambda m: object.__new__(Classifier))
    line = run("evaluate", boxes, "-m", "pets.eyespot")
    assert "has boxes (Pascal VOC), and the model is a classifier." in line
    assert line.endswith("Name a detector with -m.")
    monkeypatch.setattr("eyespot.cli.evaluate.open_model", lambda m: object.__new__(Detector))
    photos = write_folder(tmp_path / "photos", 1)
    done = CliRunner().invoke(app, ["evaluate", str(photos), "-m", "cells.eyespot"])
    assert done.exit_code == 1
    assert "Expected boxes in Pascal VOC" in done.stderr


def test_explain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    photos = write_folder(tmp_path / "photos", 1)
    opened = "eyespot.cli.explain_photo.open_model"
    monkeypatch.setattr(opened, lambda m: object.__new__(Classifier))
    line = run("explain", photos, "-m", "pets.eyespot", "--box", "2")
    assert line.endswith("A classifier has no option --box. Leave it out.")
    monkeypatch.setattr(opened, lambda m: object.__new__(Detector))
    line = run("explain", photos, "-m", "cells.eyespot", "--class", "cell")
    assert line.endswith("A detector has no option --class. Leave it out.")


def test_backbones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eyespot.tasks.file.task_of", lambda path: "detection")
    line = run("embed", tmp_path, "--backbone", "cells.eyespot", "-o", tmp_path / "e.npz")
    assert line.endswith("cells.eyespot is a detector. Name another.")
    monkeypatch.setattr("eyespot.tasks.file.task_of", lambda path: "classification")
    line = run("embed", tmp_path, "--backbone", "pets.eyespot", "-o", tmp_path / "e.npz")
    assert line.endswith("To add photos to a classifier: --onto pets.eyespot")
