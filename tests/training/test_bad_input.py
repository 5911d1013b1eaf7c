"""What cannot be trained with is named before, or as soon as it shows; what was kept stays."""

import errno
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from eyespot.cli.main import app
from eyespot.errors import NonFiniteError, TrainingError, UsageError
from eyespot.training.checkpoint import LAST, read_checkpoint, write_checkpoint
from eyespot.training.plan import Plan
from eyespot.training.run import train
from eyespot.training.trainer import Trainer
from eyespot.weights import zoo
from tests.training.test_trainer import stripes

PLAN = Plan("lenet5", epochs=2, batch_size=16, learning_rate=0.05, precision="fp32")
LEARN = stripes(40)


def photos(folder: Path, classes: str = "ab", side: tuple[int, int] = (9, 7)) -> Path:
    rng = np.random.default_rng(0)
    for name in classes:
        (folder / name).mkdir(parents=True)
        for number in range(4):
            pixels = rng.integers(0, 256, (*side, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


def trained(source: Path, output: Path, *options: str) -> Any:
    line = ["train", str(source), "--model", "lenet5", "--epochs", "1", "-o", str(output)]
    return CliRunner().invoke(app, [*line, *options])


@pytest.mark.parametrize(
    "options",
    [
        *({name: -1.0} for name in ("weight_decay", "l1", "max_norm", "warmup", "clip")),
        *({name: float("nan")} for name in ("mixup", "cutmix", "momentum", "dropout")),
        *({name: float("inf")} for name in ("learning_rate", "weight_decay", "clip")),
        *({"dropout": value} for value in (1.0, -0.1)),
        *({"seed": seed} for seed in (2**64, 10**40, 1.5, "1")),
        *({name: -1} for name in ("seed", "epochs", "patience", "batch_size", "accumulate")),
    ],
    ids=str,
)
def test_numbers_that_make_no_sense(options: dict[str, float]) -> None:
    (name,) = options
    with pytest.raises(UsageError, match=f"^{name} must be"):
        PLAN.with_options(options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--epochs", "0"), "epochs must be 1 or more"),
        (("--every", "-1"), "--every"),
        (("--held-out", "1"), "--held-out"),
        (("--seed", "-1"), "seed must be a whole number from 0 to 18,446,744,073,709,551,615"),
        (("--seed", str(2**64)), "seed must be a whole number from 0 to"),
        (("--model", "lenet6"), "lenet5"),
        (("--augmentation", "small+sharpen"), "+randaugment"),
        (("--augmentation", "alexnet"), "grey"),
    ],
)
def test_bad_uses_of_the_command(options: tuple[str, ...], message: str, tmp_path: Path) -> None:
    done = trained(photos(tmp_path / "photos"), tmp_path / "out", *options)
    assert done.exit_code == 2, done.output
    assert message in done.output


def test_pictures_with_numbers_that_are_none_are_named_and_left_out(tmp_path: Path) -> None:
    source = photos(tmp_path / "photos")
    values = np.random.default_rng(0).random((9, 7), np.float32)
    Image.fromarray(values).save(source / "a" / "whole.tif")
    values[3] = np.nan
    Image.fromarray(values).save(source / "a" / "holes.tif")
    done = trained(source, tmp_path / "out", "--held-out", "0", "--precision", "fp32")
    assert done.exit_code == 0, done.output
    assert "9 photos to train on" in done.output
    said = [line for line in done.output.splitlines() if line.startswith("Skipped")]
    assert len(said) == 1
    assert "holes.tif: expected finite pixels, 7 of 63 are NaN" in said[0]
    assert done.output.index(said[0]) < done.output.index("Epoch "), "known before training begins"


def test_one_class_is_too_few(tmp_path: Path) -> None:
    done = trained(photos(tmp_path / "photos", "a"), tmp_path / "out")
    assert done.exit_code == 1
    assert "at least 2 classes, found 'a'" in done.output


def test_pictures_smaller_than_the_network_takes_are_enlarged(tmp_path: Path) -> None:
    done = trained(photos(tmp_path / "photos", side=(1, 3)), tmp_path / "out")
    assert done.exit_code == 0, done.output


def test_where_nothing_can_be_written_nothing_is_trained(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for output in (tmp_path / "file", tmp_path / "file" / "out"):
        done = trained(photos(tmp_path / f"photos-{output.name}"), output)
        assert done.exit_code == 2, done.output
        assert "file" in done.output


def test_a_folder_that_may_not_be_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: mode != os.W_OK)  # root may write anywhere
    done = trained(photos(tmp_path / "photos"), tmp_path / "out")
    assert done.exit_code == 2
    assert "cannot be written" in done.output


def test_settings_that_differ_are_named(tmp_path: Path) -> None:
    train(replace(PLAN, epochs=1), LEARN, None, tmp_path)
    other = replace(LEARN, classes=("lying", "upright"))
    with pytest.raises(TrainingError, match=r"\(clip, classes\)"):
        train(replace(PLAN, epochs=1, clip=1.0), other, None, tmp_path)


@pytest.mark.parametrize(("model", "classes"), [("lenet5", 5), ("mnist_hidden", 2)])
def test_a_checkpoint_of_another_network(model: str, classes: int, tmp_path: Path) -> None:
    Trainer(PLAN, LEARN).save(tmp_path / LAST, resumable=True)
    facts = read_checkpoint(tmp_path / LAST).facts
    other = zoo.create(model, num_classes=classes, in_channels=1)
    write_checkpoint(tmp_path / LAST, facts, other, {})
    before = (tmp_path / LAST).read_bytes()
    with pytest.raises(TrainingError, match="another network"):
        train(PLAN, LEARN, None, tmp_path)
    assert (tmp_path / LAST).read_bytes() == before


def test_a_disk_that_fills_up_costs_what_came_since(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real writing, on a disk that has no room from the second epoch on."""
    whole = train(PLAN, LEARN, None, tmp_path / "whole")
    real = os.fsync

    def fill(what: str, done: int, total: int) -> None:
        if done == total:

            def full(*_: object) -> None:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

            monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(TrainingError, match="No space left"):
        train(PLAN, LEARN, None, tmp_path / "parts", progress=fill)
    monkeypatch.setattr(os, "fsync", real)
    assert read_checkpoint(tmp_path / "parts" / LAST).facts["step"] == 3
    parts = train(PLAN, LEARN, None, tmp_path / "parts")
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, parts.network.state_dict()[name]), name


def test_weights_that_are_no_numbers_are_not_kept(tmp_path: Path) -> None:
    """The last step before a state is kept may ruin them, and its own loss does not show it."""
    trainer = Trainer(PLAN, LEARN)
    trainer.save(tmp_path / LAST, resumable=True)
    before = (tmp_path / LAST).read_bytes()
    with torch.no_grad():
        next(trainer.network.parameters()).view(-1)[0] = float("nan")
    with pytest.raises(NonFiniteError, match="learning-rate"):
        trainer.save(tmp_path / LAST, resumable=True)
    assert (tmp_path / LAST).read_bytes() == before
