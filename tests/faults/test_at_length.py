"""Embedding and predicting many photos: killed, out of room, with damaged shards in between."""

import io
import random
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from PIL import Image

from eyespot.data.photos import MemorySource, Photo
from eyespot.features.backbone import load_backbone
from eyespot.features.engines import open_engine
from eyespot.features.table import write_features
from tests.faults.photos import start
from tests.pictures import patches

COUNT = 64 * 5 + 10
KILLS = [pytest.param(n, marks=[] if n < 1 else pytest.mark.slow) for n in range(20)]


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three shards of images, some of which cannot be read; the second shard is cut off."""
    folder = tmp_path_factory.mktemp("shards")
    images = patches("grass", COUNT - 1, 48)
    for number in range(3):
        with tarfile.open(folder / f"s-{number}.tar", "w") as shard:
            for index in range(number, len(images), 3):
                file = io.BytesIO()
                Image.fromarray(images[index]).save(file, "PNG")
                data = b"broken" if index % 50 == 7 else file.getvalue()
                member = tarfile.TarInfo(f"{index}.png")
                member.size = len(data)
                shard.addfile(member, io.BytesIO(data))
    cut = folder / "s-1.tar"
    with tarfile.open(cut) as shard:
        end = shard.getmembers()[-1]
        cut.write_bytes(cut.read_bytes()[: end.offset_data + end.size])
    return folder


@pytest.fixture(scope="module")
def whole(shards: Path, network: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file of a run that nobody stopped."""
    path = tmp_path_factory.mktemp("whole") / "f.parquet"
    process = embed(shards, network, path)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return path.read_bytes()


def embed(shards: Path, network: Path, path: Path) -> subprocess.Popen[str]:
    return start("embed", shards / "s-{0..2}.tar", "--backbone", network, "-o", path)


def test_each_image_has_a_row_and_the_damaged_shard_too(shards: Path, whole: bytes) -> None:
    table = pq.read_table(io.BytesIO(whole)).select(["path", "error"]).to_pydict()
    expected = [f"{shards}/s-{n}.tar/{i}.png" for n in range(3) for i in range(n, COUNT - 1, 3)]
    expected.insert(expected.index(f"{shards}/s-2.tar/2.png"), f"{shards}/s-1.tar")
    assert table["path"] == expected
    failed = {p: e for p, e in zip(table["path"], table["error"], strict=True) if e}
    assert "damaged" in failed.pop(f"{shards}/s-1.tar")
    assert {int(Path(path).stem) % 50 for path in failed} == {7}
    assert len(failed) == 7


@pytest.mark.parametrize("seed", KILLS)
def test_killed_at_any_moment_it_goes_on(
    seed: int, shards: Path, network: Path, whole: bytes, tmp_path: Path
) -> None:
    path, chance = tmp_path / "f.parquet", random.Random(seed)
    parts = tmp_path / "f.parquet.parts"
    process = embed(shards, network, path)
    wanted = chance.randrange(6)  # how many parts it may write first
    while process.poll() is None and len(list(parts.glob("part-*"))) < wanted:
        time.sleep(0.005)
    time.sleep(chance.uniform(0, 0.05 if wanted else 2))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    there = sum(pq.read_metadata(part).num_rows for part in parts.glob("part-*"))
    assert not path.exists() or path.read_bytes() == whole
    process = embed(shards, network, path)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert (f"Resuming: {there} of {COUNT} photos" in errors) == (there > 0)
    assert path.read_bytes() == whole
    assert list(tmp_path.iterdir()) == [path]


FULL = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)), resource.RLIM_INFINITY))
from eyespot.__main__ import main
main()
"""


@pytest.mark.parametrize("room", [pytest.param(100_000, marks=pytest.mark.slow), 400_000])
def test_without_room_it_stops_and_goes_on_once_there_is(
    room: int, network: Path, tmp_path: Path
) -> None:
    """Files can have so many bytes: too few for a part, and enough for parts but not for all."""
    images = patches("grass", 200, 48)
    for number, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / f"{number}.png")
    path = tmp_path / "out" / "f.parquet"
    command = ["embed", tmp_path, "--backbone", network, "-o", path]
    # The network is converted before there is a limit, as its file is larger.
    backbone = load_backbone(str(network))
    photo = Photo("0.png", MemorySource(images[0]))
    write_features([photo], backbone, open_engine(backbone), None, tmp_path / "x.parquet")
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(room), *map(str, command)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 1, done.stderr
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert not path.exists()
    there = len(list(path.parent.glob("f.parquet.parts/part-*")))
    assert there == (0 if room == 100_000 else 4)
    process = start(*command)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert pq.read_table(path)["path"].to_pylist() == [f"{tmp_path}/{n}.png" for n in range(200)]
    assert [file.name for file in path.parent.iterdir()] == ["f.parquet"]
