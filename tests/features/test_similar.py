"""The most similar photos: those that comparing all in float64 finds, kept or not, and of the right
file."""

import os
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from eyespot.data.parquet import ABOUT
from eyespot.data.photos import MemorySource, Photo
from eyespot.errors import DatasetError, PhotoError, UsageError, WeightsError
from eyespot.features import similar
from eyespot.features.backbone import Backbone
from eyespot.features.engines import open_engine
from eyespot.features.similar import KeptFeatures, find_similar
from eyespot.features.table import write_features
from tests.pictures import patches


def photos() -> list[Photo]:
    pictures = [*patches("brick", 50, 48), *patches("grass", 50, 48)]
    found = [Photo(f"{n}.png", MemorySource(picture)) for n, picture in enumerate(pictures)]
    for number in (0, 1, 77):
        found[number] = Photo(f"{number}.png", MemorySource(b"broken"))
    return found


@pytest.fixture
def written(backbone: Backbone, tmp_path: Path) -> Path:
    path = tmp_path / "f.parquet"
    write_features(photos(), backbone, open_engine(backbone), None, path)
    return path


def exact(path: Path, block: str, number: int) -> list[tuple[str, float]]:
    """All photos by their cosine with one of them, straight from the definition."""
    table = pq.read_table(path)
    table = table.filter(table["error"].is_null())
    names = table["path"].to_pylist()
    values = np.stack(table[block].to_numpy()).astype(np.float64)
    roots = np.sign(values) * np.sqrt(np.abs(values))
    roots /= np.linalg.norm(roots, axis=1, keepdims=True)
    cosines = roots @ roots[names.index(f"{number}.png")]
    return sorted(zip(names, cosines.tolist(), strict=True), key=lambda pair: -pair[1])


@pytest.mark.parametrize("keep", [False, True])
def test_the_nearest_are_those_of_the_definition(
    keep: bool, written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(similar, "KEPT_FROM", 1 if keep else 1000)
    monkeypatch.setattr(similar, "AT_ONCE", 7)
    kept = KeptFeatures(written)
    for number in (2, 42, 99):
        found = find_similar(photos()[number], kept, 8)
        wanted = exact(written, kept.block, number)[:8]
        assert found[0].path == f"{number}.png"
        assert [near.similarity for near in found] == pytest.approx(
            [cosine for _, cosine in wanted], abs=1e-3
        )
        assert len({near.path for near in found} & {name for name, _ in wanted}) >= 7
        assert all(near.thumbnail[:2] == b"\xff\xd8" for near in found)
    assert len(list(written.parent.glob("*.npy"))) == keep
    assert len(find_similar(photos()[2], kept, 1000)) == 97  # all that could be read


def test_what_is_kept_is_used_until_the_file_changes(
    written: Path, backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(similar, "KEPT_FROM", 1)
    find_similar(photos()[5], KeptFeatures(written))
    (kept,) = written.parent.glob("*.npy")
    with monkeypatch.context() as patch:
        patch.setattr(KeptFeatures, "_coded", lambda self: pytest.fail("is read again"))
        find_similar(photos()[5], KeptFeatures(written))
    write_features(photos()[40:60], backbone, open_engine(backbone), None, written)
    os.utime(written, ns=(1, 1))
    found = find_similar(photos()[50], KeptFeatures(written), 30)
    assert (found[0].path, len(found)) == ("50.png", 20)
    assert len(list(written.parent.glob("*.npy"))) == 1
    assert not kept.exists()


def test_where_nothing_can_be_kept_the_search_goes_on(
    written: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(self: KeptFeatures, kept: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(similar, "KEPT_FROM", 1)
    monkeypatch.setattr(KeptFeatures, "_keep", refuse)
    assert find_similar(photos()[5], KeptFeatures(written))[0].path == "5.png"
    assert "cannot be written" in caplog.text


def test_other_blocks_and_folders_of_parts(backbone: Backbone, tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    write_features(photos(), backbone, open_engine(backbone), None, folder, shards=True)
    for block in backbone.blocks:
        found = find_similar(photos()[70], KeptFeatures(folder, block), 3)
        wanted = exact(folder, block, 70)[:3]
        assert found[0].path == "70.png"
        assert found[2].similarity == pytest.approx(wanted[2][1], abs=1e-3)


def test_what_cannot_be_searched_is_explained(written: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="does not exist"):
        KeptFeatures(tmp_path / "nowhere.parquet")
    with pytest.raises(UsageError, match=r"no block 'path'; there are stage1"):
        KeptFeatures(written, "path")
    with pytest.raises(UsageError, match="1 or more"):
        find_similar(photos()[5], KeptFeatures(written), 0)
    with pytest.raises(PhotoError, match=r"0\.png cannot be used"):
        find_similar(photos()[0], KeptFeatures(written))
    (tmp_path / "text.parquet").write_text("text")
    with pytest.raises(DatasetError, match="embed wrote"):
        KeptFeatures(tmp_path / "text.parquet")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="embed wrote"):
        KeptFeatures(tmp_path / "empty")
    table = pq.read_table(written)
    for about in (b"{}", b"[]", b"{damaged", b'{"blocks": [[]]}', b'{"blocks": ["path"]}'):
        pq.write_table(table.replace_schema_metadata({ABOUT: about}), tmp_path / "x.parquet")
        with pytest.raises((DatasetError, UsageError)):
            find_similar(photos()[5], KeptFeatures(tmp_path / "x.parquet"))


def test_features_of_weights_that_are_not_here(written: Path, tmp_path: Path) -> None:
    table = pq.read_table(written)
    about = table.schema.metadata[ABOUT].replace(b'"own": true', b'"own": false')
    assert about != table.schema.metadata[ABOUT]
    pq.write_table(table.replace_schema_metadata({ABOUT: about}), written)
    with pytest.raises(WeightsError):
        find_similar(photos()[5], KeptFeatures(written))
