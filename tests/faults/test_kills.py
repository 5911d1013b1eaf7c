"""Ctrl-C and kills at any moment: nothing half done stays, and what was computed is kept."""

import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
import time
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

import eyespot
import eyespot.cli
from eyespot.atomic import _nameless
from eyespot.features import extract
from eyespot.features.cache import FeatureCache
from eyespot.tasks.task import load
from tests.faults.photos import teach, write_photos

PHOTOS = 60
MOMENTS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Of the time that a whole run takes."""
QUICK = {(0.8, signal.SIGKILL)}


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_photos(tmp_path_factory.mktemp("photos"), PHOTOS // 3)


@pytest.fixture(scope="module")
def duration(
    photos: Path, converted_networks: Path, tmp_path_factory: pytest.TempPathFactory
) -> float:
    """Seconds that a run takes which finds no features, but the network converted."""
    folder = tmp_path_factory.mktemp("measured")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("first", "measured"):
            cache = folder / name
            cache.mkdir()
            (cache / "networks").symlink_to(converted_networks, target_is_directory=True)
            patch.setenv("EYESPOT_CACHE", str(cache))
            begin = time.monotonic()
            process = teach(photos, folder / f"{name}.eyespot")
            _, errors = process.communicate(timeout=300)
            assert process.returncode == 0, errors
    return time.monotonic() - begin


def stop(process: subprocess.Popen[str], seconds: float, how: signal.Signals) -> str:
    """Send a signal after so many seconds; what the process wrote to standard error."""
    time.sleep(seconds)
    process.send_signal(how)
    return process.communicate(timeout=600)[1]


def nameless_files(folder: Path) -> bool:
    """Whether drafts can do without a name, so that a kill leaves none behind."""
    draft = _nameless(folder / "x")
    if draft is None:
        return False
    os.close(draft[1])
    return True


def check_kill(photos: Path, folder: Path, seconds: float, how: signal.Signals) -> None:
    """Stop a run, and look at what is there afterwards."""
    output = folder / "m.eyespot"
    process = teach(photos, output)
    errors = stop(process, seconds, how)
    assert "Traceback" not in errors
    if how is signal.SIGINT:
        # Done before the signal came, our own exit, or (the same 130 to a shell) the signal's.
        assert process.returncode in (0, 130, -signal.SIGINT)
    left = {path.name for path in folder.iterdir()}
    if not nameless_files(folder):  # within the milliseconds of writing, nobody tidies up
        left = {name for name in left if not name.endswith(".part")}
    if output.exists():
        assert load(output).classes == ("brick", "grass", "gravel")
    page = output.with_suffix(".report.html")
    if page.exists():
        assert page.read_text("utf-8").rstrip().endswith("</html>")
    assert left <= {"m.eyespot", "m.report.html"}
    assert "m.eyespot" in left or "m.report.html" not in left


def check_next_run(photos: Path, patch: pytest.MonkeyPatch) -> None:
    """It computes what is not in the cache, and nothing else."""
    cache = FeatureCache()
    kept = cache.info().photos
    cache.close()
    computed: list[int] = []
    embed = extract._embed

    def counted(contents: list[extract._Content], *rest: object) -> list[extract.Embedded]:
        computed.append(len(contents))
        return embed(contents, *rest)  # type: ignore[arg-type]

    with patch.context() as during:
        during.setattr(extract, "_embed", counted)
        result = eyespot.teach(photos, budget=0)
    assert result.evaluation.count == PHOTOS
    assert sum(computed) == PHOTOS - kept


@pytest.mark.parametrize(
    ("moment", "how"),
    [
        pytest.param(moment, how, marks=() if (moment, how) in QUICK else pytest.mark.slow)
        for moment in MOMENTS
        for how in (signal.SIGINT, signal.SIGKILL)
    ],
)
def test_stopped_at_some_moment(
    moment: float,
    how: signal.Signals,
    photos: Path,
    duration: float,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    check_kill(photos, tmp_path, moment * duration, how)
    check_next_run(photos, monkeypatch)


def test_after_ctrl_c_the_same_command_goes_on(
    photos: Path, duration: float, tmp_path: Path
) -> None:
    """The message promises it; and a run that finds all features gives the same answers."""
    stop(teach(photos, tmp_path / "m.eyespot"), 0.8 * duration, signal.SIGINT)
    process = teach(photos, tmp_path / "m.eyespot", "--json")
    found, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors
    assert json.loads(found)["photos"] == PHOTOS
    assert {path.name for path in tmp_path.iterdir()} == {"m.eyespot", "m.report.html"}


class Interrupted(MetaPathFinder):
    """Ctrl-C comes while a module of the given name is imported."""

    def __init__(self, name: str) -> None:
        self.name = name

    def find_spec(
        self, fullname: str, path: object, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == self.name:
            raise KeyboardInterrupt
        return None


def left_with() -> object:
    """The exit code of the command, which gets Ctrl-C as in a terminal."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "_exit", sys.exit)
        try:
            with pytest.raises(SystemExit) as stopped:
                runpy.run_module("eyespot", run_name="__main__")
        finally:
            signal.signal(signal.SIGINT, before)
    return stopped.value.code


