"""What every test gets: a cache of its own, no network, and the shared photos where they are."""

import gc
import itertools
import os
import runpy
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

if TYPE_CHECKING:
    from eyespot.features.backbone import Backbone
    from eyespot.serve.decoders import Decoders

REPOSITORY = Path(__file__).resolve().parent.parent

# Speed differs between machines, and a test that fails on a slow day teaches people to ignore it.
hypothesis.settings.register_profile("eyespot", deadline=None, max_examples=50)
hypothesis.settings.load_profile("eyespot")


def pytest_collection_finish() -> None:
    """Thousands of tests and the modules that they import stay: the garbage collector need not walk
    through them again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def ctrl_c_works() -> None:
    """Also where the tests run in the background, whose children inherit that it is ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real photos that are no part of the repository; skips where it is absent."""
    folder = Path(os.environ.get("EYESPOT_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no test photos at {folder} (set EYESPOT_TEST_DATA to their folder)")
    return folder


@pytest.fixture(scope="session")
def shared_cases() -> Path:
    """Folder of small files that were read wrongly once; skips where it is absent."""
    folder = Path(os.environ.get("EYESPOT_TEST_CASES", REPOSITORY.parent / "shared" / "cases"))
    if not folder.is_dir():
        pytest.skip(f"no test cases at {folder} (set EYESPOT_TEST_CASES to their folder)")
    return folder


@pytest.fixture(scope="session", autouse=True)
def session_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The cache of fixtures that several tests share, an empty store of weights, and one of
    projects; never those of the person at the keyboard."""
    folder = tmp_path_factory.mktemp("session-cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EYESPOT_CACHE", str(folder))
        patch.setenv("EYESPOT_WEIGHTS", str(tmp_path_factory.mktemp("weights")))
        patch.setenv("EYESPOT_PROJECTS", str(tmp_path_factory.mktemp("projects")))
        yield folder


@pytest.fixture(scope="session")
def converted_networks(session_cache: Path) -> Path:
    """Where networks are converted to, once: it takes seconds, and depends on no photo."""
    folder = session_cache / "networks"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def decoders() -> Iterator["Decoders"]:
    """A process that decodes photos."""
    from eyespot.serve.decoders import Decoders

    decoders = Decoders(1)
    yield decoders
    decoders.close()


@pytest.fixture(scope="session")
def new_caches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Paths for one cache per test; `mktemp` would search all earlier ones for each."""
    folder = tmp_path_factory.mktemp("caches")
    return (folder / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def own_cache(
    new_caches: Iterator[Path], converted_networks: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """An empty cache folder for this test alone, so that no test reads what another one cached."""
    folder = next(new_caches)
    folder.mkdir()
    (folder / "networks").symlink_to(converted_networks, target_is_directory=True)
    monkeypatch.setenv("EYESPOT_CACHE", str(folder))
    return folder


@pytest.fixture(scope="session")
def network_log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Forbid the network for the whole session, also to child processes; log every attempt."""
    log = tmp_path_factory.mktemp("network") / "attempts.log"
    log.touch()
    guard = Path(__file__).parent / "no_network"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EYESPOT_TEST_NETWORK_LOG", str(log))
        patch.setenv("PYTHONPATH", str(guard), prepend=os.pathsep)
        runpy.run_path(str(guard / "sitecustomize.py"))
        yield log


@pytest.fixture(autouse=True)
def no_network(network_log: Path) -> Iterator[None]:
    """Fail a test that tries to reach anything but this machine, even if its code hid the error."""
    yield
    attempts = network_log.read_text()
    if attempts:
        network_log.write_text("")
    assert not attempts, f"reached for the network:\n{attempts}"


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an untrained resnet20: quick, needs no download, and its features of the
    surfaces differ anyway."""
    import torch

    from eyespot.models import create, find
    from eyespot.weights.store import Pretrained
    from eyespot.weights.write import write_weights

    torch.manual_seed(0)
    about = find("resnet20")
    path = tmp_path_factory.mktemp("network") / "resnet20.safetensors"
    known = Pretrained(path, "store", about.preprocessing, (), "0" * 64)
    return write_weights(path, about, create("resnet20").state_dict(), known, "a test")


@pytest.fixture
def backbone(network: Path) -> "Backbone":
    from eyespot.features.backbone import load_backbone

    return load_backbone(str(network))
