"""`eyespot evaluate --imagenet`, and that `eyespot evaluate` is what it was."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from eyespot.cli.main import app
from eyespot.imagenet_eval import evaluate as imagenet
from tests.imagenet_eval.worlds import WNIDS, Brightness, write


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(imagenet, "open_engine", lambda backbone: Brightness())
    monkeypatch.chdir(tmp_path)
    for number, wnid in enumerate(WNIDS):
        for other in range(4):
            write(tmp_path / "pictures" / wnid / f"{other}.png", number + 10 * (other == 3))
    (tmp_path / "pictures" / "notes.jpg").write_text("text")
    return tmp_path


def eyespot(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["evaluate", *arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done.exit_code, done.output


def test_what_it_says(world: Path) -> None:
    code, said = eyespot("--imagenet", "pictures", "--gallery", "failures.html")
    assert code == 0
    assert "Top-1 error  25.0%  95% CI 11.2–46.9%" in said
    assert "Top-5 error  25.0%" in said
    assert "20 images" in said
    assert "24.9%" in said  # published
    assert "images/s" in said
    assert "Skipped notes.jpg" in said
    assert "top-1 error on 20 images" in (world / "failures.html").read_text()
    assert "earlier run" in eyespot("--imagenet", "pictures")[1]


def test_json(world: Path) -> None:
    options = ("--imagenet", "pictures", "-m", "efficientnet_lite0", "--crops", "10", "--json")
    code, said = eyespot(*options, "--scales", "256", "--scales", "288")
    assert code == 0
    found = json.loads(said)
    assert (found["top1_error"], found["count"], found["crops"]) == (0.25, 20, 10)
    assert found["scales"] == [256, 288]
    assert found["published"]["top1"] == 24.9
    assert Path(found["journal"]).is_file()
    assert len(found["failures"]) == 5
    assert [len(failure["guesses"]) for failure in found["failures"]] == [5] * 5
    assert [item["path"] for item in found["skipped"]] == ["notes.jpg"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "-m"),
        ("pictures", "-m"),
        ("pictures --imagenet pictures", "leave out"),
        ("pictures -m x.eyespot --crops 10", "--imagenet"),
        ("--imagenet nowhere", "wnid"),
        ("--imagenet pictures -m pets.eyespot", "Unknown network"),
        ("--imagenet pictures --crops 5", "1 or 10"),
        ("--imagenet pictures --scales 100", "too small"),
        ("--imagenet pictures --scales 99999", "224 to 4096"),
        ("--imagenet nowhere", "there is no such folder"),
        ("--imagenet pictures --gallery pictures", "folder"),
    ],
)
def test_bad_use(world: Path, line: str, says: str) -> None:
    code, said = eyespot(*line.split())
    assert code == 2
    assert says in said