@pytest.mark.parametrize("module", ["eyespot.cli.main", "eyespot.cli.show"])
def test_ctrl_c_while_it_loads_is_no_traceback(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eyespot, "cli", eyespot.cli)  # to have it back after it is imported anew
    for name in [name for name in sys.modules if name.startswith("eyespot.cli")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Interrupted(module), *sys.meta_path])
    assert left_with() == 130


def test_ctrl_c_waits_for_what_is_being_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Extensions in C++ would abort."""
    lines = "import os, signal", "os.kill(os.getpid(), signal.SIGINT)", "whole = True"
    (tmp_path / "large_library.py").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(tmp_path)

    def run() -> None:
        assert importlib.import_module("large_library").whole
        while True:  # it may have come a moment ago, when a single pause would never end
            time.sleep(0.1)

    monkeypatch.setitem(sys.modules, "eyespot.cli.main", SimpleNamespace(main=run))
    assert left_with() == 130


@pytest.mark.parametrize(
    ("fault", "said", "code"),
    [
        ("os.kill(os.getpid(), signal.SIGINT)", "Interrupted", 130),
        ("raise MemoryError", "not enough memory", 1),
        ("raise RuntimeError('core.cpp: can\\'t alloc')", "not enough memory", 1),
        ("raise ImportError('x.so: failed to map segment')", "not enough memory", 1),
    ],
)
def test_what_libraries_make_of_it(
    fault: str,
    said: str,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Ctrl-C may come out of one as any error, and so may a lack of memory."""

    def run() -> None:
        try:
            exec(fault)
            signal.pause()
        except KeyboardInterrupt as error:
            raise AssertionError from error

    monkeypatch.setitem(sys.modules, "eyespot.cli.main", SimpleNamespace(main=run))
    assert left_with() == code
    heard = capfd.readouterr().err
    assert heard.startswith("eyespot: ")
    assert said in heard


KILLED_WHILE_WRITING = """
import os, signal, sys
from pathlib import Path
from eyespot.atomic import atomic_writer
with atomic_writer(Path(sys.argv[1])) as file:
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), getattr(signal, sys.argv[2]))
    signal.pause()
"""


@pytest.mark.parametrize("how", ["SIGKILL", "SIGTERM", "SIGINT"])
def test_killed_while_writing_the_old_file_stays(how: str, tmp_path: Path) -> None:
    path = tmp_path / "m.eyespot"
    path.write_bytes(b"old")
    done = subprocess.run(
        [sys.executable, "-c", KILLED_WHILE_WRITING, str(path), how],
        capture_output=True,
        check=False,
    )
    assert done.returncode == -getattr(signal, how)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.glob("*.eyespot")) == [path]  # a draft does not pass for a classifier
    if how == "SIGINT" or nameless_files(tmp_path):
        assert list(tmp_path.iterdir()) == [path]


@pytest.mark.slow
def test_two_at_once_on_one_cache(photos: Path, duration: float, tmp_path: Path) -> None:
    both = [teach(photos, tmp_path / f"{name}.eyespot", "--json") for name in ("one", "two")]
    for process in both:
        found, errors = process.communicate(timeout=600)
        assert process.returncode == 0, errors
        assert errors == ""
        assert json.loads(found)["photos"] == PHOTOS
    assert load(tmp_path / "one.eyespot").classes == load(tmp_path / "two.eyespot").classes
    cache = FeatureCache()
    assert cache.info().photos == PHOTOS
    cache.close()


@pytest.mark.slow
def test_two_at_once_on_one_output(photos: Path, duration: float, tmp_path: Path) -> None:
    """The last one wins, and its file is whole."""
    for process in [teach(photos, tmp_path / "m.eyespot") for _ in range(2)]:
        _, errors = process.communicate(timeout=600)
        assert process.returncode == 0, errors
    assert load(tmp_path / "m.eyespot").training_photos is not None
    assert sorted(os.listdir(tmp_path)) == ["m.eyespot", "m.report.html"]  # noqa: PTH208
