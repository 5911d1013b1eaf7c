"""A search tries what it should, goes on where it was stopped, and its best can be trained."""

import json
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner

from eyespot.cli.main import app
from eyespot.cli.tune import _nothing, trial_lines
from eyespot.errors import MissingExtraError, NonFiniteError, TrainingError, UsageError
from eyespot.tasks.classification import tune as tuning
from eyespot.tasks.classification.tune import Search, Trial, search
from eyespot.training.augment import find_augmentation
from eyespot.training.checkpoint import LAST
from eyespot.training.folder import STUDY, exclusive_folder
from eyespot.training.images import open_images
from eyespot.training.log import Epoch
from eyespot.training.plan import Plan
from tests.training.test_trainer import stripes

PLAN = Plan("lenet5", epochs=2, batch_size=16, precision="fp32", seed=1)
LEARN, VAL = stripes(60), stripes(30, seed=1)
CHOICES = ("none", "shift")


def found(folder: Path, trials: int = 3, **options: Any) -> Search:
    return search(PLAN, LEARN, VAL, folder, CHOICES, trials=trials, **options)


def untimed(trials: Sequence[Trial]) -> list[Trial]:
    return [replace(trial, seconds=0.0) for trial in trials]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Search:
    return found(tmp_path_factory.mktemp("whole"))


def test_the_best_of_several_is_found(whole: Search) -> None:
    assert [trial.number for trial in whole.trials] == [0, 1, 2]
    assert len({trial.settings["learning_rate"] for trial in whole.trials}) == 3
    assert whole.best is not None
    assert whole.plan is not None
    assert whole.best.accuracy == max(trial.accuracy or 0 for trial in whole.trials)
    assert whole.plan == PLAN.with_options(whole.best.settings)
    assert set(whole.best.settings) == {
        "learning_rate",
        "weight_decay",
        "augmentation",
        "label_smoothing",
    }


def test_a_search_that_was_stopped_is_the_one_that_was_not(whole: Search, tmp_path: Path) -> None:
    def stop(what: str, done: int, total: int) -> None:
        if done > total // 2:  # of three trials, in the second epoch of the second
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        found(tmp_path, progress=stop)
    steps: list[tuple[str, int]] = []
    again = found(tmp_path, progress=lambda what, done, total: steps.append((what, done)))
    assert steps[0] == ("Trials", 12)  # 8 of the first trial, and the first epoch of the second
    assert untimed(again.trials) == untimed(whole.trials)
    assert untimed(found(tmp_path).trials) == untimed(whole.trials)


def test_time_runs_out_within_a_trial(whole: Search, tmp_path: Path) -> None:
    short = found(tmp_path, budget=1e-6)
    assert short == Search((), None, None, 0.5, 30)
    assert untimed(found(tmp_path).trials) == untimed(whole.trials)


Run = Callable[..., SimpleNamespace]


def scripted(runs: list[list[float]]) -> Run:
    """Instead of `train`: accuracies, epoch by epoch, of one run after the other."""
    waiting = iter(runs)

    def run(plan: Plan, *_: Any, watch: Callable[[list[Epoch]], None], **__: Any) -> Any:
        epochs: list[Epoch] = []
        for number, accuracy in enumerate(next(waiting), start=1):
            if accuracy < 0:
                raise NonFiniteError("nan")
            epochs.append(Epoch(number, number, 0.1, 1.0, 0.5, 1.0, accuracy, 60, 30, 1.0))
            watch(epochs)
        return SimpleNamespace(epochs=epochs)

    return run


def test_what_goes_badly_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad, broken = [0.5, 0.9, 0.8], [0.1, 0.2, 1.0], [0.5, -1.0, 0.0]
    monkeypatch.setattr(tuning, "train", scripted([*[good] * 4, broken, good, bad]))
    plan = replace(PLAN, epochs=3)
    tried = search(plan, LEARN, VAL, tmp_path, CHOICES, trials=7).trials
    assert [trial.state for trial in tried] == [*["complete"] * 4, "failed", "complete", "pruned"]
    assert (tried[0].accuracy, tried[0].epochs) == (0.9, 3)
    assert tried[4].accuracy is None
    assert (tried[6].accuracy, tried[6].epochs) == (0.2, 2)  # the first epoch is free


