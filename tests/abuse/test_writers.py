"""Several processes at once on one classifier, one cache, one project: all of it stays whole."""

import subprocess
import sys
from pathlib import Path

import pytest

from eyespot.features.cache import FeatureCache
from eyespot.studio.projects import Store
from eyespot.tasks.classification.teach import teach
from eyespot.tasks.task import load
from tests.faults.photos import write_photos

PROCESSES = 6

SAVE = """
import sys
from pathlib import Path
from eyespot.tasks.task import load
path, number, times = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
classifier = load(path)
classifier.training_photos
classifier.rename_class(classifier.classes[1], f"meadow {number}")
for _ in range(times):
    classifier.save(path)
    again = load(path)
    assert again.classes[0] == "brick" and len(again.classes) == 2, again.classes
    assert again.training_photos is not None
"""
"""Each save is whole for every reader, whoever saved last."""

CACHE = """
import sys
import numpy as np
from eyespot.features.cache import FeatureCache, Record
number, times = int(sys.argv[1]), int(sys.argv[2])
cache = FeatureCache(limit_bytes=400_000)
for turn in range(times):
    keys = [f"{key:064x}" for key in range(turn, turn + 20)]
    features = {key: np.full(500, int(key, 16), np.float16) for key in keys}
    records = {key: Record(of, int(key, 16), b"x", 1, 1) for key, of in features.items()}
    cache.put_many("abuse", records)
    for key, found in cache.get_many(keys, "abuse").items():
        assert (found.features == int(key, 16)).all() and found.dhash == int(key, 16), key
    if number == 0 and turn % 10 == 9:
        cache.clear()
assert cache.info().photos <= 20 * times
"""
"""Writing, evicting and clearing at once: a record is right or not there."""

PROJECT = """
import sys
from pathlib import Path
from eyespot.errors import MissingError
from eyespot.studio.projects import Store
from tests.studio.teaching import files
store = Store(Path(sys.argv[1]))
project, number, times = store.open(sys.argv[2]), sys.argv[3], int(sys.argv[4])
mine = project.add_class(f"class {number}")
photos = files("gravel", times, seed=int(number))
for turn, photo in enumerate(photos):
    added = project.add_photos(mine, [photo])
    assert len(added.photos) == 1, added
    project.rename_class(mine, f"class {number} {turn}")
    store.purge()
"""


def all_at_once(program: str, *arguments: tuple[object, ...]) -> None:
    """Run the program with each of the arguments at the same time; all must end well."""
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program, *map(str, each)],
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        for each in arguments
    ]
    for process in running:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
        assert errors == ""


@pytest.mark.slow
def test_many_save_one_classifier(tmp_path: Path) -> None:
    path = tmp_path / "m.eyespot"
    teach(write_photos(tmp_path / "photos", 3, ("brick", "grass")), budget=0).classifier.save(path)
    all_at_once(SAVE, *((path, number, 20) for number in range(PROCESSES)))
    assert load(path).classes[1].startswith("meadow")
    assert {entry.name for entry in tmp_path.iterdir()} == {"m.eyespot", "photos"}


@pytest.mark.parametrize("times", [5, pytest.param(100, marks=pytest.mark.slow)])
def test_many_write_one_cache(times: int) -> None:
    processes = 2 if times == 5 else PROCESSES
    all_at_once(CACHE, *((number, times) for number in range(processes)))
    cache = FeatureCache()
    assert cache.info().photos > 0 or times == 100  # the last to act may have been the clearing
    cache.close()


@pytest.mark.slow
def test_many_change_one_project(tmp_path: Path) -> None:
    store = Store(tmp_path / "projects")
    project = store.create("shared")
    all_at_once(PROJECT, *((store.folder, project.id, n, 15) for n in range(PROCESSES)))
    snapshot = project.snapshot()
    assert sorted(of.name for of in snapshot.classes) == [f"class {n} 14" for n in range(PROCESSES)]
    assert len(snapshot.photos) == 15 * PROCESSES
    assert all(project.file(picture.sha256) for picture in snapshot.photos)
