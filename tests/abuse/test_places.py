"""Homes, caches and disks that cannot be written, and machines with hardly anything to spare.

Everything a command may write to is one folder of its own: whatever else changes is a fault.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from eyespot.tasks.task import load
from tests.abuse.commands import changed, check_end, eyespot
from tests.faults.photos import write_photos

linux = pytest.mark.skipif(sys.platform != "linux", reason="uses what Linux has")
needs_root = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("unshare"),
    reason="mounting needs root and unshare",
)
ROOM = 1_200_000_000
"""Bytes of memory, beyond libraries mapped from files, that predicting and teaching get along
with."""


@dataclass(frozen=True)
class World:
    """`home` and `out` are all that a command is told of, besides what it reads."""

    home: Path
    out: Path
    photos: Path
    model: Path

    def environment(self) -> dict[str, str | None]:
        """A home as others have it: nothing is said of eyespot's own folders, or of threads."""
        own = dict.fromkeys(
            ("EYESPOT_CACHE", "EYESPOT_WEIGHTS", "EYESPOT_PROJECTS", "OMP_NUM_THREADS")
        )
        xdg = dict.fromkeys(("XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"))
        return {**own, **xdg, "HOME": str(self.home), "TMPDIR": str(self.out / "tmp")}


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Photos, and a classifier of them."""
    folder = tmp_path_factory.mktemp("taught")
    photos = write_photos(folder / "photos", 4, ("brick", "grass"))
    arguments = ("teach", photos, "-o", folder / "m.eyespot", "--budget", 0)
    assert eyespot(*arguments).returncode == 0
    return photos, folder / "m.eyespot"


@pytest.fixture
def world(taught: tuple[Path, Path], converted_networks: Path) -> Iterator[World]:
    """Outside of pytest's folders, which nobody but their owner may enter; the home already has
    the converted network."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    networks = folder / "home" / ".cache" / "eyespot" / "networks"
    shutil.copytree(converted_networks, networks)
    (folder / "out" / "tmp").mkdir(parents=True)
    photos, model = taught
    yield World(
        folder / "home",
        folder / "out",
        shutil.copytree(photos, folder / "photos"),
        Path(shutil.copy(model, folder)),
    )
    shutil.rmtree(folder)


def verbs(world: World) -> list[tuple[object, ...]]:
    """All that read photos and write something."""
    out, net = world.out, ("--model", "lenet5", "--epochs", 1)
    return [
        ("predict", world.photos, "-m", world.model, "--csv", out / "a.csv"),
        ("predict", world.photos, "--parquet", out / "a.parquet"),
        ("evaluate", world.photos, "-m", world.model),
        ("embed", world.photos, "-o", out / "f.parquet"),
        ("teach", world.photos, "-o", out / "m.eyespot", "--budget", 0),
        ("train", world.photos, *net, "-o", out / "net"),
        ("tune", world.photos, *net, "--trials", 1, "-o", out / "search"),
        ("cache",),
    ]


def line(verb: tuple[object, ...]) -> list[str]:
    return [sys.executable, "-m", "eyespot", *map(str, verb)]


# --- nothing is written outside ------------------------------------------------------------------


