"""Files that change while they are served."""

import logging
import shutil
from pathlib import Path

import pytest

from eyespot.errors import ClassifierFileError, UsageError
from eyespot.serve.decoders import Decoders
from eyespot.serve.metrics import Metrics
from eyespot.serve.shelf import Shelf
from eyespot.tasks.task import load
from tests.pictures import patches
from tests.serve.conftest import model_of


def shelf_of(decoders: Decoders, *files: Path) -> Shelf:
    return Shelf(files, decoders, 10, Metrics())


def renamed(source: Path, target: Path, name: str) -> None:
    classifier = load(source)
    classifier.rename_class("brick", name)
    classifier.save(target)


def test_a_changed_file_is_taken_and_a_damaged_one_is_not(
    surfaces: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, decoders: Decoders
) -> None:
    caplog.set_level(logging.INFO, "eyespot")
    path = tmp_path / "a.eyespot"
    shutil.copy(surfaces, path)
    shelf = shelf_of(decoders, path)
    (served,) = shelf
    first = model_of(served)

    def told() -> list[str]:
        shelf.refresh()
        shelf.refresh()  # what was seen is not looked at again
        said = [record.getMessage() for record in caplog.records]
        caplog.clear()
        return said

    try:
        assert told() == []
        renamed(surfaces, path, "wall")
        assert told() == ["reloaded"]
        assert model_of(served).classes == ("wall", "grass")
        assert model_of(served).engine is first.engine
        path.write_bytes(path.read_bytes()[:1000])
        assert told() == ["reload failed"]
        path.unlink()
        assert told() == ["file missing"]
        (answer,) = served.batcher.submit([("a", b"")])
        assert answer.exception(30)
        assert model_of(served).classes == ("wall", "grass")
        renamed(surfaces, path, "stones")
        assert told() == ["reloaded"]
        assert model_of(served).classes == ("stones", "grass")
    finally:
        shelf.close()


def test_one_network_serves_many_classifiers(
    surfaces: Path, tmp_path: Path, decoders: Decoders
) -> None:
    other = tmp_path / "other.eyespot"
    renamed(surfaces, other, "wall")
    shelf = shelf_of(decoders, surfaces, other)
    try:
        a, b = (model_of(served) for served in shelf)
        assert a.engine is b.engine
        assert a.classes != b.classes
        photo = patches("brick", 1)[0]
        assert a.predict(photo).top[0][0] == "brick"
        assert b.predict(photo).top[0][0] == "wall"
    finally:
        shelf.close()


def test_names_that_cannot_be_served(surfaces: Path, tmp_path: Path, decoders: Decoders) -> None:
    with pytest.raises(UsageError, match="Two files are called surfaces"):
        shelf_of(decoders, surfaces, tmp_path / "surfaces.eyespot")
    with pytest.raises(UsageError, match="Rename the file"):
        shelf_of(decoders, tmp_path / "a:predict.eyespot")
    with pytest.raises(ClassifierFileError, match="Expected the file"):
        shelf_of(decoders, tmp_path / "none.eyespot")
