import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from eyespot.data.folders import find_photos
from eyespot.data.photos import MemorySource, Photo
from eyespot.features.backbone import load_backbone
from eyespot.features.cache import FeatureCache, Record
from eyespot.features.engines import Engine, open_engine
from eyespot.features.extract import embed
from tests.pictures import patches, write_folder


class Counting:
    """An engine that counts its inputs."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.name, self.layout, self.workers = engine.name, engine.layout, engine.workers
        self.batch = engine.batch
        self.count = 0

    def run(self, images: np.ndarray) -> np.ndarray:
        self.count += len(images)
        return self._engine.run(images)


def test_only_new_photos_are_embedded(tmp_path: Path) -> None:
    backbone = load_backbone()
    engine = Counting(open_engine(backbone))
    photos = find_photos([write_folder(tmp_path / "photos")]).photos
    with_cache = FeatureCache()
    first, kept, skipped = embed(photos, backbone, engine, with_cache)
    assert (len(kept), skipped, engine.count) == (24, [], 24)
    (tmp_path / "photos/brick/copy.png").write_bytes((tmp_path / "photos/brick/0.png").read_bytes())
    grass = tmp_path / "photos/grass/0.png"
    grass.write_bytes((tmp_path / "photos/brick/1.png").read_bytes())
    more = find_photos([tmp_path / "photos"]).photos
    second, _, _ = embed(more, backbone, engine, with_cache)
    assert engine.count == 24  # a copy and a changed file are known by their content
    position = second.names.index(str(tmp_path / "photos/brick/0.png"))
    np.testing.assert_array_equal(second.values[position], first.values[0])


def test_a_bad_photo_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    backbone = load_backbone()
    photos = [
        Photo("good", MemorySource(patches("brick", 1)[0])),
        Photo("text", MemorySource(b"not an image")),
        Photo("empty", MemorySource(b"")),
    ]
    features, kept, skipped = embed(photos, backbone, open_engine(backbone))
    assert features.names == ("good",)
    assert kept == [0]
    assert {s.path for s in skipped} == {"text", "empty"}
    assert all(s.reason for s in skipped)


def record(seed: int) -> Record:
    rng = np.random.default_rng(seed)
    vector = rng.normal(size=64).astype(np.float16)
    return Record(vector, int(rng.integers(0, 2**63)), rng.bytes(50), 4, 3)


def test_cache_gives_back_what_it_got() -> None:
    cache = FeatureCache()
    cache.put_many("net", {f"{i:064}": record(i) for i in range(1200)})
    found = FeatureCache().get_many([f"{i:064}" for i in range(1300)], "net")
    assert len(found) == 1200
    for i in (0, 499, 500, 1199):
        np.testing.assert_array_equal(found[f"{i:064}"].features, record(i).features)
        assert found[f"{i:064}"].thumbnail == record(i).thumbnail
    assert not cache.get_many([f"{0:064}"], "another net")
    cache.clear()
    assert cache.info().photos == 0


def test_a_flipped_byte_is_a_miss() -> None:
    cache = FeatureCache()
    cache.put_many("net", {"a": record(0), "b": record(1)})
    assert cache._database is not None
    cache._database.execute("UPDATE photos SET features = zeroblob(128) WHERE sha256 = 'a'")
    assert set(cache.get_many(["a", "b"], "net")) == {"b"}


def test_the_limit_evicts_what_was_used_least(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path / "c.sqlite3", limit_bytes=200_000)
    for start in range(0, 2000, 50):
        cache.put_many("net", {str(i): record(i) for i in range(start, start + 50)})
    info = cache.info()
    assert info.bytes < 260_000
    assert 0 < info.photos < 2000


def test_a_damaged_file_is_set_aside(own_cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    (own_cache / "features.sqlite3").write_bytes(b"this is no database" * 1000)
    cache = FeatureCache()
    cache.put_many("net", {"a": record(0)})
    assert cache.info().photos == 1
    assert (own_cache / "features.damaged").exists()
    assert "damaged" in caplog.text


def test_a_cache_that_cannot_be_written_does_not_stop_the_work(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache = FeatureCache(tmp_path / "missing" / "c.sqlite3")
    cache.put_many("net", {"a": record(0)})
    assert cache.get_many(["a"], "net") == {}
    assert "cannot be used" in caplog.text


WRITER = """
import sys
sys.path.insert(0, {root!r})
from tests.features.test_extract import record
from eyespot.features.cache import FeatureCache
cache = FeatureCache()
print("ready", flush=True)
for start in range({first}, {first} + 100_000, 20):
    cache.put_many("net", {{str(i): record(i) for i in range(start, start + 20)}})
"""


def test_two_writers_are_killed_and_nothing_false_remains(own_cache: Path) -> None:
    root = str(Path(__file__).parents[2])
    for attempt in range(2):
        writers = [
            subprocess.Popen(
                [sys.executable, "-c", WRITER.format(root=root, first=first)],
                stdout=subprocess.PIPE,
                env={**os.environ, "EYESPOT_CACHE": str(own_cache)},
            )
            for first in (0, 1_000_000)
        ]
        for writer in writers:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"ready\n"
        time.sleep(0.1 + 0.07 * attempt)
        for writer in writers:
            writer.send_signal(signal.SIGKILL)
            writer.wait()
            assert writer.stdout is not None
            writer.stdout.close()
    cache = FeatureCache()
    assert cache._database is not None
    assert cache._database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    names = [row[0] for row in cache._database.execute("SELECT sha256 FROM photos").fetchall()]
    found = cache.get_many(names, "net")
    assert len(found) == len(names) > 0
    for name in names[:: max(1, len(names) // 50)]:
        np.testing.assert_array_equal(found[name].features, record(int(name)).features)