@pytest.mark.slow
@needs_root
def test_nothing_is_written_outside_its_places(world: World) -> None:
    """All of the file system is read-only but the home's cache and the folder of results."""
    cache = world.home / ".cache"
    alone = (
        'mount --bind "$1" "$1" && mount --bind "$2" "$2" && mount -o remount,ro,bind / &&'
        " for m in /tmp /work /root /var; do mountpoint -q $m && mount -o remount,ro,bind $m; done;"
        ' shift 2; exec "$@"'
    )
    for verb in verbs(world):
        done = subprocess.run(
            [*("unshare", "-m", "sh", "-c", alone, "sh", str(cache), str(world.out)), *line(verb)],
            env=changed(world.environment()),
            cwd="/",
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        check_end(done.returncode, done.stderr, (0,))
    assert {path.name for path in (world.home / ".cache").iterdir()} == {"eyespot"}
    assert {path.name for path in world.home.iterdir()} == {".cache"}
    left = [path.name for path in (world.out / "tmp").iterdir()]
    assert not [name for name in left if not name.startswith("torchinductor_")]  # torch makes it


# --- homes and caches that are of no use ---------------------------------------------------------


def spoil(how: str, world: World) -> dict[str, str | None]:
    """Make the home or cache of no use; what must be in the environment for it."""
    if how == "no home":
        return {"HOME": None}
    if how == "home that is not there":
        return {"HOME": str(world.out / "nowhere" / "home")}
    if how == "home that is a file":
        return {"HOME": str(world.model)}
    if how == "cache that is a file":
        return {"EYESPOT_CACHE": str(world.model)}
    if how == "cache under a file":
        return {"EYESPOT_CACHE": str(world.model / "cache")}
    if how == "cache in /proc":  # where not even root can make a folder
        return {"EYESPOT_CACHE": "/proc/eyespot"}
    assert how == "database that is a folder"
    (world.home / ".cache" / "eyespot" / "features.sqlite3").mkdir()
    return {}


@linux
@pytest.mark.parametrize(
    "how",
    [
        "database that is a folder",
        pytest.param("cache in /proc", marks=pytest.mark.slow),
        pytest.param("no home", marks=pytest.mark.slow),
        pytest.param("home that is not there", marks=pytest.mark.slow),
        pytest.param("home that is a file", marks=pytest.mark.slow),
        pytest.param("cache that is a file", marks=pytest.mark.slow),
        pytest.param("cache under a file", marks=pytest.mark.slow),
    ],
)
def test_the_work_is_done_all_the_same(how: str, world: World) -> None:
    environment = {**world.environment(), **spoil(how, world)}
    before = world.model.read_bytes()
    chosen = verbs(world)[4:5] if how == "database that is a folder" else verbs(world)[:-1]
    for verb in chosen:
        done = eyespot(*verb, environment=environment, folder=world.out)
        assert done.returncode == 0, (verb, done.stderr)
    assert load(world.out / "m.eyespot").classes == ("brick", "grass")
    assert world.model.read_bytes() == before


def become(user: int) -> None:
    """Go on as another user, who may have no entry in passwd."""
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)


def expect_another_user(user: int) -> None:
    try:
        run = [sys.executable, "-c", ""]
        subprocess.run(run, check=True, preexec_fn=lambda: become(user))
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("another user cannot enter this environment")


@pytest.mark.slow
@needs_root
def test_a_user_without_an_account(world: World) -> None:
    """As in many containers: no HOME and no entry in passwd. Work is done, with one warning."""
    user = 54_321
    for path in (world.out, *world.out.iterdir()):
        os.chown(path, user, user)
    expect_another_user(user)
    environment = {**world.environment(), "HOME": None}
    others: list[tuple[object, ...]] = [
        ("similar", next(world.photos.rglob("*.*")), "--in", world.out / "f.parquet"),
        ("export", world.model, "--to", "openvino", "-o", world.out / "m.xml"),
    ]
    for verb in [*verbs(world)[:-1], *others]:
        done = eyespot(
            *verb, environment=environment, prepare=lambda: become(user), folder=world.out
        )
        assert done.returncode == 0, (verb, done.stderr)
        assert done.stderr.count("EYESPOT_CACHE") <= 1, (verb, done.stderr)
    assert load(world.out / "m.eyespot").classes == ("brick", "grass")


@pytest.mark.slow
@linux
@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs another user")
def test_another_user_whose_home_is_read_only(world: World) -> None:
    """Who may write nothing but the folder of results gets results there."""
    for path in (world.out, *world.out.iterdir()):
        os.chown(path, 65534, 65534)

    expect_another_user(65534)
    for verb in verbs(world)[:-1]:
        done = eyespot(
            *verb,
            environment=world.environment(),
            prepare=lambda: become(65534),
            folder=Path("/"),
        )
        assert done.returncode == 0, (verb, done.stderr)
    assert load(world.out / "m.eyespot").classes == ("brick", "grass")


# --- disks that are full --------------------------------------------------------------------------


