"""A run's folder that somebody wrote into: a sentence, or a run that goes on; never a traceback."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from eyespot.errors import TrainingError
from eyespot.training.checkpoint import BEST, LAST
from eyespot.training.images import ImageSet
from eyespot.training.log import LOG, read_log
from eyespot.training.plan import Plan
from eyespot.training.run import train
from eyespot.training.trainer import Trainer
from tests.training.test_trainer import stripes

PLAN = Plan("lenet5", epochs=2, batch_size=16, learning_rate=0.01, optimiser="adam", average=0.5)
Facts = dict[str, Any]
Tensors = dict[str, Tensor]


@pytest.fixture(scope="module")
def learn() -> ImageSet:
    return stripes(32)


@pytest.fixture(scope="module")
def run(learn: ImageSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two epochs that was stopped after the first."""
    folder = tmp_path_factory.mktemp("run")

    def stop(stage: str, done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(PLAN, learn, None, folder, progress=stop)
    assert (folder / BEST).exists()
    return folder


@pytest.fixture
def folder(run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(run, tmp_path / "run"))


def tamper(path: Path, change: Callable[[Facts, Tensors], object]) -> None:
    with safe_open(path, framework="pt") as file:
        facts = json.loads(file.metadata()["eyespot-checkpoint"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    change(facts, tensors)
    save_file(tensors, path, {"eyespot-checkpoint": json.dumps(facts)})


def setting(name: str, value: object) -> Callable[[Facts, Tensors], object]:
    return lambda facts, tensors: facts.update({name: value})


def test_untouched_it_goes_on(folder: Path, learn: ImageSet) -> None:
    tamper(folder / LAST, lambda facts, tensors: None)
    assert len(train(PLAN, learn, None, folder).epochs) == 2


DEEP: list[Any] = []
for _ in range(300):
    DEEP = [DEEP]
ODD: tuple[Any, ...] = (None, "x", [], {}, -1, 10**400, float("nan"), 1e308, DEEP)


@pytest.mark.parametrize("name", ["step", "stale", "running", "plan", "classes", "format"])
def test_odd_facts(name: str, folder: Path, learn: ImageSet) -> None:
    for value in ODD:
        tamper(folder / LAST, setting(name, value))
        with pytest.raises(TrainingError, match="start again"):
            train(PLAN, learn, None, folder)


@pytest.mark.parametrize(
    "change",
    [
        setting("best", "high"),
        setting("best", [1]),
        setting("best", 10**400),
        setting("step", 10**6),
        setting("step", 3),
        setting("step", 1.0),
        setting("running", {"loss": "x", "correct": 0, "images": 0}),
        setting("running", {"loss": 0, "correct": 0, "images": 0, "more": 0}),
        setting("classes", [1, None]),
        lambda facts, tensors: facts.pop("stale"),
        lambda facts, tensors: facts.pop("plan"),
        lambda facts, tensors: facts["plan"].update(precision=[]),
        lambda facts, tensors: facts["plan"].pop("precision"),
        lambda facts, tensors: facts["plan"].update(epochs=None),
        lambda facts, tensors: facts.clear(),
    ],
)
def test_odd_facts_of_a_kind(
    change: Callable[[Facts, Tensors], object], folder: Path, learn: ImageSet
) -> None:
    tamper(folder / LAST, change)
    with pytest.raises(TrainingError, match="start again"):
        train(replace(PLAN, precision="auto"), learn, None, folder)


def reshaped(start: str) -> Callable[[Facts, Tensors], object]:
    def change(facts: Facts, tensors: Tensors) -> None:
        name = next(name for name in tensors if name.startswith(start) and tensors[name].ndim)
        tensors[name] = torch.zeros(7)

    return change


def renamed(start: str, new: str) -> Callable[[Facts, Tensors], object]:
    def change(facts: Facts, tensors: Tensors) -> None:
        name = next(name for name in tensors if name.startswith(start))
        tensors[new] = tensors.pop(name)

    return change


@pytest.mark.parametrize(
    "change",
    [
        *(reshaped(start) for start in ("model.", "average.", "optimiser.")),
        *(renamed(start, f"{start}more") for start in ("model.", "average.", "optimiser.")),
        renamed("optimiser.", "optimiser.0.momentum_buffer"),
        renamed("optimiser.", "optimiser.99.exp_avg"),
        renamed("optimiser.", "optimiser.-1.exp_avg"),
        renamed("average.", "elsewhere"),
    ],
)
def test_tensors_of_another_network_or_optimiser(
    change: Callable[[Facts, Tensors], object], folder: Path, learn: ImageSet
) -> None:
    tamper(folder / LAST, change)
    with pytest.raises(TrainingError, match="belongs to another"):
        train(PLAN, learn, None, folder)


def test_the_best_weights_are_of_another_network(folder: Path, learn: ImageSet) -> None:
    train(PLAN, learn, None, folder)
    tamper(folder / BEST, reshaped("average."))
    with pytest.raises(TrainingError, match="belongs to another"):
        train(PLAN, learn, None, folder)


def test_weights_that_are_no_numbers(folder: Path, learn: ImageSet) -> None:
    def spoil(facts: Facts, tensors: Tensors) -> None:
        for name in tensors:
            tensors[name] = torch.full_like(tensors[name], float("nan"))

    tamper(folder / LAST, spoil)
    with pytest.raises(TrainingError):
        train(PLAN, learn, None, folder)


def test_lines_of_a_record_that_no_run_writes_are_passed_over(folder: Path) -> None:
    (line,) = (folder / LOG).read_text().splitlines()
    first = json.loads(line)
    values: tuple[Any, ...] = ("x", [], {}, float("nan"))
    odd = [{**first, name: value} for name in first for value in values]
    odd += [{**first, "step": -1}, {**first, "epoch": 0}, {**first, "loss": 10**400}]
    more = [json.dumps(each) for each in odd] + ["[" * 100_000, "{}", "null", '"x"']
    (folder / LOG).write_text("\n".join([line, *more]))
    assert len(read_log(folder / LOG)) == 1


def test_a_run_that_is_over_without_its_record(folder: Path, learn: ImageSet) -> None:
    train(PLAN, learn, None, folder)
    (folder / LOG).unlink()
    with pytest.raises(TrainingError, match="start again"):
        train(PLAN, learn, None, folder)


def test_a_state_within_an_epoch_goes_on(learn: ImageSet, tmp_path: Path) -> None:
    trainer = Trainer(PLAN, learn)
    trainer.train_step()
    trainer.save(tmp_path / LAST, resumable=True)
    assert len(train(PLAN, learn, None, tmp_path).epochs) == 2
