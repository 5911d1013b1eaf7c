"""`-m` takes a classifier, a network of the zoo, or a trained network, in every verb."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from eyespot.cli.main import app
from tests.pictures import write_folder


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)), env={"COLUMNS": "80"})


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with photos and a network that was trained on them."""
    folder = tmp_path_factory.mktemp("trained")
    write_folder(folder / "photos", 8)
    line = ("--model", "lenet5", "--epochs", 2, "--batch-size", 4, "--lr", 0.01, "--held-out", 0)
    done = run("train", folder / "photos", *line, "-o", folder / "run")
    assert done.exit_code == 0, done.output
    return folder


def test_a_trained_network_is_a_model(trained: Path, tmp_path: Path) -> None:
    photos = trained / "photos"
    answers: list[Any] = []
    for model in ("network.safetensors", "classifier.eyespot"):
        done = run("predict", photos, "-m", trained / "run" / model, "--json")
        assert done.exit_code == 0, done.output
        answers.append(json.loads(done.stdout))
    for one, other in zip(*answers, strict=True):  # without validation, both are the same
        assert one["top"][0]["label"] == other["top"][0]["label"]
        assert one["top"][0]["probability"] == pytest.approx(
            other["top"][0]["probability"], abs=1e-4
        )
    network = trained / "run/network.safetensors"
    found = json.loads(run("evaluate", photos, "-m", network, "--json").stdout)
    assert (found["count"], found["classes"]) == (16, ["brick", "grass"])
    for verb in (("filters",), ("activations",), ("photo", "-m")):
        images = [photos / "brick/0.png"] if verb != ("filters",) else []
        path = tmp_path / f"{verb[0]}.png"
        done = run("explain", verb[0], *images[: len(verb) - 1], *verb[1:], network,
                   *images[len(verb) - 1 :], "-o", path)  # fmt: skip
        assert done.exit_code == 0, done.output
        assert path.stat().st_size > 0
    done = run("explain", "filters", trained / "run/classifier.eyespot", "-o", tmp_path / "f.png")
    assert done.exit_code == 0, done.output


NEITHER = "A model is a .eyespot file, a network of the zoo, or a network.safetensors"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("predict photos -m petz", NEITHER),
        ("predict photos -m resnet81", "did you mean 'resnet18'? A model is"),
        ("evaluate photos -m petz", NEITHER),
        ("explain photo.jpg -m petz", NEITHER),
        ("explain filters petz", NEITHER),
        ("embed photos -o f.parquet --backbone petz", NEITHER),
        ("teach photos --backbone petz", NEITHER),
        ("teach photos --backbone pets.eyespot", "--onto pets.eyespot"),
        ("explain dataset photos --backbone pets.eyespot", "is a classifier"),
        ("evaluate --imagenet photos -m petz", NEITHER),
        ("predict photos -m none.safetensors", "The file none.safetensors does not exist"),
    ],
)
def test_what_is_not_a_model_is_told(
    line: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_folder(tmp_path / "photos", 1)
    (tmp_path / "photo.jpg").touch()
    (tmp_path / "pets.eyespot").touch()
    done = run(*line.split())
    assert done.exit_code == 2, done.output
    assert words in done.stderr


def test_evaluate_writes_the_report(trained: Path, tmp_path: Path) -> None:
    model, page = trained / "run/classifier.eyespot", tmp_path / "new.html"
    done = run("evaluate", trained / "photos", "-m", model, "--report", page)
    assert done.exit_code == 0, done.output
    assert "<html" in page.read_text()
    assert f"Wrote {page}" in done.stdout
    done = run("evaluate", trained / "photos", "-m", model, "--report", model)
    assert done.exit_code == 2
    assert "ends in .html" in done.stderr