def test_where_no_loss_is_finite_nothing_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(tuning.RATES, "sgd", (1e8, 1e9))
    none = found(tmp_path, trials=2)
    assert [trial.state for trial in none.trials] == ["failed", "failed"]
    assert none.best is None
    assert none.plan is None


def test_trials_are_told_as_they_are_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tuning, "train", scripted([[0.5, 0.6], [-1.0], [0.5, 0.6], [0.1, 0.7]]))
    lines = trial_lines()
    told = []

    def watch(trials: Sequence[Trial]) -> None:
        lines.watch(trials)
        told.append([line.split()[0] for line in capsys.readouterr().out.splitlines()])

    found(tmp_path, trials=1, watch=watch)
    assert told == [[], ["Trial", "1"]]
    found(tmp_path, trials=4, watch=watch)
    assert told == [[], ["Trial", "1"], [], ["2"], ["3"], ["4"]]
    trial_lines().watch(found(tmp_path, trials=4).trials)
    _, *rows = capsys.readouterr().out.splitlines()
    assert [row.endswith("best so far") for row in rows] == [True, False, False, True]
    assert "no loss" in rows[1]


@pytest.mark.parametrize("row", [tuning.FOR_SMALL, tuning.FOR_LARGE])
def test_nothing_is_mirrored_unless_asked_for(row: tuple[str, ...]) -> None:
    assert not [name for name in row if find_augmentation(name).mirrors]
    assert all(find_augmentation(name).mirrors for name in tuning.MIRRORED[row])
    sides = {find_augmentation(name).stored(224) for name in (*row, *tuning.MIRRORED[row])}
    assert len(sides) == 1  # the photos are read once


def test_a_search_that_may_mirror_is_another_one(tmp_path: Path) -> None:
    found(tmp_path, trials=1, budget=1e-6)
    with pytest.raises(TrainingError, match="augmentations"):
        search(PLAN, LEARN, VAL, tmp_path, (*CHOICES, "small"), trials=1)


def test_below_the_baseline_no_run_is_the_best(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tuning, "train", scripted([[0.5, 0.4], [-1.0], [0.2, 0.3], [0.5, 0.6]]))
    poor = found(tmp_path, trials=3)
    assert (poor.baseline, poor.count) == (0.5, 30)
    assert [trial.beats_baseline for trial in poor.trials] == [False] * 3
    assert poor.best is None
    assert poor.plan is None
    trial_lines().watch(poor.trials)
    assert "best" not in capsys.readouterr().out
    said = _nothing(poor)
    assert "No trial beat the majority-class baseline, accuracy 50.0% on 30 validation" in said
    assert "--check" in said
    better = found(tmp_path, trials=4)
    assert better.best is not None
    assert better.best.number == 3


def test_why_nothing_was_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "--budget" in _nothing(found(tmp_path / "short", budget=1e-6))
    monkeypatch.setattr(tuning, "train", scripted([[-1.0], [-1.0]]))
    assert "NaN or Inf in every trial" in _nothing(found(tmp_path / "failed", trials=2))


def test_another_search_is_not_gone_on_with(tmp_path: Path) -> None:
    found(tmp_path, trials=1, budget=1e-6)
    with pytest.raises(TrainingError, match="other settings"):
        search(replace(PLAN, epochs=3), LEARN, VAL, tmp_path, CHOICES, trials=1)


def test_other_photos_are_not_searched_with(tmp_path: Path) -> None:
    found(tmp_path, trials=1, budget=1e-6, photos="some")
    with pytest.raises(TrainingError, match=r"\(photos or --held-out\)"):
        found(tmp_path, trials=1, photos="others")


