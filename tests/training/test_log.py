"""The record of a run: its log, and event files as TensorBoard itself reads them."""

import json
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from eyespot.training.events import Events
from eyespot.training.log import LOG, Epoch, TrainingLog, read_log

FIRST = Epoch(
    epoch=1,
    step=10,
    learning_rate=0.1,
    loss=2.0,
    accuracy=0.25,
    val_loss=1.5,
    val_accuracy=0.5,
    images=100,
    val_images=20,
    seconds=1.0,
)
EPOCHS = tuple(replace(FIRST, epoch=n, step=10 * n, loss=2.0 / n) for n in range(1, 5))


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """What TensorBoard shows of a folder: (step, value), by name."""
    accumulator = EventAccumulator(str(folder))
    accumulator.Reload()
    return {
        name: [(event.step, event.value) for event in accumulator.Scalars(name)]
        for name in accumulator.Tags()["scalars"]
    }


def test_tensorboard_reads_what_was_written(tmp_path: Path) -> None:
    with closing(TrainingLog(tmp_path, 0)) as log:
        for epoch in EPOCHS:
            log.add(epoch)
    found = scalars(tmp_path)
    assert set(found) == {"learning_rate", "loss", "accuracy", "val_loss", "val_accuracy"}
    assert dict(found["loss"]) == pytest.approx({epoch.step: epoch.loss for epoch in EPOCHS})
    assert found["val_accuracy"] == [(epoch.step, 0.5) for epoch in EPOCHS]


def test_without_validation_there_are_no_such_curves(tmp_path: Path) -> None:
    with closing(TrainingLog(tmp_path, 0)) as log:
        log.add(replace(FIRST, val_loss=None, val_accuracy=None))
    assert set(scalars(tmp_path)) == {"learning_rate", "loss", "accuracy"}


def test_numbers_of_any_size_and_names_of_any_letters(tmp_path: Path) -> None:
    events = Events(tmp_path, 0)
    values = {1: 0.0, 127: -1.5, 128: 1e-30, 2**40: float("inf")}
    for step, value in values.items():
        events.add(step, {"größe": value})
    events.close()
    found = dict(scalars(tmp_path)["größe"])
    assert found == pytest.approx(values)


def test_what_was_lost_is_forgotten_and_nothing_is_shown_twice(tmp_path: Path) -> None:
    """Killed after the third epoch was told and before its state was kept; it goes on from the
    second with other figures, and is killed while it writes."""
    with closing(TrainingLog(tmp_path, 0)) as log:
        for epoch in EPOCHS[:3]:
            log.add(epoch)
    with closing(TrainingLog(tmp_path, 20)) as log:
        assert log.epochs == list(EPOCHS[:2])
        log.add(replace(EPOCHS[2], loss=7.0))
    for path in (*tmp_path.glob("events*"), tmp_path / LOG):
        with path.open("ab") as file:
            file.write(b'{"epoch": 4, "st')
    with closing(TrainingLog(tmp_path, 30)) as log:
        log.add(EPOCHS[3])
    told = [(10, 2.0), (20, 1.0), (30, 7.0), (40, 0.5)]
    assert scalars(tmp_path)["loss"] == told
    assert [(epoch.step, epoch.loss) for epoch in read_log(tmp_path / LOG)] == told


def test_a_run_that_begins_anew_shows_nothing_of_the_old_one(tmp_path: Path) -> None:
    with closing(TrainingLog(tmp_path, 0)) as log:
        for epoch in EPOCHS:
            log.add(epoch)
    with closing(TrainingLog(tmp_path, 0)) as log:
        log.add(replace(FIRST, step=5, loss=3.0))
    assert scalars(tmp_path)["loss"] == [(5, 3.0)]


def test_a_run_that_is_over_leaves_no_more_files(tmp_path: Path) -> None:
    with closing(TrainingLog(tmp_path, 0)) as log:
        log.add(FIRST)
    before = sorted(tmp_path.iterdir())
    with closing(TrainingLog(tmp_path, 10)) as log:
        assert log.epochs == [FIRST]
    assert sorted(tmp_path.iterdir()) == before


def test_every_epoch_can_be_read_as_soon_as_it_is_over(tmp_path: Path) -> None:
    with closing(TrainingLog(tmp_path, 0)) as log:
        for count, epoch in enumerate(EPOCHS, start=1):
            log.add(epoch)
            lines = (tmp_path / LOG).read_text().splitlines()
            assert [json.loads(line) for line in lines] == [asdict(e) for e in EPOCHS[:count]]
            assert len(scalars(tmp_path)["loss"]) == count