@pytest.mark.slow
@needs_root
@pytest.mark.parametrize("room", [4, 64, 700])
def test_a_disk_that_is_full(room: int, world: World) -> None:
    """A real one, of so many kB, for the results and then for the cache: a reason or a result,
    and what was there before is as it was."""
    small = (
        'mount -t tmpfs -o size="$1"k none "$2" && shift 2; "$@"; code=$?; ls -A "$0"; exit $code'
    )
    cache = world.home / ".cache" / "eyespot"
    for place in (world.out, cache):
        for verb in verbs(world):
            done = subprocess.run(
                [
                    *("unshare", "-m", "sh", "-c", small, str(place), str(room), str(place)),
                    *line(verb),
                ],
                env=changed(world.environment()),
                capture_output=True,
                text=True,
                timeout=240,
                check=False,
            )
            works = place == cache and verb != ("cache",)  # which has nothing else to do
            check_end(done.returncode, done.stderr, (0,) if works else (0, 1, 2))
            left = [name for name in done.stdout.splitlines() if name.endswith(".part")]
            assert not left  # what parts hold is kept for the next time; drafts are not


@linux
@pytest.mark.parametrize(
    "verb",
    [
        ("predict", "PHOTOS", "-m", "MODEL", "--json"),
        pytest.param(("evaluate", "PHOTOS", "-m", "MODEL", "--json"), marks=pytest.mark.slow),
        pytest.param(("teach", "PHOTOS", "-o", "o.eyespot", "--json"), marks=pytest.mark.slow),
        pytest.param(("embed", "PHOTOS", "-o", "/dev/full"), marks=pytest.mark.slow),
        pytest.param(("teach", "PHOTOS", "-o", "/dev/full"), marks=pytest.mark.slow),
        pytest.param(("predict", "PHOTOS", "--csv", "/dev/full"), marks=pytest.mark.slow),
        pytest.param(("predict", "PHOTOS", "--parquet", "/dev/full"), marks=pytest.mark.slow),
    ],
)
def test_output_that_the_disk_refuses_is_told(verb: tuple[str, ...], world: World) -> None:
    """No exit code may say that all went well."""
    names = {"PHOTOS": str(world.photos), "MODEL": str(world.model)}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "eyespot", *(names.get(word, word) for word in verb)],
            stdout=full if "--json" in verb else subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            cwd=world.out,
            timeout=240,
            check=False,
        )
    check_end(done.returncode, done.stderr, (1,))
    assert "No space left" in done.stderr


# --- hardly any machine ---------------------------------------------------------------------------


@linux
@pytest.mark.parametrize("cores", [pytest.param(2, marks=pytest.mark.slow), 1])
def test_one_core_and_one_gigabyte(cores: int, world: World) -> None:
    """The same answers as with all of the machine; training as well gets along."""

    def cut_down() -> None:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
        resource.setrlimit(resource.RLIMIT_DATA, (ROOM, ROOM))

    def answers(**how: object) -> list[str]:
        arguments = ("predict", world.photos, "-m", world.model, "--json")
        done = eyespot(*arguments, environment=world.environment(), **how)  # type: ignore[arg-type]
        assert done.returncode == 0, done.stderr
        return [answer["top"][0]["label"] for answer in json.loads(done.stdout)]

    assert answers(prepare=cut_down) == ["brick"] * 4 + ["grass"] * 4
    if cores == 1:
        return
    for verb in verbs(world):
        done = eyespot(*verb, environment=world.environment(), prepare=cut_down)
        assert done.returncode == 0, (verb, done.stderr)


@pytest.mark.slow
@linux
@pytest.mark.parametrize("megabytes", [50, 100, 400, 800, 1600, 3000])
def test_too_little_memory_is_told_and_loses_nothing(megabytes: int, world: World) -> None:
    """Wherever in the libraries it runs out: no traceback; exit 0, or a reason. (With 200 MB and
    one thread, OpenBLAS asks for memory again and again while it is loaded, and never ends.)"""

    def cut_down() -> None:
        limit = megabytes * 1_000_000
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    before = world.model.read_bytes()
    for verb in (verbs(world)[0], verbs(world)[4]):
        done = subprocess.run(
            line(verb),
            env=changed(world.environment()),
            preexec_fn=cut_down,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode in (0, 1) or done.returncode < 0, done.stderr
        if done.returncode >= 0:
            check_end(done.returncode, done.stderr, (0, 1))
    assert world.model.read_bytes() == before
    if (world.out / "m.eyespot").exists():
        load(world.out / "m.eyespot")