def test_two_searches_in_one_folder_do_not_meet(tmp_path: Path) -> None:
    with (
        exclusive_folder(tmp_path, STUDY),
        pytest.raises(TrainingError, match="Another process is using"),
    ):
        found(tmp_path)


def test_a_search_in_the_folder_of_a_run(tmp_path: Path) -> None:
    (tmp_path / LAST).touch()
    with pytest.raises(TrainingError, match=r"has a training run .*another folder"):
        found(tmp_path)


def test_a_damaged_study_says_so(tmp_path: Path) -> None:
    (tmp_path / STUDY).write_bytes(b"nothing that SQLite knows" * 100)
    with pytest.raises(TrainingError, match="delete it"):
        found(tmp_path)


def test_an_unknown_optimiser(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="adamw"):
        search(replace(PLAN, optimiser="lion"), LEARN, VAL, tmp_path, CHOICES)


def test_without_optuna_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtraError, match=r"eyespot\[tune\]"):
        tuning.tune("photos", PLAN, Path("search"))


def test_the_command_searches_and_the_one_it_names_trains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def read(photos: Any, *options: Any) -> Any:
        asked.extend(photo.name for photo in photos)
        return open_images(photos, *options)

    monkeypatch.setattr(tuning, "open_images", read)
    monkeypatch.setattr(tuning, "_baseline", lambda *_: -1.0)  # in one epoch nothing is learnt
    for part, seed in (("train", 0), ("test", 2)):
        some = stripes(24, seed=seed)
        for index, (image, label) in enumerate(zip(some.images, some.labels, strict=True)):
            folder = tmp_path / "my photos" / part / some.classes[label]
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image[:, :, 0]).save(folder / f"{index}.png")
    monkeypatch.chdir(tmp_path)
    line = ["tune", "my photos", "--model", "lenet5", "--epochs", "1", "--trials", "2"]
    done = CliRunner().invoke(app, [*line, "-o", "search #1", "--json"])
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    assert set(answer) == {"model", "trials", "best", "baseline", "command"}
    assert len(asked) == 24  # every photo that is not for tests, once for all trials
    assert not [name for name in asked if "test" in name]
    words = shlex.split(answer["command"])
    assert words[:3] == ["eyespot", "train", "my photos"]
    trained = CliRunner().invoke(app, words[1:])
    assert trained.exit_code == 0, trained.output
    table = CliRunner().invoke(app, [*line, "-o", "search #1"])
    heading, *rows = table.stdout.split("\n\n")[0].splitlines()
    assert heading.startswith("Trial")
    assert [row.split()[0] for row in rows] == ["1", "2"]
    assert rows[0].endswith("best so far")
    assert f"hyperparameters of trial {answer['best'] + 1}:" in table.stdout
    assert answer["command"] in table.stdout


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (["--trials", "0"], "trials"),
        (["--budget", "-1"], "budget"),
        (["--held-out", "0"], "held-out"),
        (["--model", "lenet6"], "lenet5"),
        (["--epochs", "0"], "epochs"),
        (["--model", "tiny_yolo_face"], "detects faces"),
    ],
)
def test_bad_uses(options: list[str], match: str, tmp_path: Path) -> None:
    for name, image in zip(("a", "b"), stripes(2).images, strict=True):
        for number in range(2):
            (tmp_path / name).mkdir(exist_ok=True)
            Image.fromarray(image[:, :, 0]).save(tmp_path / name / f"{number}.png")
    done = CliRunner().invoke(app, ["tune", str(tmp_path), "-o", str(tmp_path / "s"), *options])
    assert done.exit_code == 2, done.output
    assert match in done.output


@pytest.mark.parametrize("seed", [4294, 4295, 2**64 - 1])
def test_every_seed_of_a_plan_draws(seed: int, tmp_path: Path) -> None:
    plan = replace(PLAN, epochs=1, seed=seed)
    drawn = search(plan, LEARN, VAL, tmp_path, CHOICES, trials=1)
    assert len(drawn.trials) == 1
