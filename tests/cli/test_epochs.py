"""What `eyespot train` shows: a line an epoch in a pipe, a live table on a terminal."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from rich.console import Console
from typer.testing import CliRunner

from eyespot.cli.epochs import LiveTable, announcing, epoch_lines
from eyespot.cli.main import app
from eyespot.training.plan import Plan
from eyespot.training.run import train
from tests.training.test_log import EPOCHS
from tests.training.test_trainer import stripes

PLAN = Plan("lenet5", epochs=4)
RUN = tuple(
    replace(epoch, val_accuracy=right)
    for epoch, right in zip(EPOCHS, (0.5, 0.75, 0.625, 0.875), strict=True)
)


@pytest.fixture
def line(tmp_path: Path) -> list[str]:
    """The command for two epochs on sixty pictures."""
    pictures = stripes(60)
    for index, (image, label) in enumerate(zip(pictures.images, pictures.labels, strict=True)):
        folder = tmp_path / "photos" / pictures.classes[label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[:, :, 0]).save(folder / f"{index}.png")
    (tmp_path / "photos" / "lying" / "broken.png").write_bytes(b"no picture")
    return [
        *("train", str(tmp_path / "photos"), "--model", "lenet5", "--epochs", "2"),
        *("--batch-size", "20", "--lr", "0.01", "-o", str(tmp_path / "out")),
    ]


def drawn(table: LiveTable) -> str:
    console = Console(file=io.StringIO(), width=100, height=table.console.height)
    console.print(table.draw())
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_lines_come_as_the_epochs_do(capsys: pytest.CaptureFixture[str]) -> None:
    lines = epoch_lines()
    lines.watch([])
    assert capsys.readouterr().out == ""
    lines.watch(RUN[:2])  # a run that goes on
    first = capsys.readouterr().out.splitlines()
    assert first[0].split("  ")[0] == "Epoch"
    assert [text.split()[0] for text in first[1:]] == ["1", "2"]
    lines.watch(RUN[:3])
    (third,) = capsys.readouterr().out.splitlines()
    assert third.split() == ["3", "0.1", "0.6667", "25.00%", "1.5000", "62.50%", "1.0"]
    lines.watch(RUN)
    assert capsys.readouterr().out.rstrip().endswith("best so far")


def test_the_table_marks_the_best_and_forgets_no_row_in_the_end() -> None:
    table = LiveTable(PLAN, Console(file=io.StringIO(), width=100, height=8))
    table.watch(RUN[:3])
    table.step("Training", 31, 40)
    rows = [text.split() for text in drawn(table).splitlines()]
    # Two rows have room: the last two, of which the second epoch is the best.
    assert [row[0] for row in rows] == ["Epoch", "2", "3", "Epoch"]
    assert rows[1][-1] == "best"
    assert rows[3][1] == "4/4"
    assert rows[3][3] == "1/10"
    table.watch([*RUN[:3], replace(RUN[3], val_accuracy=0.1)])
    assert [text.split()[0] for text in drawn(table).splitlines()] == [
        "Epoch",
        "2",
        "3",
        "4",
        "Epoch",
    ]
    table.now = None
    assert [text.split()[0] for text in drawn(table).splitlines()] == ["Epoch", "1", "2", "3", "4"]


def test_both_say_where_a_run_stopped_early(capsys: pytest.CaptureFixture[str]) -> None:
    ended = [*RUN[:2], replace(RUN[2], stopped_early=True)]
    epoch_lines().watch(ended)
    assert capsys.readouterr().out.rstrip().endswith("stopped early")
    table = LiveTable(PLAN, Console(file=io.StringIO(), width=100, height=24))
    table.watch(ended)
    assert drawn(table).rstrip().endswith("stopped early")


def test_the_bar_says_how_fast_and_how_long() -> None:
    now = 0.0
    table = LiveTable(PLAN, Console(file=io.StringIO(), width=120, height=24))
    table.bars.get_time = lambda: now
    table.watch(RUN[:2])
    for done in (25, 26, 27):  # it went on within the third epoch
        table.step("Training", done, 40)
        table.draw()
        now += 0.5
    bar = drawn(table).splitlines()[-1]
    assert bar.startswith("Epoch 3/4")
    assert "7/10" in bar
    # 2 steps a second of 10 pictures, and 13 more of them.
    assert "2.0 steps/s 20 photos/s 0:00:06 left" in bar


def test_what_is_not_training_has_a_bar_too() -> None:
    table = LiveTable(PLAN, Console(file=io.StringIO(), width=100, height=24))
    table.step("Reading", 3, 60)
    assert drawn(table).split()[0] == "Reading"
    assert "3/60" in drawn(table)


def test_in_a_pipe_there_are_lines_and_the_page(line: list[str], tmp_path: Path) -> None:
    done = CliRunner().invoke(app, line)
    assert done.exit_code == 0, done.output
    rows = done.stdout.splitlines()
    assert [row.split()[0] for row in rows[:3]] == ["Epoch", "1", "2"]
    page = tmp_path / "out" / "report.html"
    assert str(page) in done.stdout
    assert "broken.png" in page.read_text()
    assert "\x1b" not in done.stdout
    again = CliRunner().invoke(app, line)
    assert again.stdout.splitlines()[:3] == rows[:3]
    assert again.stderr.splitlines()[1:] == ["This run is complete: there is nothing to train."]


def test_a_rate_that_only_rises_is_told(line: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def said(warmup: str, rank: str) -> str:
        monkeypatch.setenv("RANK", rank)
        return CliRunner().invoke(app, [*line, "--warmup", warmup, "--check"]).stderr

    monkeypatch.setattr("eyespot.cli.train.check_plan", lambda *_: None)
    assert "--warmup 2 takes all of the run (2 epochs)" in said("2", "0")
    assert said("2", "1") == ""
    assert said("1.5", "0") == ""


def test_json_is_all_there_is(line: list[str], tmp_path: Path) -> None:
    done = CliRunner().invoke(app, [*line, "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert [epoch["epoch"] for epoch in found["epochs"]] == [1, 2]
    assert found["report"] == str(tmp_path / "out" / "report.html")


def test_ctrl_c_leaves_the_page_of_what_was_done(
    line: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*args: object, progress: object, **options: object) -> object:
        def step(stage: str, done: int, total: int) -> None:
            if done == 4:  # of the second epoch
                raise KeyboardInterrupt

        return train(*args, progress=step, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("eyespot.tasks.classification.train.train", interrupted)
    done = CliRunner().invoke(app, line)
    assert done.exit_code == 130
    text = (tmp_path / "out" / "report.html").read_text()
    assert "1 of 2 epochs" in text
    assert "Report" in done.stderr
    assert "Resuming" not in done.stderr
    assert [row.split()[0] for row in done.stdout.splitlines()] == ["Epoch", "1"]
    monkeypatch.undo()
    again = CliRunner().invoke(app, line)
    assert again.stderr.splitlines()[1:] == ["Resuming in epoch 2 of 2, after step 3 of 6."]
    assert [row.split()[0] for row in again.stdout.splitlines()[:3]] == ["Epoch", "1", "2"]


def test_what_makes_it_wait_is_told_once() -> None:
    told: list[str] = []
    steps: list[tuple[str, int]] = []
    step = announcing(PLAN, lambda stage, done, total: steps.append((stage, done)), told.append)
    for stage, done, total in (
        ("Reading", 1, 1),
        ("Training", 0, 40),
        ("Compiling", 0, 1),
        ("Compiling", 1, 1),
        ("Training", 1, 40),
        ("Training", 40, 40),
    ):
        step(stage, done, total)
    assert told == ["Compiling the network; the first steps take a minute or more."]
    assert [done for stage, done in steps if stage == "Training"] == [0, 1, 40]


def test_a_terminal_tells_it_above_the_table() -> None:
    table = LiveTable(PLAN, Console(file=io.StringIO(), width=100, height=24))
    step = announcing(PLAN, table.step, table.console.print)
    step("Training", 20, 40)
    table.watch(RUN[:2])
    assert drawn(table).splitlines()[-1].split()[:2] == ["Epoch", "2/4"]
    assert isinstance(table.console.file, io.StringIO)
    said = table.console.file.getvalue()
    assert said == "Resuming in epoch 3 of 4, after step 20 of 40.\n"


def test_the_bar_stands_at_the_first_epoch_before_its_first_step() -> None:
    table = LiveTable(PLAN, Console(file=io.StringIO(), width=100, height=24))
    table.step("Training", 0, 40)
    assert drawn(table).split()[:2] == ["Epoch", "1/4"]
    assert "0/10" in drawn(table)
