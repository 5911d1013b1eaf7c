"""Fine-tuning of a project: a job that can be stopped, with a result that is kept."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from eyespot.errors import UsageError
from eyespot.studio.fine_tuning import FineTuner
from eyespot.studio.project import Project
from eyespot.studio.projects import Store
from eyespot.tasks.classification import finetune
from tests.studio.teaching import add_classes, files


@pytest.fixture
def project(tmp_path: Path, network: Path) -> Project:
    project = Store(tmp_path / "projects").create("Stones")
    add_classes(project, 12)
    project.set_backbone(str(network))
    return project


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finetune, "MOST_EPOCHS", 3)


def ended(tuner: FineTuner) -> str:
    while tuner.is_busy:
        time.sleep(0.01)
    return str(tuner.state()["message"])


def test_the_result_predicts_and_outlives_the_studio(project: Project, tmp_path: Path) -> None:
    news: list[Any] = []
    tuner = FineTuner(project, tmp_path / "tuned", lambda: news.append(tuner.state()["busy"]))
    assert tuner.classifier() is None
    tuner.start()
    with pytest.raises(UsageError, match="running already"):
        tuner.start()
    assert "selected from" in ended(tuner)
    assert any(busy and busy["stage"] == "Fine-tuning" for busy in news)
    made = tuner.classifier()
    assert made is not None
    (_, photo) = files("gravel", 1)[0]
    again = FineTuner(project, tmp_path / "tuned", lambda: None).classifier()
    assert again is not None
    assert again.predict(photo) == made.predict(photo)

    project.add_class("new")  # it was not trained on this class
    assert tuner.classifier() is None
    assert not tuner.state()["active"]
    project.undo()
    assert FineTuner(project, tmp_path / "tuned", lambda: None).classifier() is None


def test_fine_tuning_can_be_stopped(project: Project, tmp_path: Path) -> None:
    begun = threading.Event()
    tuner = FineTuner(project, tmp_path / "tuned", begun.set)
    tuner.start()
    assert begun.wait(60)
    tuner.stop()
    assert ended(tuner) == "Fine-tuning was stopped."
    assert not list(tmp_path.glob("tuned/*"))
    tuner.start()  # and begun again
    tuner.stop()
    ended(tuner)


def test_failures_are_reported(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.set_backbone("nothing")
    tuner = FineTuner(project, tmp_path / "tuned", lambda: None)
    tuner.start()
    assert "nothing" in ended(tuner)

    def fail() -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(project, "dataset", fail)
    tuner.start()
    assert "terminal shows why" in ended(tuner)
    path = tmp_path / "tuned" / f"{project.id}-{project.version()}.eyespot"
    path.parent.mkdir()
    path.write_bytes(b"half a file")
    assert (
        "cannot be read" in FineTuner(project, tmp_path / "tuned", lambda: None).state()["message"]
    )
