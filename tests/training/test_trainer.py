"""The loop learns, keeps its state, and goes on as if it had never stopped."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from eyespot.errors import TrainingError, UsageError
from eyespot.training.checkpoint import LAST, read_checkpoint
from eyespot.training.images import ImageSet
from eyespot.training.log import LOG, describe_ending, read_log
from eyespot.training.plan import Plan
from eyespot.training.run import train
from eyespot.training.trainer import Trainer

PLAN = Plan("lenet5", epochs=3, batch_size=16, learning_rate=0.05, seed=3)


def stripes(count: int, side: int = 32, seed: int = 0) -> ImageSet:
    """Upright and lying stripes under noise: two classes."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, count)
    waves = 100 * np.sin(np.arange(side) / 2 + rng.uniform(0, 6, (count, 1)))
    upright = np.broadcast_to(waves[:, None, :], (count, side, side))
    lying = np.broadcast_to(waves[:, :, None], (count, side, side))
    pictures = np.where(labels[:, None, None] == 0, upright, lying)
    noisy = pictures + 127 + rng.normal(0, 20, pictures.shape)
    images = noisy.clip(0, 255).astype(np.uint8)[..., None]
    return ImageSet(images, labels.astype(np.int64), ("upright", "lying"))


@pytest.fixture(scope="module")
def learn() -> ImageSet:
    return stripes(120)


@pytest.fixture(scope="module")
def val() -> ImageSet:
    return stripes(40, seed=1)


def test_it_learns(learn: ImageSet, val: ImageSet, tmp_path: Path) -> None:
    trained = train(replace(PLAN, epochs=6), learn, val, tmp_path)
    assert trained.epochs[-1].val_accuracy is not None
    assert trained.epochs[-1].val_accuracy > 0.95
    assert trained.epochs[0].loss > trained.epochs[-1].loss
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2, 3, 4, 5, 6]


def test_pixels_are_normalised_as_the_plan_says() -> None:
    rng = np.random.default_rng(0)
    images = (rng.normal((60, 120, 180), (10, 20, 40), (50, 32, 32, 3)).clip(0, 255)).astype("u1")
    colours = ImageSet(images, np.arange(50) % 2, ("a", "b"))
    plan = replace(PLAN, model="resnet20")

    def found(name: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
        pixels = Trainer(replace(plan, normalisation=name), colours).preprocessing
        return pixels.mean, pixels.std

    means = tuple(images.reshape(-1, 3).mean(0, dtype=np.float64).tolist())
    deviations = tuple(images.reshape(-1, 3).std(0, dtype=np.float64).tolist())
    assert found("standardised") == (means, deviations)
    assert found("channel-mean") == (means, (1.0,) * 3)
    assert found("mean")[0] == pytest.approx((images.mean(dtype=np.float64),) * 3)
    assert found("mean")[1] == (1.0,) * 3
    assert PLAN.normalisation == "standardised"
    with pytest.raises(UsageError, match="one of standardised, channel-mean, mean, not sum"):
        replace(PLAN, normalisation="sum")


def test_a_state_older_than_a_setting_goes_on(learn: ImageSet, tmp_path: Path) -> None:
    whole = train(replace(PLAN, epochs=1), learn, None, tmp_path)
    kept = read_checkpoint(tmp_path / LAST)
    del kept.facts["plan"]["normalisation"]
    Trainer(whole.plan, learn).resume(kept, tmp_path / LAST)
    other = Trainer(replace(whole.plan, normalisation="mean"), learn)
    with pytest.raises(TrainingError, match="normalisation"):
        other.resume(kept, tmp_path / LAST)


OPTIONS = (
    {"precision": "bf16"},
    {"optimiser": "adamw", "learning_rate": 1e-3},
    {"optimiser": "adam", "learning_rate": 1e-3, "loss": "hinge"},
    {"loss": "squares", "initialisation": "xavier", "warmup": 0.5},
    {"mixup": 0.4, "label_smoothing": 0.1, "augmentation": "shift"},
    {"cutmix": 1.0, "clip": 1.0, "average": 0.9, "schedule": "cosine"},
    {"l1": 1e-5, "max_norm": 3.0, "accumulate": 4, "augmentation": "small-erasing"},
)


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(options))
def test_a_run_that_was_stopped_goes_on_bit_by_bit(
    options: dict[str, float], learn: ImageSet, val: ImageSet, tmp_path: Path
) -> None:
    plan = PLAN.with_options(options)
    whole = train(plan, learn, val, tmp_path / "whole")

    class Stopped(Exception):
        pass

    def stop(what: str, done: int, total: int) -> None:
        if done == 13:  # within the second epoch
            raise Stopped

    with pytest.raises(Stopped):
        train(plan, learn, val, tmp_path / "parts", every=5, progress=stop)
    assert read_checkpoint(tmp_path / "parts" / LAST).facts["step"] == 10
    parts = train(plan, learn, val, tmp_path / "parts")
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, parts.network.state_dict()[name]), name
    for first, second in zip(whole.epochs, parts.epochs, strict=True):
        assert replace(first, seconds=0.0) == replace(second, seconds=0.0)


def test_accumulated_parts_are_one_batch(learn: ImageSet) -> None:
    losses = []
    for parts in (1, 4):
        trainer = Trainer(replace(PLAN, accumulate=parts), learn)
        losses.append([trainer.train_step() for _ in range(5)])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)


