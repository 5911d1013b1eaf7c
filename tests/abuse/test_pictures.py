"""Malformed images of every format: each gets an answer or a reason, and the others theirs."""

import json
import logging
import resource
import shutil
import warnings
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from tests.abuse.commands import eyespot
from tests.abuse.malformed import FORMATS, claims, damaged, heic_can_be_written, malformed
from tests.faults.photos import write_photos

logger = logging.getLogger(__name__)

EACH = 520
LARGEST = 3.0
"""Gigabytes that a process may take: two images of the largest size at once, and the network."""


def readable(kind: str) -> bool:
    return kind != "HEIF" or heic_can_be_written()


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_photos(tmp_path_factory.mktemp("good"), 2)


def write(folder: Path, files: Iterable[tuple[str, bytes]]) -> int:
    folder.mkdir(exist_ok=True)
    return sum(1 for name, data in files if (folder / name).write_bytes(data) >= 0)


def answers(*arguments: object) -> dict[str, dict[str, Any]]:
    """What `predict` says of each file, by its path."""
    found = json.loads(eyespot("predict", *arguments, "--json").stdout)
    return {answer["path"]: answer for answer in found}


@pytest.fixture(scope="module")
def alone(good: Path) -> dict[str, dict[str, Any]]:
    """What is said of the good photos where there are no others."""
    return answers(good)


def check(folder: Path, found: dict[str, dict[str, Any]]) -> tuple[int, int]:
    """Every file has its answer or a reason. How many were answered, and how many refused."""
    assert found.keys() == {str(path) for path in folder.iterdir()}
    refused = 0
    for answer in found.values():
        if answer["error"]:
            refused += 1
            assert len(answer["error"]) < 300
            assert "\n" not in answer["error"]
        else:
            probabilities = [top["probability"] for top in answer["top"]]
            assert all(0 <= share <= 1 for share in probabilities)
            assert sum(probabilities) <= 1.0001
    return len(found) - refused, refused


def test_some_of_every_format(tmp_path: Path) -> None:
    """The absurd sizes, and all ways of damage once."""
    folder = tmp_path / "bad"
    for kind in filter(readable, FORMATS):
        files = (*claims(kind), *islice(damaged(kind, 1), 10))
        write(folder, ((f"{kind}-{n}.{FORMATS[kind]}", data) for n, (_, data) in enumerate(files)))
    answered, refused = check(folder, answers(folder))
    assert answered > 20
    assert refused > 100


@pytest.mark.slow
@pytest.mark.parametrize("kind", FORMATS)
def test_hundreds_of_a_format(
    kind: str,
    good: Path,
    alone: dict[str, dict[str, Any]],
    tmp_path: Path,
) -> None:
    if not readable(kind):
        pytest.skip("the extra heic is not installed, or cannot write")
    folder = tmp_path / "bad"
    assert write(folder, malformed(kind, EACH)) == EACH
    found = answers(folder, good)
    for path, answer in alone.items():
        assert found.pop(path)["top"] == answer["top"]
    answered, refused = check(folder, found)
    assert answered + refused == EACH
    logger.info("%s: %d refused with a reason, %d answered", kind, refused, answered)
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6 < LARGEST


@pytest.mark.slow
def test_every_verb_that_reads_photos_goes_on_without_them(tmp_path: Path) -> None:
    """Teaching, measuring and training with good and bad photos is as with the good ones alone."""
    clean = write_photos(tmp_path / "clean", 8, ("brick", "grass"))
    mixed = shutil.copytree(clean, tmp_path / "mixed")
    for kind in filter(readable, FORMATS):
        files = [(name, data) for name, data in malformed(kind, 60) if _unreadable(data)]
        for label in ("brick", "grass"):
            write(mixed / label, files[:20])
    said = {}
    for name, photos in (("clean", clean), ("mixed", mixed)):
        model = tmp_path / f"{name}.eyespot"
        taught = json.loads(eyespot("teach", photos, "-o", model, "--json").stdout)
        measured = json.loads(eyespot("evaluate", photos, "-m", model, "--json").stdout)
        network = ("--model", "lenet5", "--epochs", 1, "-o", tmp_path / f"{name} network")
        trained = json.loads(eyespot("train", photos, *network, "--json").stdout)
        said[name] = [taught["photos"], taught["top1"], measured["top1"]]
        said[name].append(trained["learnt"] + trained["validated"])
        assert len(taught["skipped"]) == (0 if name == "clean" else 2 * 20 * _readable_kinds())
        assert len(measured["skipped"]) == len(taught["skipped"])
        eyespot("embed", photos, "-o", tmp_path / f"{name}.parquet")
    assert said["mixed"] == said["clean"]


def _readable_kinds() -> int:
    return sum(map(readable, FORMATS))


def _unreadable(data: bytes) -> bool:
    from eyespot.data.decode import decode
    from eyespot.errors import PhotoError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # else they are errors here, but not for the verbs
            decode(data)
    except PhotoError:
        return True
    return False
