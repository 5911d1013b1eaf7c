"""Work does not end because nobody reads, and exit codes tell of the work."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from eyespot.cli import streams
from tests.faults.photos import write_photos

posix = pytest.mark.skipif(os.name != "posix", reason="closes file descriptors by number")
LINE = [sys.executable, "-m", "eyespot"]
TRAIN = ("--model", "lenet5", "--epochs", "3", "--held-out", "0")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_photos(tmp_path_factory.mktemp("read") / "photos", 4, ("brick", "grass"))


def unread(*arguments: object, lines: int, errors_too: bool = False) -> int:
    """The exit code of a verb whose reader goes after so many lines."""
    process = subprocess.Popen(
        [*LINE, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if errors_too else subprocess.DEVNULL,
    )
    assert process.stdout is not None
    for _ in range(lines):
        assert process.stdout.readline()
    process.stdout.close()
    return process.wait()


def closed(*arguments: object, streams: tuple[int, ...] = (0, 1, 2)) -> int:
    """The exit code of a verb that begins without these streams."""

    def close() -> None:
        for number in streams:
            os.close(number)

    return subprocess.run([*LINE, *map(str, arguments)], preexec_fn=close, check=False).returncode


@pytest.mark.parametrize("errors_too", [pytest.param(True, marks=pytest.mark.slow), False])
def test_training_goes_on_without_its_reader(
    errors_too: bool, photos: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "net"
    code = unread("train", photos, *TRAIN, "-o", folder, lines=2, errors_too=errors_too)
    assert code == 0
    assert len((folder / "log.jsonl").read_text().splitlines()) == 3
    assert (folder / "classifier.eyespot").exists()


@pytest.mark.slow
def test_other_work_goes_on_as_well(photos: Path, tmp_path: Path) -> None:
    model, table = tmp_path / "m.eyespot", tmp_path / "f.parquet"
    tuned = ("--model", "lenet5", "--epochs", "1", "--trials", "3", "-o", tmp_path / "search")
    assert unread("tune", photos, *tuned, lines=2) == 0
    again = subprocess.run([*LINE, "tune", photos, *tuned], capture_output=True, check=True)
    assert len([x for x in again.stdout.splitlines() if x.strip()[:1].isdigit()]) == 3
    assert unread("teach", photos, "-o", model, "--budget", 0, lines=0, errors_too=True) == 0
    assert unread("embed", photos, "-o", table, lines=0, errors_too=True) == 0
    assert unread("evaluate", photos, "-m", model, lines=1) == 0
    answers = ("--csv", tmp_path / "a.csv", "--json")
    assert unread("predict", photos, "-m", model, *answers, lines=0, errors_too=True) == 0
    assert unread("export", model, "--to", "torch", lines=0, errors_too=True) == 0
    made = (model, table, tmp_path / "a.csv", model.with_suffix(".pt2"))
    assert [path.name for path in made if not path.exists()] == []
    assert len(made[2].read_text().splitlines()) == 9


@pytest.mark.slow
def test_what_is_only_printed_ends_well(photos: Path) -> None:
    assert unread("--help", lines=0) == 0
    assert unread("graph", "(1 + 2) * 3", "--json", lines=0) == 0
    assert unread("predict", photos, lines=1) == 0


def test_what_fails_says_so_also_to_nobody(tmp_path: Path) -> None:
    assert unread("predict", tmp_path / "none.jpg", lines=0, errors_too=True) != 0
    assert unread("teach", lines=0, errors_too=True) == 2


@posix
@pytest.mark.parametrize(
    "which", [*(pytest.param((n,), marks=pytest.mark.slow) for n in range(3)), (0, 1, 2)]
)
def test_streams_that_are_closed_from_the_beginning(which: tuple[int, ...]) -> None:
    assert closed("--help", streams=which) == 0
    assert closed("teach", streams=which) == 2
    assert closed("graph", "(1 + 2) * 3", streams=which) == 0


@posix
@pytest.mark.slow
def test_work_with_all_streams_closed(photos: Path, tmp_path: Path) -> None:
    """Files that are opened do not get the streams' numbers, and nothing is printed into them."""
    assert closed("train", photos, *TRAIN, "-o", tmp_path / "net") == 0
    assert closed("teach", photos, "-o", tmp_path / "m.eyespot", "--budget", 0) == 0
    assert closed("predict", photos, "-m", tmp_path / "m.eyespot", "--csv", tmp_path / "a.csv") == 0
    assert len((tmp_path / "a.csv").read_text().splitlines()) == 9


def test_python_without_streams() -> None:
    """As pythonw begins; its verbs ask streams whether they are terminals."""
    code = """
import sys
sys.stdin = sys.stdout = sys.stderr = None
sys.argv = ["eyespot", "graph", "(1 + 2) * 3"]
from eyespot.__main__ import main
main()
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@posix
def test_a_result_that_goes_into_a_pipe_nobody_reads_is_lost(photos: Path) -> None:
    """Unlike what is said of it, and the exit code tells."""
    reader, writer = os.pipe()
    os.close(reader)
    line = [*LINE, "explain", "filters", "efficientnet_lite0", "-o", f"/dev/fd/{writer}"]
    done = subprocess.run(line, pass_fds=[writer], capture_output=True, text=True, check=False)
    os.close(writer)
    assert done.returncode == 1
    assert "Broken pipe" in done.stderr


@posix
def test_a_reader_that_goes_is_no_full_disk(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with streams.Patient(writer, "w") as pipe:
        assert pipe.write(b"abc") == 3
        assert pipe.gone
        assert pipe.write(b"more") == 4
    if Path("/dev/full").exists():
        full = streams.Patient("/dev/full", "w")
        with pytest.raises(OSError, match="No space"):
            full.write(b"abc")
        full.close()
