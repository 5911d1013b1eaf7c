"""Speeds are measured without weights, kept, and never a reason to fail."""

from pathlib import Path

import pytest

from eyespot.errors import UsageError
from eyespot.features import speed
from eyespot.features.backbone import fresh_backbone
from eyespot.features.engines import open_engine


@pytest.mark.parametrize("name", ["mnist_conv", "lenet5_1998_rbf", "resnet20"])
def test_a_network_without_weights_is_measured_and_remembered(
    name: str, monkeypatch: pytest.MonkeyPatch, own_cache: Path
) -> None:
    monkeypatch.setattr(speed, "SECONDS", 0.05)
    found = speed.measure(name)
    assert speed.measured() == {name: found}
    assert found.engine == open_engine(fresh_backbone(name), folder=own_cache / "again").name
    # One image takes some time, and all cores together are not much slower than one alone.
    assert 0 < found.latency < 10
    assert found.images_per_second > 0.1 / found.latency
    left = {path.name for path in own_cache.iterdir()}
    assert left == {"networks", "speeds.json", "again"}
    assert not list((own_cache / "networks").glob(f"{name}-fresh*"))


def test_measurements_stand_side_by_side() -> None:
    speeds = {name: speed.Speed("e", 1.0, 2.0) for name in ("one", "two")}
    speed._keep(speeds)
    assert speed.measured() == speeds


@pytest.mark.parametrize("damage", ["", "[]", '{"a": {"b": 1}}', '{"a": 3}', "\0"])
def test_damaged_measurements_are_none(damage: str, own_cache: Path) -> None:
    (own_cache / "speeds.json").write_text(damage)
    assert speed.measured() == {}


def test_an_unknown_network_is_not_measured() -> None:
    with pytest.raises(UsageError, match="did you mean 'alexnet'"):
        speed.measure("alexnett")


def test_a_cache_that_cannot_be_written_is_no_reason_to_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speed, "SECONDS", 0.05)
    (tmp_path / speed.FILE).mkdir()
    monkeypatch.setenv("EYESPOT_CACHE", str(tmp_path))
    assert speed.measure("mnist_linear").latency > 0
    assert speed.measured() == {}
