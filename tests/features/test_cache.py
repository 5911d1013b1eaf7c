"""What is cleared: all that eyespot keeps in the cache folder, and nothing else."""

import re
from pathlib import Path

import eyespot
from eyespot.features import speed
from eyespot.features.cache import FeatureCache
from eyespot.features.cache_folder import OTHERS, clear_others, other_bytes
from eyespot.features.own_weights import keep_own


def test_all_but_what_is_not_eyespots_is_cleared(own_cache: Path, tmp_path: Path) -> None:
    (own_cache / "networks").unlink()  # a link, of the tests
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "network.xml").write_text("x")
    (own_cache / "networks").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    keep_own(bytes(1000))
    (own_cache / "speeds.json").write_text("{}")
    (own_cache / "imagenet").mkdir()
    (own_cache / "mine.txt").write_text("x")
    FeatureCache().close()
    assert other_bytes() > 1000
    clear_others()
    assert {path.name for path in own_cache.iterdir()} == {"mine.txt", "features.sqlite3"}
    assert (tmp_path / "elsewhere" / "network.xml").exists()
    assert other_bytes() == 0


def test_every_place_in_the_cache_is_known() -> None:
    package = Path(eyespot.__file__).parent
    code = "\n".join(file.read_text("utf-8") for file in package.rglob("*.py"))
    folders = set(re.findall(r'cache_folder\(\) / "(\w+)"', code))
    assert folders | {speed.FILE} == set(OTHERS)
