"""Fine-tuning a project: as a job that can be stopped, whose work is not lost."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from eyespot.errors import UsageError
from eyespot.studio.project import Project
from eyespot.studio.projects import Store
from eyespot.studio.tuner import Tuner
from eyespot.tasks.classification import finetune
from tests.studio.teaching import add_classes, files


@pytest.fixture
def project(tmp_path: Path, network: Path) -> Project:
    project = Store(tmp_path / "projects").create("Stones")
    add_classes(project, 12)
    project.look_with(str(network))
    return project


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finetune, "MOST_EPOCHS", 3)


def ended(tuner: Tuner) -> str:
    while tuner.is_busy:
        time.sleep(0.01)
    return str(tuner.shown()["told"])


def test_what_is_made_answers_and_outlives_the_studio(project: Project, tmp_path: Path) -> None:
    news: list[Any] = []
    tuner = Tuner(project, tmp_path / "tuned", lambda: news.append(tuner.shown()["busy"]))
    assert tuner.classifier() is None
    tuner.start()
    with pytest.raises(UsageError, match="at work already"):
        tuner.start()
    assert "selected from" in ended(tuner)
    assert any(busy and busy["stage"] == "Fine-tuning" for busy in news)
    made = tuner.classifier()
    assert made is not None
    (_, picture) = files("gravel", 1)[0]
    again = Tuner(project, tmp_path / "tuned", lambda: None).classifier()
    assert again is not None
    assert again.predict(picture) == made.predict(picture)

    project.add_class("new")  # it knows nothing of this one
    assert tuner.classifier() is None
    assert not tuner.shown()["answers"]
    project.undo()
    assert Tuner(project, tmp_path / "tuned", lambda: None).classifier() is None


def test_it_can_be_stopped(project: Project, tmp_path: Path) -> None:
    begun = threading.Event()
    tuner = Tuner(project, tmp_path / "tuned", begun.set)
    tuner.start()
    assert begun.wait(60)
    tuner.stop()
    assert ended(tuner) == "Fine-tuning was stopped."
    assert not list(tmp_path.glob("tuned/*"))
    tuner.start()  # and begun again
    tuner.stop()
    ended(tuner)


def test_what_goes_wrong_is_told(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.look_with("nothing")
    tuner = Tuner(project, tmp_path / "tuned", lambda: None)
    tuner.start()
    assert "nothing" in ended(tuner)

    def fail() -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(project, "dataset", fail)
    tuner.start()
    assert "Where the studio runs, it says why" in ended(tuner)
    path = tmp_path / "tuned" / f"{project.id}-{project.version()}.eyespot"
    path.parent.mkdir()
    path.write_bytes(b"half a file")
    assert "cannot be read" in Tuner(project, tmp_path / "tuned", lambda: None).shown()["told"]
