"""Speeds are measured without weights, kept, and never a reason to fail."""

from pathlib import Path

import pytest

from eyespot.errors import UsageError
from eyespot.features import facts, speed
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
    # A picture takes some time, and the cores together do not lose against one picture alone.
    assert 0 < found.latency < 10
    assert found.images_per_second > 0.1 / found.latency
    left = {path.name for path in own_cache.iterdir()}
    assert left == {"networks", "speeds.json", "again"}
    assert not list((own_cache / "networks").glob(f"{name}-fresh*"))


def test_measurements_stand_side_by_side() -> None:
    facts.keep(speed.SPEEDS, {"one": {"engine": "e", "images_per_second": 1.0, "latency": 2.0}})
    assert speed.measured() == {"one": speed.Speed("e", 1.0, 2.0)}


@pytest.mark.parametrize("damage", ["", "[]", '{"a": {"b": 1}}', '{"a": 3}', "\0"])
def test_damaged_measurements_are_none(damage: str, own_cache: Path) -> None:
    (own_cache / "speeds.json").write_text(damage)
    assert speed.measured() == {}


def test_an_unknown_network_is_not_measured() -> None:
    with pytest.raises(UsageError, match="did you mean 'alexnet'"):
        speed.measure("alexnett")


def test_what_was_taken_apart_is_kept_until_the_code_changes(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[tuple[int, int]] = []

    def found() -> dict[str, dict[str, int]]:
        return facts.totals_of(["alexnet", "lenet5"], lambda *step: steps.append(step))

    first = found()
    assert first["alexnet"]["parameters"] == 61_100_840
    assert steps == [(0, 2), (1, 2)]
    assert found() == first
    assert len(steps) == 2
    monkeypatch.setattr(facts, "_code", lambda: 1)
    assert found() == first
    assert len(steps) == 4
    for damage in ("", "nonsense", "[]"):
        (own_cache / "zoo.json").write_text(damage)
        assert found() == first


def test_a_cache_that_cannot_be_written_is_no_reason_to_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("EYESPOT_CACHE", str(tmp_path / "file"))
    assert facts.totals_of(["lenet5"])["lenet5"]["parameters"] == 61_706
