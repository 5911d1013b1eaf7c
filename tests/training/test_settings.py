"""Of a run, only settings that have an effect are told."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner

from eyespot.cli.main import app
from eyespot.training.plan import Plan
from eyespot.training.settings import unused_settings, used_settings
from tests.training.test_trainer import stripes

PLAN = Plan("lenet5", epochs=10)
ALWAYS = {
    *("epochs", "batch_size", "optimiser", "learning_rate", "schedule", "loss", "dropout"),
    *("initialisation", "normalisation", "precision", "seed"),
}


def test_of_the_default_plan() -> None:
    found = used_settings(PLAN, validated=True)
    assert set(found) == ALWAYS | {"momentum", "nesterov", "weight_decay"}
    assert found["nesterov"] is True


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"momentum": 0.0}, {"momentum", "nesterov"}),
        ({"optimiser": "adamw"}, {"momentum", "nesterov"}),
        ({"nesterov": False}, {"nesterov"}),
        ({"weight_decay": 0.0}, {"weight_decay"}),
        ({"patience": 9}, {"patience"}),
    ],
)
def test_without_effect(options: dict[str, Any], names: set[str]) -> None:
    assert not names & set(used_settings(replace(PLAN, **options), validated=True))
    assert names <= set(unused_settings(replace(PLAN, **options), validated=True))


def test_what_depends_on_network_and_photos() -> None:
    plan = replace(PLAN, patience=3, dropout=0.0)
    assert {"patience", "dropout"} <= set(used_settings(plan, validated=True))
    assert "patience" not in used_settings(plan, validated=False)
    assert "dropout" not in used_settings(plan, validated=True, droppable=False)
    more = replace(PLAN, mixup=0.2, average=0.9, clip=1.0, accumulate=2, augmentation="shift")
    assert {"mixup", "average", "clip", "accumulate", "augmentation"} <= set(
        used_settings(more, validated=True)
    )


@pytest.mark.parametrize("validated", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_what_a_run_did_is_told_everywhere(validated: bool, tmp_path: Path) -> None:
    """With val/, nothing is held out; with a momentum of 0 there is no Nesterov."""
    for part, count in (("train", 16), ("val", 8)) if validated else (("", 20),):
        some = stripes(count, seed=count)
        for index, (image, label) in enumerate(zip(some.images, some.labels, strict=True)):
            folder = tmp_path / "photos" / part / some.classes[label]
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image[:, :, 0]).save(folder / f"{index}.png")
    out = tmp_path / "out"
    line = ["train", str(tmp_path / "photos"), "--model", "lenet5", "--epochs", "2", "-o", str(out)]
    line += ["--batch-size", "8", "--lr", "0.01", "--momentum", "0", "--patience", "5"]
    done = CliRunner().invoke(app, [*line, "--json"])
    assert done.exit_code == 0, done.output
    assert "--patience 5 has no effect: the run has too few epochs to stop early." in done.stderr
    found = json.loads(done.stdout)
    assert found["held_out"] == (None if validated else 0.1)
    assert found["stopped_early"] is False
    assert found["kept_epoch"] in (1, 2)
    assert found["settings"].get("held_out") == found["held_out"]
    idle = {"momentum", "nesterov", "patience", "mixup", "dropout"}  # LeNet-5 has no dropout
    assert not idle & set(found["settings"])
    page = (out / "report.html").read_text()
    assert ("Held out" in page) is not validated
    assert "Nesterov" not in page
    text = " ".join(CliRunner().invoke(app, line).stdout.split())
    words = "the split val" if validated else "10% of each class, held out"
    assert f"photos to validate on, {words}" in text
    assert f"The weights of epoch {found['kept_epoch']} are kept" in text
