"""Many classes, hardly any photos, and a disk without room for the cache."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from eyespot.report import write_report
from eyespot.tasks.classification.teach import teach
from eyespot.tasks.task import load
from tests.faults.photos import write_photos
from tests.pictures import patches


def coloured(count: int) -> list[NDArray[np.uint8]]:
    """Pictures of 16 x 16 pixels, all of different colours and patterns."""
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (count, 4, 4, 3), dtype=np.uint8)
    return list(small.repeat(4, axis=1).repeat(4, axis=2))


@pytest.mark.slow
def test_a_thousand_classes_of_two_photos(tmp_path: Path) -> None:
    images = coloured(1000)
    twins = [np.clip(p.astype(int) + 9, 0, 255).astype(np.uint8)[:, ::-1] for p in images]
    names = [f"class {number}" for number in range(1000)]
    result = teach([*images, *twins], names * 2, budget=0)
    assert len(result.classifier.classes) == 1000
    assert result.evaluation.count == 2000
    assert 0 <= result.evaluation.top1 <= result.evaluation.top5 <= 1
    assert result.evaluation.confusion.shape == (1000, 1000)
    result.classifier.save(tmp_path / "m.eyespot")
    assert len(load(tmp_path / "m.eyespot").predict(images[0], top=1000).top) == 1000
    write_report(result, tmp_path / "r.html")
    assert (tmp_path / "r.html").stat().st_size < 20_000_000


def test_a_hundred_classes_of_one_photo() -> None:
    """Nothing can be measured, and nothing is claimed: no photo has a fellow to be known by."""
    names = [f"class {number:02}" for number in range(100)]
    images = coloured(100)
    result = teach(images, names, budget=0)
    assert result.evaluation.top1 == 0
    assert result.evaluation.top1_interval[0] == 0
    assert result.learning_curve is None
    answers = [result.classifier.predict(image).top[0][0] for image in images[:10]]
    assert answers == names[:10]


def test_one_photo_in_one_class(tmp_path: Path) -> None:
    photos = [*patches("brick", 1), *patches("grass", 12)]
    result = teach(photos, ["brick"] + ["grass"] * 12)
    assert result.evaluation.per_class[0].recall == 0
    assert any(f.kind == "few photos" and "brick" in f.message for f in result.findings)
    assert result.learning_curve is None
    write_report(result, tmp_path / "r.html")
    result.classifier.save(tmp_path / "m.eyespot")
    again = load(tmp_path / "m.eyespot")
    assert again.predict(photos[0]).top[0][0] == "brick"
    again.add_photos("brick", patches("brick", 6, seed=2))
    assert again.metrics["count"] == 19


FULL = """
import json, resource, sys
from eyespot.tasks.classification.teach import teach
room = (int(sys.argv[2]), resource.RLIM_INFINITY)
resource.setrlimit(resource.RLIMIT_FSIZE, room)
result = teach(sys.argv[1], budget=0)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
result.classifier.save(sys.argv[3])
print(json.dumps(result.evaluation.top1))
"""


@pytest.mark.parametrize(
    "room", [0, *(pytest.param(room, marks=pytest.mark.slow) for room in (20_000, 200_000))]
)
def test_a_cache_without_room_does_not_stop_training(room: int, tmp_path: Path) -> None:
    """It is given up with one warning; the classifier is as good as with a cache."""
    photos = write_photos(tmp_path / "photos", 12)
    expected = teach(photos, budget=0, use_cache=False).evaluation.top1
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(photos), str(room), str(tmp_path / "m.eyespot")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("cannot be used") == 1
    assert json.loads(done.stdout) == expected
    assert load(tmp_path / "m.eyespot").classes == ("brick", "grass", "gravel")