def test_every_picture_once_an_epoch_in_an_order_of_its_own(learn: ImageSet) -> None:
    trainer = Trainer(PLAN, learn)
    count = trainer.steps_per_epoch
    epochs = [
        np.concatenate([trainer.batches.indices(epoch * count + step) for step in range(count)])
        for epoch in range(2)
    ]
    for order in epochs:
        assert sorted(order.tolist()) == list(range(len(learn)))
    assert epochs[0].tolist() != epochs[1].tolist()


def test_no_picture_is_left_alone_with_batch_norm(tmp_path: Path) -> None:
    plan = Plan("mnist_hidden", epochs=1, batch_size=16)
    trained = train(plan, stripes(17, side=28), None, tmp_path)  # 16 and 1 would not do
    assert np.isfinite(trained.epochs[0].loss)


def test_a_loss_that_is_no_number_stops_with_advice(learn: ImageSet, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="learning rate"):
        train(replace(PLAN, learning_rate=1e9), learn, None, tmp_path)


def test_another_run_is_not_gone_on_with(learn: ImageSet, tmp_path: Path) -> None:
    train(replace(PLAN, epochs=1), learn, None, tmp_path)
    with pytest.raises(TrainingError, match="other settings"):
        train(replace(PLAN, epochs=2), learn, None, tmp_path)


def test_a_log_that_was_cut_off_keeps_what_is_whole(learn: ImageSet, tmp_path: Path) -> None:
    before = train(PLAN, learn, None, tmp_path).epochs
    log = tmp_path / LOG
    log.write_text(log.read_text() + '{"epoch": 4, "st')
    assert train(PLAN, learn, None, tmp_path).epochs == before


def test_a_damaged_checkpoint_says_so(learn: ImageSet, tmp_path: Path) -> None:
    (tmp_path / LAST).write_bytes(b"nothing")
    with pytest.raises(TrainingError, match=r"To start again, delete .*last"):
        train(PLAN, learn, None, tmp_path)


def test_a_full_disk_keeps_the_last_state(
    learn: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = Trainer(PLAN, learn)
    trainer.save(tmp_path / LAST, resumable=True)
    before = (tmp_path / LAST).read_bytes()

    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("eyespot.training.checkpoint.write_atomically", full)
    with pytest.raises(TrainingError, match="No space left"):
        trainer.save(tmp_path / LAST, resumable=True)
    assert (tmp_path / LAST).read_bytes() == before


def test_training_stops_early(learn: ImageSet, val: ImageSet, tmp_path: Path) -> None:
    plan = replace(PLAN, epochs=50, learning_rate=1e-9, patience=2)  # it never gets better
    trained = train(plan, learn, val, tmp_path)
    assert len(trained.epochs) == 3  # the first is the best, and two follow
    assert [epoch.stopped_early for epoch in trained.epochs] == [False, False, True]
    assert read_log(tmp_path / LOG) == list(trained.epochs)
    said = describe_ending(trained.epochs, plan.epochs)
    assert "stopped early, after epoch 3 of 50: no better validation accuracy in 2 epochs" in said
    assert "The weights of epoch 1 are kept: best validation accuracy, " in said
    steps: list[tuple[str, int, int]] = []
    train(plan, learn, val, tmp_path, progress=lambda *step: steps.append(step))
    assert steps == [("Training", 24, 24)]  # nothing is left to do


def test_a_run_that_ends_by_itself_has_not_stopped_early(
    learn: ImageSet, val: ImageSet, tmp_path: Path
) -> None:
    plan = replace(PLAN, epochs=3, learning_rate=1e-9, patience=2)  # used up as the run ends
    trained = train(plan, learn, val, tmp_path)
    assert [epoch.stopped_early for epoch in trained.epochs] == [False] * 3
    assert "early" not in describe_ending(trained.epochs, plan.epochs)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"optimiser": "rmsprop"}, "sgd, adam, adamw"),
        ({"loss": "focal"}, "hinge"),
        ({"schedule": "magic"}, "cosine"),
        ({"augmentation": "magic"}, "alexnet"),
        ({"initialisation": "zeros"}, "xavier"),
        ({"model": "resnet19"}, "resnet"),
        ({"model": "tiny_yolo_face"}, "detects faces"),
    ],
)
def test_names_that_are_not_there(
    options: dict[str, str], match: str, learn: ImageSet, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=match):
        train(PLAN.with_options(options), learn, None, tmp_path)


@pytest.mark.parametrize(
    "options",
    [
        {"epochs": 0},
        {"momentum": 1.0},
        {"learning_rate": 0.0},
        {"precision": "fp8"},
        {"batch_size": 10, "accumulate": 3},
        {"mixup": 1.0, "cutmix": 1.0},
    ],
)
def test_numbers_out_of_range(options: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        PLAN.with_options(options)


SCRIPT = """
import sys
from pathlib import Path
from tests.training.test_trainer import PLAN, stripes, train
train(PLAN, stripes(120), stripes(40, seed=1), Path(sys.argv[1]), every=1)
"""


def test_a_killed_process_goes_on_where_it_was(
    learn: ImageSet, val: ImageSet, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "killed")]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[2])
    last = tmp_path / "killed" / LAST
    deadline = time.monotonic() + 600
    while not last.exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    step = read_checkpoint(last).facts["step"]
    assert 0 < step <= 24
    killed = train(PLAN, learn, val, tmp_path / "killed", every=1)
    whole = train(PLAN, learn, val, tmp_path / "whole", every=1)
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, killed.network.state_dict()[name]), name
