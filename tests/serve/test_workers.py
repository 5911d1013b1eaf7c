"""Several processes at one address: none takes the others with it, and none is left behind.

What they do here is as little as a process can do; `test_server.py` has the whole server.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from eyespot.serve import workers
from eyespot.serve.settings import Settings
from eyespot.web.listening import listen
from tests.serve import worker
from tests.serve.conftest import PATIENCE

REPOSITORY = Path(__file__).parents[2]
PROGRAM = f"""
import os, signal, sys, threading, types
sys.path.insert(0, {str(REPOSITORY)!r})
from pathlib import Path
from eyespot.serve import workers
from eyespot.serve.logs import write_json_lines
from eyespot.serve.settings import Settings
from eyespot.web.listening import listen
from tests.serve import worker

if __name__ == "__main__":
    write_json_lines()
    workers.PAUSE = 0.01
    code = workers.Workers(
        getattr(worker, sys.argv[1]),
        2,
        Settings((Path(sys.argv[2]),)),
        listen("127.0.0.1", 0),
        lambda: print("all answer", flush=True),
    ).run()
    sys.exit(code)
"""


class Group:
    """A process that looks after two workers, each of which writes its id into a folder."""

    def __init__(self, process: "subprocess.Popen[str]", folder: Path, log: Any) -> None:
        self.process, self.folder, self.log = process, folder, log

    def workers(self) -> list[int]:
        """Ids of all that ever answered."""
        return [int(path.name) for path in self.folder.iterdir() if path.name.isdigit()]

    def wait_until_they_answer(self) -> list[int]:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "all answer\n"
        return self.workers()

    def end(self) -> tuple[int, list[dict[str, Any]]]:
        """Exit code, and the log, each line of which is JSON."""
        code = self.process.wait(PATIENCE)
        self.log.seek(0)
        return code, [json.loads(line) for line in self.log]


@contextmanager
def group(work: str, folder: Path) -> Iterator[Group]:
    program = folder / "program.py"
    program.write_text(PROGRAM)
    (folder / "place").mkdir()
    for name in ("types", "socket", "struct", "signal"):  # a stranger's, in the current folder
        (folder / "place" / f"{name}.py").write_text("raise SystemExit('a stranger ran')")
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(
            [sys.executable, program, work, folder],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=folder / "place",
        ) as process,
    ):
        try:
            yield Group(process, folder, log)
        finally:
            process.kill()


def wait_for(condition: Any) -> None:
    while not condition():
        os.sched_yield()


def is_gone(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().split()[2] == "Z"
    except OSError:
        return True


def test_told_to_end_they_end(tmp_path: Path) -> None:
    with group("answer", tmp_path) as asked:
        ids = asked.wait_until_they_answer()
        asked.process.terminate()
        code, log = asked.end()
    assert code == 0
    assert [line["event"] for line in log] == ["stopping"]
    assert len(ids) == 2
    assert all(map(is_gone, ids))


def test_one_that_dies_is_replaced_and_the_other_goes_on(tmp_path: Path) -> None:
    with group("answer", tmp_path) as asked:
        first, second = asked.wait_until_they_answer()
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: len(asked.workers()) == 3)
        assert not is_gone(second)
        asked.process.terminate()
        code, log = asked.end()
    assert code == 0
    assert [line["event"] for line in log] == ["worker died", "stopping"]
    assert (log[0]["pid"], log[0]["exit_code"]) == (first, -signal.SIGKILL)


def test_one_that_cannot_be_replaced_does_not_end_the_other(tmp_path: Path) -> None:
    with group("answer_unless_damaged", tmp_path) as asked:
        first, second = asked.wait_until_they_answer()
        damage = tmp_path / "damaged"
        damage.touch()
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: (tmp_path / "tried").exists())
        assert not is_gone(second)
        damage.unlink()
        wait_for(lambda: len(asked.workers()) == 3)
        assert not is_gone(second)
        asked.process.terminate()
        code, log = asked.end()
    assert code == 0
    assert {line["event"] for line in log} == {"worker died", "cannot serve", "stopping"}


def test_when_none_is_left_the_exit_code_says_so(tmp_path: Path) -> None:
    with group("answer_unless_damaged", tmp_path) as asked:
        ids = asked.wait_until_they_answer()
        (tmp_path / "damaged").touch()
        for one in ids:
            os.kill(one, signal.SIGKILL)
        code, log = asked.end()
    assert code == 1
    assert "workers failed to start" in [line["event"] for line in log]


@pytest.mark.parametrize("work", ["fail", "refuse"])
def test_workers_that_do_not_come_up(tmp_path: Path, work: str) -> None:
    with group(work, tmp_path) as asked:
        code, log = asked.end()
        assert asked.process.stdout is not None
        assert asked.process.stdout.read() == ""
    assert code == 1
    assert "no disk" in json.dumps(log)
    assert "workers failed to start" in [line["event"] for line in log]


def test_a_machine_that_starts_no_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(*arguments: Any) -> None:
        raise OSError("no memory")

    monkeypatch.setattr(workers, "_Worker", fail)
    with listen("127.0.0.1", 0) as listener:
        asked = workers.Workers(
            worker.answer, 2, Settings((tmp_path,)), listener, lambda: pytest.fail("none answers")
        )
        assert not asked._fill()
        asked._workers.append(None)  # type: ignore[arg-type]
        assert asked._fill()  # the other one goes on


def test_workers_end_with_their_parent(tmp_path: Path) -> None:
    with group("answer", tmp_path) as asked:
        ids = asked.wait_until_they_answer()
        metrics = Path((tmp_path / "metrics").read_text())
        assert metrics.is_dir()
        asked.process.kill()
        wait_for(lambda: all(map(is_gone, ids)))
        assert not metrics.exists()


def test_nobody_is_accepted_while_they_end(tmp_path: Path) -> None:
    with group("answer_slowly", tmp_path) as asked:
        asked.wait_until_they_answer()
        port = int((tmp_path / "port").read_text())
        asked.process.terminate()
        wait_for(lambda: not is_open(port))
        assert asked.process.poll() is None  # they still answer what was accepted
        (tmp_path / "go").touch()
        assert asked.end()[0] == 0


def is_open(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


def test_listening_is_not_shared_with_what_is_started_besides() -> None:
    with listen("127.0.0.1", 0) as listener:
        assert not listener.get_inheritable()
