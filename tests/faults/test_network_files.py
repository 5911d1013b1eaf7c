"""The converted network in the cache folder: damaged, or on a full disk."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from eyespot.errors import CacheError
from eyespot.features import engines
from eyespot.features.backbone import load_backbone
from eyespot.features.engines import OpenVinoEngine, TorchEngine, open_engine
from tests.faults.photos import write_photos


@pytest.fixture
def networks(own_cache: Path, converted_networks: Path) -> Path:
    """A copy of the converted network that this test may damage."""
    OpenVinoEngine(load_backbone())  # converts it, where no test has yet
    (own_cache / "networks").unlink()
    return Path(shutil.copytree(converted_networks, own_cache / "networks"))


def convert_nothing(*_: object) -> dict[str, int]:
    raise OSError("converted again")


def test_a_whole_network_is_not_converted_again(
    networks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "convert", convert_nothing)
    assert OpenVinoEngine(load_backbone()).layout


@pytest.mark.parametrize("suffix", [".xml", ".bin", ".json"])
@pytest.mark.parametrize("damage", ["gone", "empty", "half", "flipped"])
def test_a_damaged_network_is_converted_again(
    damage: str, suffix: str, networks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = networks.glob(f"{load_backbone().network}*{suffix}")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    if damage == "gone":
        path.unlink()
    else:
        kept = {"empty": 0, "half": len(content) // 2, "flipped": len(content)}[damage]
        path.write_bytes(content[:kept])
    monkeypatch.setattr(engines, "convert", convert_nothing)
    with pytest.raises(CacheError, match="converted again"):
        OpenVinoEngine(load_backbone())


@pytest.mark.slow
def test_converting_again_mends_it(networks: Path) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), dtype=np.uint8)
    before = OpenVinoEngine(load_backbone(), "fp32").run(pictures)
    (weights,) = networks.glob(f"{load_backbone().network}*.bin")
    weights.write_bytes(weights.read_bytes()[:1000])
    after = OpenVinoEngine(load_backbone(), "fp32").run(pictures)
    np.testing.assert_allclose(before, after, rtol=1e-4, atol=1e-5)


def test_where_it_cannot_be_kept_torch_takes_over(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (own_cache / "networks").unlink()
    monkeypatch.setattr(engines, "_has_gpu", lambda: False)
    monkeypatch.setattr(engines, "convert", convert_nothing)
    assert isinstance(open_engine(load_backbone()), TorchEngine)
    assert "cannot be written" in caplog.text
    assert "torch runs the network" in caplog.text


FULL = """
import resource, sys
from eyespot.cli.main import main
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, resource.RLIM_INFINITY))
sys.argv[1:] = ["teach", sys.argv[1], "-o", sys.argv[2], "--budget", "0"]
main()
"""


@pytest.mark.slow
def test_the_first_run_of_all_on_a_full_disk(own_cache: Path, tmp_path: Path) -> None:
    (own_cache / "networks").unlink()
    photos = write_photos(tmp_path / "photos", 6)
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(photos), str(tmp_path / "m.eyespot")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "m.eyespot").exists()
    left = [name for name in os.listdir(own_cache / "networks") if name.startswith("tmp")]  # noqa: PTH208
    assert not left
