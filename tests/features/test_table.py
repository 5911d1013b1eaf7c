"""Features as a Parquet file: a row for every photo, and the same however they came about."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from eyespot.data.open import open_photos
from eyespot.data.parts import Share
from eyespot.data.photos import MemorySource, Photo
from eyespot.data.unlabelled import find_unlabelled
from eyespot.errors import DatasetError, UsageError
from eyespot.features.backbone import Backbone
from eyespot.features.cache import FeatureCache
from eyespot.features.engines import open_engine
from eyespot.features.extract import embed
from eyespot.features.table import write_features
from tests.pictures import patches


def photos(count: int = 70) -> list[Photo]:
    """Two parts; some cannot be read."""
    found = [Photo(f"{n}.png", MemorySource(p)) for n, p in enumerate(patches("grass", count, 48))]
    for number in (0, 5, 66):
        found[number] = Photo(f"{number}.png", MemorySource(b"broken"))
    return found


def test_a_row_for_every_photo_in_order(backbone: Backbone, tmp_path: Path) -> None:
    engine, path = open_engine(backbone), tmp_path / "f.parquet"
    written = write_features(photos(), backbone, engine, None, path)
    assert (written.photos, written.failures) == (70, 3)
    assert [skipped.path for skipped in written.failed] == ["0.png", "5.png", "66.png"]
    table = pq.read_table(path)
    assert table["path"].to_pylist() == [photo.name for photo in photos()]
    expected, kept, _ = embed(photos(), backbone, engine)
    readable = table.take(kept)
    for block, columns in expected.layout.items():
        values = np.stack(readable[block].to_numpy())
        np.testing.assert_array_equal(values.astype(np.float16), expected.values[:, columns])
    assert readable["sha256"].to_pylist() == list(expected.sha256)
    assert readable["thumbnail"].to_pylist() == list(expected.thumbnails)
    assert readable["error"].null_count == 67
    lost = table.take([0, 5, 66])
    assert lost["error"].null_count == 0
    for name in (*engine.layout, "width", "height", "thumbnail"):
        assert lost[name].null_count == 3
    assert list(tmp_path.iterdir()) == [path]


def test_the_cache_changes_nothing(backbone: Backbone, tmp_path: Path) -> None:
    engine, cache = open_engine(backbone), FeatureCache()
    for name in ("computed", "remembered"):
        write_features(photos(), backbone, engine, cache, tmp_path / name)
    cache.close()
    assert (tmp_path / "computed").read_bytes() == (tmp_path / "remembered").read_bytes()


def test_shares_and_shards_say_the_same(backbone: Backbone, tmp_path: Path) -> None:
    engine = open_engine(backbone)
    write_features(photos(), backbone, engine, None, tmp_path / "one")
    for number in (2, 1):
        share = Share(number, 2)
        write_features(photos(), backbone, engine, None, tmp_path / "two", share=share)
        assert not (tmp_path / "two").exists()
    assert write_features(photos(), backbone, engine, None, tmp_path / "two").photos == 70
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    write_features(photos(), backbone, engine, None, tmp_path / "parts", shards=True)
    assert pq.read_table(tmp_path / "parts").equals(pq.read_table(tmp_path / "one"))
    assert not (tmp_path / "two.parts").exists()


def test_features_of_another_network_are_not_mixed(backbone: Backbone, tmp_path: Path) -> None:
    engine, share = open_engine(backbone), Share(1, 2)
    write_features(photos(), backbone, engine, None, tmp_path / "f", share=share)
    other = replace(backbone, sha256="0" * 64)
    with pytest.raises(UsageError, match="Different: the network"):
        write_features(photos(), other, engine, None, tmp_path / "f")


@pytest.mark.parametrize("shards", [False, True])
def test_if_no_photo_can_be_read_nothing_is_written(
    shards: bool, backbone: Backbone, tmp_path: Path
) -> None:
    path = tmp_path / "f.parquet"
    if not shards:
        path.write_text("what was there before")
    lost = [Photo("a.png", MemorySource(b"broken"))]
    written = write_features(lost, backbone, open_engine(backbone), None, path, shards=shards)
    assert (written.photos, written.failures) == (1, 1)
    assert [(one, one.read_text()) for one in tmp_path.iterdir()] == (
        [] if shards else [(path, "what was there before")]
    )


def test_thumbnails_are_no_photos(backbone: Backbone, tmp_path: Path) -> None:
    path = tmp_path / "f.parquet"
    write_features(photos(), backbone, open_engine(backbone), None, path)
    for look in (find_unlabelled, open_photos):
        with pytest.raises(DatasetError, match="it holds features that embed wrote, not photos"):
            look(str(path))
