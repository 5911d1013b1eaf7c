"""Each long verb is stopped at random moments: what is there is whole, what was done is kept, and
the same command ends where one that nobody stopped ends."""

import json
import logging
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load_file

from eyespot.features.cache import FeatureCache
from eyespot.tasks.task import load
from tests.abuse.commands import HANG, changed, check_end, eyespot
from tests.faults.photos import write_photos

logger = logging.getLogger(__name__)
KILLS = 50
PHOTOS = 36
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
NETWORK = ("--model", "lenet5", "--batch-size", 8, "--precision", "fp32")


@dataclass(frozen=True)
class World:
    """Where one verb works: `out` is all that it may write, besides the cache."""

    photos: Path
    model: Path
    out: Path
    cache: Path

    @property
    def environment(self) -> dict[str, str]:
        return {"EYESPOT_CACHE": str(self.cache)}


@dataclass(frozen=True)
class Verb:
    """`done`: how far the work is, which no stop may set back. `result`: what came of it.
    `check`: that what lies in `out` is whole. `meanwhile`: beginnings of what else
    may lie there after a stop."""

    arguments: Callable[[World], tuple[object, ...]]
    result: Callable[[World, str], Any]
    check: Callable[[World], None]
    done: Callable[[World], int]
    meanwhile: tuple[str, ...] = ()


def cached(world: World) -> int:
    path = world.cache / "features.sqlite3"
    if not path.exists():
        return 0
    cache = FeatureCache(path)
    try:
        return cache.info().photos
    finally:
        cache.close()


def said(world: World, output: str) -> Any:
    """What `--json` said, without what differs from run to run."""
    answer = json.loads(output)
    keys = ("classes", "photos", "count", "top1", "confusion", "ece", "train_photos", "validated")
    return {key: answer[key] for key in keys if key in answer}


def nothing(world: World) -> None:
    assert not list(world.out.iterdir())


def check_taught(world: World) -> None:
    if (path := world.out / "m.eyespot").exists():
        assert load(path).training_photos is not None
    check_page(world.out / "m.report.html")


def check_page(path: Path) -> None:
    assert not path.exists() or path.read_text("utf-8").rstrip().endswith("</html>")


def rows(world: World) -> Any:
    table = pq.read_table(world.out / "f.parquet").to_pylist()
    return sorted((row["path"], row["sha256"]) for row in table)


def check_rows(world: World) -> None:
    if (world.out / "f.parquet").exists():
        assert len(rows(world)) == PHOTOS


def check_trained(world: World) -> None:
    if (path := world.out / "classifier.eyespot").exists():
        load(path)
    for path in world.out.glob("*.safetensors"):
        load_file(path)
    check_page(world.out / "report.html")


def weights(world: World, output: str) -> Any:
    trained = load_file(world.out / "network.safetensors")
    return {name: values.astype(float).round(3).tolist() for name, values in trained.items()}


def kept_states(world: World) -> int:
    """Files of weights: once a state of the training is kept, there always is one."""
    return sum(1 for path in world.out.glob("*.safetensors"))


def trials(world: World) -> int:
    if not (path := world.out / "study.db").exists():
        return 0
    with sqlite3.connect(path, timeout=60) as database:
        try:
            found = database.execute("SELECT count(*) FROM trials WHERE state = 'COMPLETE'")
            return int(found.fetchone()[0])
        except sqlite3.OperationalError:  # the table is not there yet
            return 0


def check_study(world: World) -> None:
    if (path := world.out / "study.db").exists():
        with sqlite3.connect(path, timeout=60) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def tried(world: World, output: str) -> Any:
    found = json.loads(output)["trials"]
    return [(t["settings"], t["epochs"], round(t["accuracy"], 2)) for t in found]


VERBS = {
    "teach": Verb(
        lambda w: ("teach", w.photos, "-o", w.out / "m.eyespot", "--budget", 1, "--json"),
        said,
        check_taught,
        cached,
    ),
    "evaluate": Verb(
        lambda w: ("evaluate", w.photos, "-m", w.model, "--json"), said, nothing, cached
    ),
    "embed": Verb(
        lambda w: ("embed", w.photos, "-o", w.out / "f.parquet"),
        lambda w, _: rows(w),
        check_rows,
        cached,
    ),
    "train": Verb(
        lambda w: ("train", w.photos, "-o", w.out, *NETWORK, "--epochs", 4, "--every", 2),
        weights,
        check_trained,
        kept_states,
        ("events.out.tfevents",),  # a file a run, by its second
    ),
    "tune": Verb(
        lambda w: ("tune", w.photos, "-o", w.out, *NETWORK, "--epochs", 2, "--trials", 4, "--json"),
        tried,
        check_study,
        trials,
        ("trial",),
    ),
}


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_photos(tmp_path_factory.mktemp("photos"), PHOTOS // 3)


@pytest.fixture(scope="module")
def worlds(
    photos: Path, converted_networks: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], World]:
    """A new world, with an empty cache and nothing written."""
    model = tmp_path_factory.mktemp("model") / "m.eyespot"

    def new() -> World:
        cache = tmp_path_factory.mktemp("cache")
        (cache / "networks").symlink_to(converted_networks, target_is_directory=True)
        return World(photos, model, tmp_path_factory.mktemp("out"), cache)

    taught = new()
    arguments = ("teach", photos, "-o", taught.model, "--budget", 0)
    assert eyespot(*arguments, environment=taught.environment).returncode == 0
    return new


def stopped(verb: Verb, world: World, seconds: float, how: signal.Signals) -> int:
    """Start the verb and stop it after so many seconds; its exit code."""
    process = subprocess.Popen(
        [sys.executable, "-m", "eyespot", *map(str, verb.arguments(world))],
        env=changed(world.environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(seconds)
    process.send_signal(how)
    errors = process.communicate(timeout=HANG)[1]
    if "KeyboardInterrupt" in errors and "src/eyespot" not in errors:
        return process.returncode  # Python itself was still starting, no line of ours had run
    if process.returncode >= 0:
        check_end(process.returncode, errors, (0, 130))
    else:
        assert process.returncode == -how
    return process.returncode


@pytest.mark.slow
@pytest.mark.parametrize("name", VERBS)
def test_stopped_at_random_moments(name: str, worlds: Callable[[], World]) -> None:
    verb, reference, chance = VERBS[name], worlds(), random.Random(name)
    begin = time.monotonic()
    whole = eyespot(*verb.arguments(reference), environment=reference.environment)
    duration = time.monotonic() - begin
    assert whole.returncode == 0, whole.stderr
    expected = verb.result(reference, whole.stdout)
    files = (*(path.name for path in reference.out.iterdir()), *verb.meanwhile)

    world, done, codes = worlds(), 0, []
    for _ in range(KILLS):
        code = stopped(verb, world, chance.uniform(0.05, 1) * duration, chance.choice(SIGNALS))
        codes.append(code)
        verb.check(world)
        left = {path.name for path in world.out.iterdir()}
        assert not [n for n in left if not n.endswith(".part") and not n.startswith(files)]
        now = verb.done(world)
        assert now >= done  # nothing that was done is lost
        done = now
        if code == 0:
            world, done = worlds(), 0  # it was faster than the signal: again from the start
    last = eyespot(*verb.arguments(world), environment=world.environment)
    assert last.returncode == 0, last.stderr
    assert verb.result(world, last.stdout) == expected
    verb.check(world)
    logger.info("%s: stopped %d times, %d of them too late", name, KILLS, codes.count(0))
