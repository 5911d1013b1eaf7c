"""File and folder names in an old encoding: Python shows them with characters no UTF-8 can hold."""

import csv
import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from eyespot.tasks.task import load
from tests.faults.photos import start, teach, write_photos

LATIN = os.fsdecode(b"caf\xe9")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = write_photos(tmp_path / "photos", 6, ("brick", "grass"))
    if sys.platform != "linux":
        pytest.skip("this file system takes no such names")
    (folder / "brick").rename(folder / LATIN)
    shutil.move(folder / "grass" / "0.png", folder / "grass" / f"{LATIN}.png")
    (folder / "grass" / f"broken {LATIN}.png").write_text("no picture")
    return folder


@pytest.mark.slow
def test_every_verb_takes_them(photos: Path, tmp_path: Path) -> None:
    model = tmp_path / "m.eyespot"
    for more in ((), ("--json",)):
        process = teach(photos, model, *more)
        out, errors = process.communicate(timeout=600)
        assert process.returncode == 0, errors
    assert "grass" in json.loads(out)["classes"]
    assert list(load(model).classes) == json.loads(out)["classes"]
    assert "grass" in (tmp_path / "m.report.html").read_text("utf-8")
    for arguments in (
        ("predict", photos, "-m", model),
        ("predict", photos, "-m", model, "--json"),
        ("predict", photos / "grass" / f"{LATIN}.png", "-m", model),
        ("predict", photos / "grass" / f"{LATIN}.png", "-m", model, "--json"),
        ("predict", photos / "grass" / f"{LATIN}.png", "-m", model, "--csv", tmp_path / "1.csv"),
        ("predict", photos, "-m", model, "--csv", tmp_path / "t.csv"),
        ("predict", photos, "-m", model, "--parquet", tmp_path / "t.parquet"),
        ("evaluate", photos, "-m", model),
        ("evaluate", photos, "-m", model, "--json"),
        ("embed", photos, "-o", tmp_path / "f.parquet"),
    ):
        process = start(*arguments)
        _, errors = process.communicate(timeout=600)
        assert process.returncode == 0, (arguments, errors)
        assert "Traceback" not in errors
    with (tmp_path / "t.csv").open(encoding="utf-8") as table:
        assert len(list(csv.DictReader(table))) == 13
